//! Volunteers: what is stored of them, and looking them up. `registration.rs` writes.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

use crate::domain::certificate::{CertificateState, VolunteerState};

use super::bulk::Statement;
use super::row::{Columns, county_text, id};
use super::sealed::Place;
use super::{ImportId, Reader, StoreError, UnitId};

id!(
    /// Key of a volunteer.
    VolunteerId
);

/// A volunteer to register. Personal data in the clear: they are sealed on the way in and this is dropped.
#[derive(Clone)]
pub struct NewVolunteer {
    /// Certificate number, ten digits, made of a serial from [`super::Tx::draw_serials`].
    pub number: String,
    /// Name as it goes on the card.
    pub name: String,
    /// GB/T 2261.1.
    pub sex: u8,
    /// GB/T 3304.
    pub ethnicity: u8,
    /// Date of birth.
    pub birth_date: Date,
    /// GB/T 4762, if given.
    pub political: Option<u8>,
    /// Unit.
    pub unit: UnitId,
    /// Identity number, normalised (GB 11643, upper-case X).
    pub identity: String,
    /// How to reach them.
    pub contact: Contact,
    /// Number in the national system, if registered there already.
    pub national_number: Option<String>,
}

/// Contact data, in the clear; erased when the volunteer leaves.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// Mobile number, normalised to its digits.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Account name in the national system (附件2's 用户名).
    pub user_name: Option<String>,
}

/// What is stored of a volunteer, without the sealed columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volunteer {
    /// Key.
    pub id: VolunteerId,
    /// Certificate number, ten digits.
    pub number: String,
    /// Name.
    pub name: String,
    /// GB/T 2261.1.
    pub sex: u8,
    /// GB/T 3304.
    pub ethnicity: u8,
    /// Date of birth.
    pub birth_date: Date,
    /// GB/T 4762, if known.
    pub political: Option<u8>,
    /// Unit.
    pub unit: UnitId,
    /// Name of the unit.
    pub unit_name: String,
    /// County of the unit, last two digits of its code.
    pub county: u8,
    /// Number in the national system.
    pub national_number: Option<String>,
    /// Standing.
    pub state: VolunteerState,
    /// Star certified last, 0 for none.
    pub star: u8,
    /// The import that brought them.
    pub import: Option<ImportId>,
    /// When registered.
    pub registered_at: Timestamp,
    /// When they left.
    pub exited_at: Option<Timestamp>,
    /// Account name in the national system.
    pub user_name: Option<String>,
    /// Counts changes by people, from 1.
    pub revision: i64,
    /// The volunteer they turned out to be: a duplicate, whose hours went there.
    pub merged_into: Option<VolunteerId>,
}

/// The sealed columns, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalData {
    /// Identity number.
    pub identity: Zeroizing<String>,
    /// Mobile number.
    pub phone: Option<Zeroizing<String>>,
    /// E-mail address.
    pub email: Option<Zeroizing<String>>,
    /// Postal address.
    pub address: Option<Zeroizing<String>>,
}

/// A volunteer found by identity number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVolunteer {
    /// Key.
    pub id: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: UnitId,
    /// Standing: one who left may be readmitted.
    pub state: VolunteerState,
}

/// Which volunteers a list shows; empty means all.
#[derive(Debug, Clone, Default)]
pub struct VolunteerFilter {
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// Of this county's units.
    pub county: Option<u8>,
    /// In this standing.
    pub state: Option<VolunteerState>,
    /// Of exactly this name.
    pub name: Option<String>,
}

/// A line of the list, with the one card that is live, or else the latest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolunteerLine {
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Name of the unit.
    pub unit: String,
    /// County of the unit.
    pub county: u8,
    /// Star certified last.
    pub star: u8,
    /// Standing.
    pub state: VolunteerState,
    /// The card.
    pub certificate: Option<CertificateLine>,
}

/// The card in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateLine {
    /// State.
    pub state: CertificateState,
    /// Star on it.
    pub star: u8,
    /// When issued.
    pub issued_at: Timestamp,
    /// Until when good.
    pub expires_at: Timestamp,
}

/// What became of an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitOutcome {
    /// They have left now.
    Exited,
    /// They had left before.
    AlreadyExited,
}

const SELECT: &str = "SELECT v.id, v.number, v.name, v.sex, v.ethnicity, v.birth_date, v.political, v.unit_id, u.name, \
                      u.county, v.national_number, v.state, v.star, v.import_id, v.registered_at, v.exited_at, \
                      v.user_name, v.revision, v.merged_into FROM volunteer v JOIN unit u ON u.id = v.unit_id";

impl Reader {
    /// The volunteer with this certificate number.
    pub async fn volunteer(&mut self, number: &str) -> Result<Option<Volunteer>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE v.number = ").bind(number);
        query.fetch_optional(self).await?.as_ref().map(volunteer).transpose()
    }

    /// The volunteer with this key.
    pub async fn volunteer_by_id(&mut self, id: VolunteerId) -> Result<Option<Volunteer>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE v.id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(volunteer).transpose()
    }

    /// The volunteer with this identity number (normalised).
    pub async fn volunteer_by_identity(&mut self, identity: &str) -> Result<Option<Volunteer>, StoreError> {
        let index = self.shared.sealer.blind("identity", identity);
        let mut query = Statement::new(SELECT);
        query.push(" WHERE v.identity_index = ").bind(&index[..]);
        query.fetch_optional(self).await?.as_ref().map(volunteer).transpose()
    }

    /// The volunteers with this mobile number (normalised); families share one.
    pub async fn volunteers_by_phone(&mut self, phone: &str) -> Result<Vec<Volunteer>, StoreError> {
        let index = self.shared.sealer.blind("phone", phone);
        let mut query = Statement::new(SELECT);
        query.push(" WHERE v.phone_index = ").bind(&index[..]).push(" ORDER BY v.number");
        query.fetch_all(self).await?.iter().map(volunteer).collect()
    }

    /// Opens the sealed columns of one volunteer.
    pub async fn personal_data(&mut self, id: VolunteerId) -> Result<Option<PersonalData>, StoreError> {
        let sql = "SELECT identity_sealed, phone_sealed, email_sealed, address_sealed FROM volunteer WHERE id = $1";
        let Some(row) = sqlx::query(sql).bind(id.0).fetch_optional(self.connection()).await? else { return Ok(None) };
        let open = |i, column| -> Result<Option<Zeroizing<String>>, StoreError> {
            let Some(sealed) = row.bytes_or_null(i)? else { return Ok(None) };
            Ok(Some(self.shared.sealer.open(place(column, id.0), sealed)?))
        };
        let identity = open(0, "identity_sealed")?.ok_or(StoreError::BadValue { what: "身份证号码" })?;
        let (phone, email) = (open(1, "phone_sealed")?, open(2, "email_sealed")?);
        Ok(Some(PersonalData { identity, phone, email, address: open(3, "address_sealed")? }))
    }

    /// Whether anybody was ever registered.
    pub async fn has_volunteers(&mut self) -> Result<bool, StoreError> {
        let first = sqlx::query("SELECT id FROM volunteer LIMIT 1").fetch_optional(self.connection()).await?;
        Ok(first.is_some())
    }

    /// For each identity number (normalised) the volunteer who has it, in the order asked.
    pub async fn known_by_identity(&mut self, identities: &[&str]) -> Result<Vec<Option<KnownVolunteer>>, StoreError> {
        if !self.has_volunteers().await? {
            return Ok(vec![None; identities.len()]);
        }
        let indexes: Vec<[u8; 32]> = {
            let shared = &*self.shared;
            spread(identities, |identity| shared.sealer.blind("identity", identity))
        };
        let select =
            "SELECT identity_index, id, number, name, unit_id, state, merged_into FROM volunteer WHERE identity_index";
        let rows = self.select_in(select, &indexes, "", |values, index| values.push(&index[..])).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let known = KnownVolunteer {
                id: VolunteerId(row.int(1)?),
                number: row.text(2)?,
                name: row.text(3)?,
                unit: UnitId(row.int(4)?),
                state: VolunteerState::parse(row.str(5)?)?,
            };
            let known = self.survivor(known, row.int_or_null(6)?).await?;
            found.insert(row.array::<32>(0, "身份证索引")?, known);
        }
        Ok(indexes.iter().map(|index| found.get(index).cloned()).collect())
    }

    /// For each certificate number the key, name and standing of its volunteer, in the order asked.
    pub async fn known_by_number(&mut self, numbers: &[&str]) -> Result<Vec<Option<KnownVolunteer>>, StoreError> {
        let select = "SELECT number, id, name, unit_id, state, merged_into FROM volunteer WHERE number";
        let rows = self.select_in(select, numbers, "", |values, number| values.push(*number)).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let known = KnownVolunteer {
                number: row.text(0)?,
                id: VolunteerId(row.int(1)?),
                name: row.text(2)?,
                unit: UnitId(row.int(3)?),
                state: VolunteerState::parse(row.str(4)?)?,
            };
            let asked = known.number.clone();
            let known = self.survivor(known, row.int_or_null(5)?).await?;
            found.insert(asked, known);
        }
        Ok(numbers.iter().map(|number| found.get(*number).cloned()).collect())
    }

    /// The volunteer a duplicate was merged into, through any number of merges, or the one given.
    async fn survivor(&mut self, known: KnownVolunteer, into: Option<i64>) -> Result<KnownVolunteer, StoreError> {
        let (mut known, mut into) = (known, into.map(VolunteerId));
        while let Some(id) = into {
            let next = self.volunteer_by_id(id).await?.ok_or(StoreError::NotFound { what: "志愿者" })?;
            into = next.merged_into;
            known = KnownVolunteer {
                id: next.id,
                number: next.number,
                name: next.name,
                unit: next.unit,
                state: next.state,
            };
        }
        Ok(known)
    }

    /// Up to `limit` lines by number, after the number `after`; go on with the last line's number.
    pub async fn volunteer_lines(
        &mut self,
        filter: &VolunteerFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<VolunteerLine>, StoreError> {
        // A new card needs the old one to be no longer live (a partial unique index), so the newest card is the live one
        // wherever there is one.
        let mut query = Statement::new(
            "SELECT v.number, v.name, u.name, u.county, v.star, v.state, c.state, c.star, c.issued_at, c.expires_at \
             FROM volunteer v JOIN unit u ON u.id = v.unit_id \
             LEFT JOIN certificate c ON c.id = (SELECT max(d.id) FROM certificate d WHERE d.volunteer_id = v.id) \
             WHERE v.number > ",
        );
        query.bind(after.unwrap_or_default());
        if let Some(unit) = filter.unit {
            query.push(" AND v.unit_id = ").bind(unit.0);
        }
        if let Some(county) = filter.county {
            query.push(" AND u.county = ").bind(county_text(county)?);
        }
        if let Some(state) = filter.state {
            query.push(" AND v.state = ").bind(state.as_str());
        }
        if let Some(name) = &filter.name {
            query.push(" AND v.name = ").bind(name.as_str());
        }
        query.push(" ORDER BY v.number LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(line).collect()
    }
}

pub(super) fn place(column: &'static str, row: i64) -> Place {
    Place { table: "volunteer", column, row }
}

/// Maps on all cores, in order, when there is enough to share out.
fn spread<T: Sync, U: Send>(items: &[T], map: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if items.len() < 2_000 || cores == 1 {
        return items.iter().map(map).collect();
    }
    let map = &map;
    std::thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(items.len().div_ceil(cores))
            .map(|part| scope.spawn(move || part.iter().map(map).collect::<Vec<U>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("the mapping does not panic")).collect()
    })
}

fn volunteer(row: &AnyRow) -> Result<Volunteer, StoreError> {
    Ok(Volunteer {
        id: VolunteerId(row.int(0)?),
        number: row.text(1)?,
        name: row.text(2)?,
        sex: row.number(3, "性别代码")?,
        ethnicity: row.number(4, "民族代码")?,
        birth_date: row.date(5)?,
        political: row.number_or_null(6, "政治面貌代码")?,
        unit: UnitId(row.int(7)?),
        unit_name: row.text(8)?,
        county: row.county(9)?,
        national_number: row.text_or_null(10)?,
        state: VolunteerState::parse(row.str(11)?)?,
        star: row.number(12, "星级")?,
        import: row.int_or_null(13)?.map(ImportId),
        registered_at: row.moment(14)?,
        exited_at: row.moment_or_null(15)?,
        user_name: row.text_or_null(16)?,
        revision: row.int(17)?,
        merged_into: row.int_or_null(18)?.map(VolunteerId),
    })
}

fn line(row: &AnyRow) -> Result<VolunteerLine, StoreError> {
    let certificate = match row.text_or_null(6)? {
        None => None,
        Some(state) => Some(CertificateLine {
            state: CertificateState::parse(&state)?,
            star: row.number(7, "星级")?,
            issued_at: row.moment(8)?,
            expires_at: row.moment(9)?,
        }),
    };
    Ok(VolunteerLine {
        number: row.text(0)?,
        name: row.text(1)?,
        unit: row.text(2)?,
        county: row.county(3)?,
        star: row.number(4, "星级")?,
        state: VolunteerState::parse(row.str(5)?)?,
        certificate,
    })
}

impl std::fmt::Debug for NewVolunteer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewVolunteer({})", self.number)
    }
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(…)")
    }
}

impl std::fmt::Debug for PersonalData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonalData(…)")
    }
}
