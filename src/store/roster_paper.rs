//! The people of a unit with their numbers in the clear, for annex 2 on paper.

use jiff::civil::Date;
use serde_json::json;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

use super::bulk::Statement;
use super::row::Columns;
use super::volunteer::place;
use super::{Reader, StoreError, Tx, UnitId};

/// A person of annex 2.
#[derive(Clone, PartialEq, Eq)]
pub struct RosterPerson {
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// GB/T 2261.1.
    pub sex: u8,
    /// GB/T 3304; 0 if not told.
    pub ethnicity: u8,
    /// Date of birth.
    pub birth_date: Date,
    /// GB/T 4762, if known.
    pub political: Option<u8>,
    /// Identity number.
    pub identity: Zeroizing<String>,
    /// Mobile number.
    pub phone: Option<Zeroizing<String>>,
    /// Account name in the national system.
    pub user_name: Option<String>,
}

impl Reader {
    /// Up to `limit` people of a unit who have not left, by certificate number, after `after`.
    pub async fn roster_people(
        &mut self,
        unit: UnitId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RosterPerson>, StoreError> {
        let mut query = Statement::new(
            "SELECT id, number, name, sex, ethnicity, birth_date, political, identity_sealed, phone_sealed, user_name \
             FROM volunteer WHERE state = 'active' AND unit_id = ",
        );
        query.bind(unit.0).push(" AND number > ").bind(after);
        query.push(" ORDER BY number LIMIT ").bind(i64::from(limit));
        let rows = query.fetch_all(self).await?;
        rows.iter().map(|row| self.roster_person(row)).collect()
    }

    fn roster_person(&self, row: &AnyRow) -> Result<RosterPerson, StoreError> {
        let id = row.int(0)?;
        let open = |column, sealed| self.shared.sealer.open(place(column, id), sealed);
        Ok(RosterPerson {
            number: row.text(1)?,
            name: row.text(2)?,
            sex: row.number(3, "性别代码")?,
            ethnicity: row.number(4, "民族代码")?,
            birth_date: row.date(5)?,
            political: row.number_or_null(6, "政治面貌代码")?,
            identity: open("identity_sealed", row.bytes(7)?)?,
            phone: row.bytes_or_null(8)?.map(|sealed| open("phone_sealed", sealed)).transpose()?,
            user_name: row.text_or_null(9)?,
        })
    }
}

impl Tx {
    /// Notes that a unit's annex 2 was made with its numbers in the clear (`roster.print`).
    pub fn note_roster_printed(&mut self, unit: UnitId, people: usize, reason: &str) {
        self.audit("roster.print", format!("unit/{unit}"), json!({"people": people, "reason": reason}));
    }
}

impl std::fmt::Debug for RosterPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RosterPerson({})", self.number)
    }
}
