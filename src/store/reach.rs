//! How far the one who asks may see: a condition that every query about people takes.

use super::StoreError;
use super::UnitId;
use super::bulk::Statement;
use super::row::county_text;

/// Whose people, forms, records and cards a query may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everybody's.
    Everything,
    /// Those of one county's units: last two digits of its GB/T 2260 code.
    County(u8),
    /// Those of one unit.
    Unit(UnitId),
}

impl Reach {
    /// Adds ` AND …` to a statement whose unit table (or an alias of it) is called `unit`.
    pub(super) fn narrow(self, query: &mut Statement, unit: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Everything => {}
            Self::County(county) => {
                query.push(" AND ").push(unit).push(".county = ").bind(county_text(county)?);
            }
            Self::Unit(id) => {
                query.push(" AND ").push(unit).push(".id = ").bind(id.0);
            }
        }
        Ok(())
    }
}
