//! Statements over many rows, and statements put together at run time.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, Arguments, AssertSqlSafe, Encode, Type};

use super::dialect::Dialect;
use super::{Reader, StoreError};

/// Rows of one multi-row insert. More gain nothing measurable on either database.
const ROWS: usize = 500;
/// Values of one `IN` list.
const LISTED: usize = 1_000;

/// A table and the columns that are filled, in the order in which values are pushed.
pub(super) struct Insert {
    pub table: &'static str,
    pub columns: &'static [&'static str],
    /// Columns that have the same value in every row; it stands in the statement and need not be bound for each.
    pub fixed: &'static [&'static str],
    /// What stands after the values; empty for none.
    pub conflict: &'static str,
    /// Whether a refused row may leave the statement half done, because the transaction is lost then anyway.
    pub may_stop_halfway: bool,
}

impl Insert {
    /// Rows a statement, within what the database lets us bind.
    pub fn rows(&self, dialect: Dialect) -> usize {
        ROWS.min(dialect.bind_limit() / self.columns.len())
    }

    /// The statement for `rows` rows. `fixed` are the values of the fixed columns.
    pub fn sql(&self, dialect: Dialect, rows: usize, fixed: &[Fixed]) -> String {
        let names: Vec<&str> = self.columns.iter().chain(self.fixed).copied().collect();
        let verb = if self.may_stop_halfway { dialect.insert_all_or_fail() } else { "INSERT INTO" };
        let mut sql = format!("{verb} {} ({}) VALUES ", self.table, names.join(", "));
        let fixed: String = fixed.iter().map(Fixed::sql).collect();
        let mut place = 0;
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ",(" });
            for column in 0..self.columns.len() {
                if column > 0 {
                    sql.push(',');
                }
                place += 1;
                dialect.write_place(place, &mut sql);
            }
            sql.push_str(&fixed);
            sql.push(')');
        }
        sql.push(' ');
        sql.push_str(self.conflict);
        sql
    }
}

/// A value that stands in a statement itself: numbers and words of ours, no text from outside.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fixed {
    Null,
    Number(i64),
    Word(&'static str),
    /// A county's two digits.
    County(u8),
}

impl From<Option<i64>> for Fixed {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }
}

impl Fixed {
    fn sql(&self) -> String {
        match self {
            Self::Null => ",NULL".to_owned(),
            Self::Number(number) => format!(",{number}"),
            Self::Word(word) => format!(",'{word}'"),
            Self::County(county) => format!(",'{county:02}'"),
        }
    }
}

/// Values on their way into a statement.
#[derive(Default)]
pub(super) struct Values(AnyArguments);

impl Values {
    pub fn with_capacity(values: usize) -> Self {
        let mut arguments = AnyArguments::default();
        arguments.reserve(values, 0);
        Self(arguments)
    }

    pub fn push<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, value: T) {
        self.0.add(value).expect("integers, text and bytes always encode");
    }
}

/// A statement put together at run time, with its values. Only literal text goes in through [`Self::push`].
pub(super) struct Statement {
    sql: String,
    values: Values,
    places: usize,
}

impl Statement {
    pub fn new(sql: &'static str) -> Self {
        Self { sql: sql.to_owned(), values: Values::default(), places: 0 }
    }

    pub fn push(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Writes the next place and binds `value` to it.
    pub fn bind<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, value: T) -> &mut Self {
        self.places += 1;
        self.sql.push('$');
        self.sql.push_str(&self.places.to_string());
        self.values.push(value);
        self
    }

    pub async fn fetch_all(self, reader: &mut Reader) -> Result<Vec<AnyRow>, StoreError> {
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.values.0);
        Ok(query.fetch_all(reader.connection()).await?)
    }

    pub async fn fetch_optional(self, reader: &mut Reader) -> Result<Option<AnyRow>, StoreError> {
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.values.0);
        Ok(query.fetch_optional(reader.connection()).await?)
    }
}

impl Reader {
    /// Inserts `rows` in statements of many rows.
    pub(super) async fn insert_all<T>(
        &mut self,
        insert: &Insert,
        rows: &[T],
        mut write: impl FnMut(&mut Values, &T),
    ) -> Result<(), StoreError> {
        let dialect = self.shared.dialect;
        let size = insert.rows(dialect);
        let mut full = None;
        for chunk in rows.chunks(size) {
            let mut values = Values::with_capacity(chunk.len() * insert.columns.len());
            for row in chunk {
                write(&mut values, row);
            }
            if chunk.len() == size {
                let sql = full.get_or_insert_with(|| std::sync::Arc::<str>::from(insert.sql(dialect, size, &[])));
                self.insert_chunk(sql.clone(), values, true).await?;
            } else {
                self.insert_chunk(insert.sql(dialect, chunk.len(), &[]).into(), values, false).await?;
            }
        }
        Ok(())
    }

    /// Runs one prepared chunk; `keep` keeps the statement for the next one.
    pub(super) async fn insert_chunk(
        &mut self,
        sql: std::sync::Arc<str>,
        values: Values,
        keep: bool,
    ) -> Result<(), StoreError> {
        sqlx::query_with(AssertSqlSafe(sql), values.0).persistent(keep).execute(self.connection()).await?;
        Ok(())
    }

    /// Runs `before IN (…) after` over all of `listed`, a thousand at a time. `before` and `after` bind nothing.
    pub(super) async fn select_in<T>(
        &mut self,
        before: &'static str,
        listed: &[T],
        after: &'static str,
        push: impl FnMut(&mut Values, &T),
    ) -> Result<Vec<AnyRow>, StoreError> {
        self.select_in_with(before, &[], listed, after, push).await
    }

    /// As [`Self::select_in`], with text values `first` bound before the list. SQLite's anonymous places count in the
    /// order in which they stand, so `before` must hold `first.len()` places written by `{}`.
    pub(super) async fn select_in_with<T>(
        &mut self,
        before: &'static str,
        first: &[&str],
        listed: &[T],
        after: &'static str,
        mut push: impl FnMut(&mut Values, &T),
    ) -> Result<Vec<AnyRow>, StoreError> {
        let mut rows = Vec::new();
        for chunk in listed.chunks(LISTED) {
            let (sql, values) = self.in_statement(before, first, chunk, after, &mut push);
            let query = sqlx::query_with(AssertSqlSafe(sql), values.0).persistent(chunk.len() == LISTED);
            rows.append(&mut query.fetch_all(self.connection()).await?);
        }
        Ok(rows)
    }

    /// As [`Self::select_in_with`], for a change; returns how many rows changed.
    pub(super) async fn change_in_with<T>(
        &mut self,
        before: &'static str,
        first: &[&str],
        listed: &[T],
        after: &'static str,
        mut push: impl FnMut(&mut Values, &T),
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for chunk in listed.chunks(LISTED) {
            let (sql, values) = self.in_statement(before, first, chunk, after, &mut push);
            let query = sqlx::query_with(AssertSqlSafe(sql), values.0).persistent(chunk.len() == LISTED);
            changed += query.execute(self.connection()).await?.rows_affected();
        }
        Ok(changed)
    }

    fn in_statement<T>(
        &self,
        before: &'static str,
        first: &[&str],
        chunk: &[T],
        after: &'static str,
        push: &mut impl FnMut(&mut Values, &T),
    ) -> (String, Values) {
        let dialect = self.shared.dialect;
        let mut values = Values::default();
        let mut sql = String::with_capacity(before.len() + chunk.len() * 6 + after.len());
        let mut place = 0;
        for (i, part) in before.split("{}").enumerate() {
            if i > 0 {
                place += 1;
                dialect.write_place(place, &mut sql);
                values.push(first[i - 1]);
            }
            sql.push_str(part);
        }
        sql.push_str(" IN (");
        for (i, item) in chunk.iter().enumerate() {
            if i > 0 {
                sql.push(',');
            }
            place += 1;
            dialect.write_place(place, &mut sql);
            push(&mut values, item);
        }
        sql.push_str(") ");
        sql.push_str(after);
        (sql, values)
    }
}
