//! Reading values out of rows, by place.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::StoreError;

/// Typed access to one row's columns, counted from 0.
pub(super) trait Columns {
    fn int(&self, i: usize) -> Result<i64, StoreError>;
    fn int_or_null(&self, i: usize) -> Result<Option<i64>, StoreError>;
    fn text(&self, i: usize) -> Result<String, StoreError>;
    fn str(&self, i: usize) -> Result<&str, StoreError>;
    fn text_or_null(&self, i: usize) -> Result<Option<String>, StoreError>;
    fn bytes(&self, i: usize) -> Result<&[u8], StoreError>;
    fn bytes_or_null(&self, i: usize) -> Result<Option<&[u8]>, StoreError>;

    fn number<T: TryFrom<i64>>(&self, i: usize, what: &'static str) -> Result<T, StoreError> {
        T::try_from(self.int(i)?).map_err(|_| StoreError::BadValue { what })
    }

    fn number_or_null<T: TryFrom<i64>>(&self, i: usize, what: &'static str) -> Result<Option<T>, StoreError> {
        let value = self.int_or_null(i)?;
        value.map(|value| T::try_from(value).map_err(|_| StoreError::BadValue { what })).transpose()
    }

    fn array<const N: usize>(&self, i: usize, what: &'static str) -> Result<[u8; N], StoreError> {
        self.bytes(i)?.try_into().map_err(|_| StoreError::BadValue { what })
    }

    fn moment(&self, i: usize) -> Result<Timestamp, StoreError> {
        moment(self.int(i)?)
    }

    fn moment_or_null(&self, i: usize) -> Result<Option<Timestamp>, StoreError> {
        self.int_or_null(i)?.map(moment).transpose()
    }

    fn date(&self, i: usize) -> Result<Date, StoreError> {
        self.str(i)?.parse().map_err(|_| StoreError::BadValue { what: "日期" })
    }

    fn county(&self, i: usize) -> Result<u8, StoreError> {
        self.str(i)?.parse().map_err(|_| StoreError::BadValue { what: "县区代码" })
    }

    fn yes(&self, i: usize) -> Result<bool, StoreError> {
        Ok(self.int(i)? != 0)
    }
}

impl Columns for AnyRow {
    fn int(&self, i: usize) -> Result<i64, StoreError> {
        Ok(self.try_get(i)?)
    }

    fn int_or_null(&self, i: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.try_get(i)?)
    }

    fn text(&self, i: usize) -> Result<String, StoreError> {
        Ok(self.try_get(i)?)
    }

    fn str(&self, i: usize) -> Result<&str, StoreError> {
        Ok(self.try_get(i)?)
    }

    fn text_or_null(&self, i: usize) -> Result<Option<String>, StoreError> {
        Ok(self.try_get(i)?)
    }

    fn bytes(&self, i: usize) -> Result<&[u8], StoreError> {
        Ok(self.try_get(i)?)
    }

    fn bytes_or_null(&self, i: usize) -> Result<Option<&[u8]>, StoreError> {
        Ok(self.try_get(i)?)
    }
}

fn moment(seconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(seconds).map_err(|_| StoreError::BadValue { what: "时间" })
}

/// A county code as it is stored: two digits.
pub(super) fn county_text(county: u8) -> Result<String, StoreError> {
    if county > 99 {
        return Err(StoreError::County { county });
    }
    Ok(format!("{county:02}"))
}

/// The column of a login as people know its owner: by name. Whoever has no account, such as the command line, is named as
/// noted.
macro_rules! name_of {
    ($column:literal) => {
        concat!("COALESCE((SELECT staff.name FROM staff WHERE staff.login = ", $column, "), ", $column, ")")
    };
}
pub(super) use name_of;

/// Makes the type of a table's ids.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(super) use id;
