//! Finding volunteers: lists with filters, searches, possible duplicates. Every query here ends early by an index in its own
//! order (see migration 0006) and takes the caller's [`Reach`].

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

use crate::domain::application::ApplicationState;
use crate::domain::certificate::VolunteerState;

use super::bulk::Statement;
use super::row::{Columns, county_text};
use super::volunteer::place;
use super::{ApplicationId, Reach, Reader, StoreError, UnitId, VolunteerId};

/// Which volunteers a list shows; empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// Of this county's units.
    pub county: Option<u8>,
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// In this standing.
    pub state: Option<VolunteerState>,
    /// With this star, 0 for none.
    pub star: Option<u8>,
    /// By their card.
    pub card: Option<CardFilter>,
}

/// Which volunteers, by their card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardFilter {
    /// Active ones without a card that is live.
    Without,
    /// With a valid card that was never printed.
    Unprinted,
    /// With a valid card.
    Valid,
    /// With a suspended card.
    Suspended,
    /// With a card that ends between these moments.
    Ending {
        /// From here.
        from: Timestamp,
        /// Up to here, excluded.
        to: Timestamp,
    },
    /// With a card that ended before this moment and was not replaced.
    Ended {
        /// The present.
        by: Timestamp,
    },
}

/// How a volunteer stands with cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No live card.
    None,
    /// A valid one.
    Valid {
        /// When it ends.
        expires_at: Timestamp,
        /// Whether it was printed.
        printed: bool,
    },
    /// A suspended one.
    Suspended,
}

/// A line of a list or search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonLine {
    /// Key.
    pub id: VolunteerId,
    /// Certificate number, ten digits.
    pub number: String,
    /// Name.
    pub name: String,
    /// GB/T 2261.1.
    pub sex: u8,
    /// Date of birth.
    pub birth_date: Date,
    /// Unit.
    pub unit: UnitId,
    /// Name of the unit.
    pub unit_name: String,
    /// County of the unit.
    pub county: u8,
    /// Standing.
    pub state: VolunteerState,
    /// Star certified last.
    pub star: u8,
    /// Whether merged into another.
    pub merged: bool,
    /// Card.
    pub card: Standing,
}

/// A place in the order of a list: by county and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceInList {
    /// County.
    pub county: u8,
    /// Certificate number.
    pub number: String,
}

/// A place in the order of names: by name, birth date and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameCursor {
    /// Name.
    pub name: String,
    /// Date of birth.
    pub birth_date: Date,
    /// Certificate number; empty for all of that name and date.
    pub number: String,
}

/// Volunteers who may be one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateGroup {
    /// Who.
    pub people: Vec<PersonLine>,
}

/// Members of a group of possible duplicates that are shown.
const GROUP: u32 = 12;

const COLUMNS: &str = "v.id, v.number, v.name, v.sex, v.birth_date, v.unit_id, v.county, v.state, v.star, v.merged_into, \
                       v.card, v.card_expires_at, v.card_stage";

impl PersonLine {
    /// Where the next page of a list goes on.
    pub fn place(&self) -> PlaceInList {
        PlaceInList { county: self.county, number: self.number.clone() }
    }

    /// Where the next page of a search by name goes on.
    pub fn by_name(&self) -> NameCursor {
        NameCursor { name: self.name.clone(), birth_date: self.birth_date, number: self.number.clone() }
    }
}

impl Reader {
    /// Up to `limit` volunteers by county and number, after the place `after`.
    pub async fn people(
        &mut self,
        reach: Reach,
        filter: &PeopleFilter,
        after: Option<&PlaceInList>,
        limit: u32,
    ) -> Result<Vec<PersonLine>, StoreError> {
        let mut query = chosen();
        narrow(&mut query, reach, filter)?;
        // Within one unit the index by unit and number gives the order.
        let one_unit = filter.unit.is_some() || matches!(reach, Reach::Unit(_));
        if let Some(after) = after {
            match one_unit {
                true => query.push(" AND v.number > ").bind(after.number.as_str()),
                false => query
                    .push(" AND (v.county, v.number) > (")
                    .bind(county_text(after.county)?)
                    .push(", ")
                    .bind(after.number.as_str())
                    .push(")"),
            };
        }
        let order = if one_unit { " ORDER BY v.number LIMIT " } else { " ORDER BY v.county, v.number LIMIT " };
        query.push(order).bind(i64::from(limit));
        let outer = if one_unit { " ORDER BY v.number" } else { " ORDER BY v.county, v.number" };
        self.lines(query, outer).await
    }

    /// How many there are, counted up to `most`.
    pub async fn people_count(&mut self, reach: Reach, filter: &PeopleFilter, most: u32) -> Result<u32, StoreError> {
        let mut query = Statement::new("SELECT count(*) FROM (SELECT 1 FROM volunteer v WHERE 1 = 1");
        narrow(&mut query, reach, filter)?;
        query.push(" LIMIT ").bind(i64::from(most)).push(") AS counted");
        query.fetch_optional(self).await?.map_or(Ok(0), |row| row.number(0, "计数"))
    }

    /// Up to `limit` volunteers whose name begins with `prefix`, by name and birth date, after the place `after`.
    pub async fn people_by_name(
        &mut self,
        reach: Reach,
        prefix: &str,
        after: Option<&NameCursor>,
        limit: u32,
    ) -> Result<Vec<PersonLine>, StoreError> {
        let mut query = chosen();
        narrow(&mut query, reach, &PeopleFilter::default())?;
        query.push(" AND v.name >= ").bind(prefix).push(" AND v.name < ").bind(format!("{prefix}{}", char::MAX));
        if let Some(after) = after {
            query.push(" AND (v.name, v.birth_date, v.number) > (").bind(after.name.as_str()).push(", ");
            query.bind(after.birth_date.to_string()).push(", ").bind(after.number.as_str()).push(")");
        }
        query.push(" ORDER BY v.name, v.birth_date, v.number LIMIT ").bind(i64::from(limit));
        self.lines(query, " ORDER BY v.name, v.birth_date, v.number").await
    }

    /// Up to `limit` volunteers whose certificate number begins with these digits, by number.
    pub async fn people_numbered(
        &mut self,
        reach: Reach,
        digits: &str,
        limit: u32,
    ) -> Result<Vec<PersonLine>, StoreError> {
        let mut query = chosen();
        narrow(&mut query, reach, &PeopleFilter::default())?;
        query.push(" AND v.number >= ").bind(digits).push(" AND v.number <= ").bind(format!("{digits:9<10}"));
        query.push(" ORDER BY v.number LIMIT ").bind(i64::from(limit));
        self.lines(query, " ORDER BY v.number").await
    }

    /// Up to `limit` volunteers with this telephone number (normalised), by number.
    pub async fn people_by_phone(
        &mut self,
        reach: Reach,
        phone: &str,
        limit: u32,
    ) -> Result<Vec<PersonLine>, StoreError> {
        let index = self.shared.sealer.blind("phone", phone);
        let mut query = chosen();
        narrow(&mut query, reach, &PeopleFilter::default())?;
        query.push(" AND v.phone_index = ").bind(&index[..]);
        query.push(" ORDER BY v.number LIMIT ").bind(i64::from(limit));
        self.lines(query, " ORDER BY v.number").await
    }

    /// The volunteer with this identity number (normalised).
    pub async fn person_by_identity(&mut self, reach: Reach, identity: &str) -> Result<Option<PersonLine>, StoreError> {
        let index = self.shared.sealer.blind("identity", identity);
        let mut query = chosen();
        narrow(&mut query, reach, &PeopleFilter::default())?;
        query.push(" AND v.identity_index = ").bind(&index[..]);
        Ok(self.lines(query, "").await?.pop())
    }

    /// Those who were merged into this volunteer, by number.
    pub async fn merged_into(&mut self, id: VolunteerId) -> Result<Vec<PersonLine>, StoreError> {
        let mut query = chosen();
        query.push(" AND v.merged_into = ").bind(id.0);
        self.lines(query, " ORDER BY v.number").await
    }

    /// The registration forms that this volunteer came from, newest first: key, state, when it last changed.
    pub async fn forms_of(
        &mut self,
        id: VolunteerId,
    ) -> Result<Vec<(ApplicationId, ApplicationState, Timestamp)>, StoreError> {
        let mut query = Statement::new("SELECT id, state, changed_at FROM application WHERE volunteer_id = ");
        query.bind(id.0).push(" ORDER BY id DESC LIMIT 20");
        let rows = query.fetch_all(self).await?;
        let missing = || StoreError::BadValue { what: "登记表状态" };
        rows.iter()
            .map(|row| {
                let state = ApplicationState::parse(row.str(1)?).ok_or_else(missing)?;
                Ok((ApplicationId(row.int(0)?), state, row.moment(2)?))
            })
            .collect()
    }

    /// Up to `limit` units whose name contains `text`, with their county, by name.
    pub async fn units_containing(
        &mut self,
        reach: Reach,
        text: &str,
        limit: u32,
    ) -> Result<Vec<(UnitId, u8, String)>, StoreError> {
        let pattern = format!("%{}%", text.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
        let mut query = Statement::new("SELECT u.id, u.county, u.name FROM unit u WHERE u.name LIKE ");
        query.bind(pattern).push(" ESCAPE '!'");
        reach.narrow(&mut query, "u")?;
        query.push(" ORDER BY u.name, u.id LIMIT ").bind(i64::from(limit));
        let rows = query.fetch_all(self).await?;
        rows.iter().map(|row| Ok((UnitId(row.int(0)?), row.county(1)?, row.text(2)?))).collect()
    }

    /// For each of these volunteers the identity and telephone numbers, opened, in the order asked; none for a volunteer
    /// that is not there.
    #[allow(clippy::type_complexity, reason = "two values a person, used in one place")]
    pub async fn identities_and_phones(
        &mut self,
        ids: &[VolunteerId],
    ) -> Result<Vec<Option<(Zeroizing<String>, Option<Zeroizing<String>>)>>, StoreError> {
        let select = "SELECT id, identity_sealed, phone_sealed FROM volunteer WHERE id";
        let rows = self.select_in(select, ids, "", |values, id| values.push(id.0)).await?;
        let mut found = std::collections::HashMap::with_capacity(rows.len());
        for row in &rows {
            let id = row.int(0)?;
            let identity = self.shared.sealer.open(place("identity_sealed", id), row.bytes(1)?)?;
            let phone = match row.bytes_or_null(2)? {
                Some(sealed) => Some(self.shared.sealer.open(place("phone_sealed", id), sealed)?),
                None => None,
            };
            found.insert(id, (identity, phone));
        }
        Ok(ids.iter().map(|id| found.remove(&id.0)).collect())
    }

    /// Groups of active volunteers of the same name and birth date, in that order, after the place `after`. It looks at
    /// `scanned` volunteers at most and returns where it stopped; none when everybody was looked at.
    pub async fn same_name_and_birth(
        &mut self,
        after: Option<&NameCursor>,
        scanned: u32,
        groups: u32,
    ) -> Result<(Vec<DuplicateGroup>, Option<NameCursor>), StoreError> {
        let stop = self.stop_of_names(after, scanned).await?;
        let mut query = Statement::new("SELECT v.name, v.birth_date FROM volunteer v WHERE 1 = 1");
        if let Some(after) = after {
            query.push(" AND (v.name, v.birth_date) > (").bind(after.name.as_str()).push(", ");
            query.bind(after.birth_date.to_string()).push(")");
        }
        if let Some(stop) = &stop {
            query.push(" AND (v.name, v.birth_date) <= (").bind(stop.name.as_str()).push(", ");
            query.bind(stop.birth_date.to_string()).push(")");
        }
        query.push(" GROUP BY v.name, v.birth_date HAVING count(*) > 1 ORDER BY v.name, v.birth_date LIMIT ");
        query.bind(i64::from(groups));
        let mut found = Vec::new();
        let mut last = None;
        let rows = query.fetch_all(self).await?;
        for row in &rows {
            let (name, birth_date) = (row.text(0)?, row.date(1)?);
            let mut members = chosen();
            members.push(" AND v.name = ").bind(name.as_str()).push(" AND v.birth_date = ");
            members.bind(birth_date.to_string()).push(" AND v.merged_into IS NULL ORDER BY v.number LIMIT ");
            members.bind(i64::from(GROUP));
            let people = self.lines(members, " ORDER BY v.number").await?;
            if people.len() > 1 {
                found.push(DuplicateGroup { people });
            }
            last = Some(NameCursor { name, birth_date, number: String::new() });
        }
        let next = if rows.len() == groups as usize { last } else { stop };
        Ok((found, next))
    }

    /// Groups of volunteers with the same telephone number, after the group of the volunteer with the number `after`. As
    /// [`Self::same_name_and_birth`]; the place where it stopped is a certificate number of the last group looked at.
    pub async fn same_phone(
        &mut self,
        after: Option<&str>,
        scanned: u32,
        groups: u32,
    ) -> Result<(Vec<DuplicateGroup>, Option<String>), StoreError> {
        let from: Vec<u8> = match after {
            None => Vec::new(),
            Some(number) => {
                let mut query = Statement::new("SELECT phone_index FROM volunteer WHERE number = ");
                query.bind(number);
                let row = query.fetch_optional(self).await?;
                row.as_ref().and_then(|row| row.bytes_or_null(0).transpose()).transpose()?.unwrap_or_default().to_vec()
            }
        };
        let mut query = Statement::new("SELECT phone_index FROM volunteer WHERE phone_index IS NOT NULL");
        query.push(" AND phone_index > ").bind(from.clone()).push(" ORDER BY phone_index LIMIT 1 OFFSET ");
        query.bind(i64::from(scanned));
        let stop = match query.fetch_optional(self).await? {
            Some(row) => Some(row.bytes(0)?.to_vec()),
            None => None,
        };
        let mut query = Statement::new(
            "SELECT phone_index, min(number) FROM volunteer WHERE phone_index IS NOT NULL AND phone_index > ",
        );
        query.bind(from);
        if let Some(stop) = &stop {
            query.push(" AND phone_index <= ").bind(stop.clone());
        }
        query.push(" GROUP BY phone_index HAVING count(*) > 1 ORDER BY phone_index LIMIT ").bind(i64::from(groups));
        let rows = query.fetch_all(self).await?;
        let (mut found, mut last) = (Vec::new(), None);
        for row in &rows {
            let mut members = chosen();
            members.push(" AND v.phone_index = ").bind(row.bytes(0)?.to_vec()).push(" ORDER BY v.number LIMIT ");
            members.bind(i64::from(GROUP));
            let people = self.lines(members, " ORDER BY v.number").await?;
            if people.len() > 1 {
                found.push(DuplicateGroup { people });
            }
            last = Some(row.text(1)?);
        }
        if rows.len() == groups as usize {
            return Ok((found, last));
        }
        let Some(stop) = stop else { return Ok((found, None)) };
        let mut query = Statement::new("SELECT min(number) FROM volunteer WHERE phone_index = ");
        query.bind(stop);
        let number = query.fetch_optional(self).await?.map(|row| row.text_or_null(0)).transpose()?.flatten();
        Ok((found, number))
    }

    /// The name and birth date so many volunteers further on; none if there are fewer.
    async fn stop_of_names(
        &mut self,
        after: Option<&NameCursor>,
        scanned: u32,
    ) -> Result<Option<NameCursor>, StoreError> {
        let mut query = Statement::new("SELECT v.name, v.birth_date FROM volunteer v WHERE 1 = 1");
        if let Some(after) = after {
            query.push(" AND (v.name, v.birth_date) > (").bind(after.name.as_str()).push(", ");
            query.bind(after.birth_date.to_string()).push(")");
        }
        // A bounded stretch of the index, not a page: nothing is shown and skipped.
        query.push(" ORDER BY v.name, v.birth_date LIMIT 1 OFFSET ").bind(i64::from(scanned));
        let Some(row) = query.fetch_optional(self).await? else { return Ok(None) };
        Ok(Some(NameCursor { name: row.text(0)?, birth_date: row.date(1)?, number: String::new() }))
    }

    /// Runs a statement begun by [`chosen`] and adds the units' names. The inner statement is bounded, so the units are
    /// looked up one by one and the planner cannot turn it round.
    async fn lines(&mut self, query: Statement, order: &'static str) -> Result<Vec<PersonLine>, StoreError> {
        let mut query = query;
        query.push(") AS v JOIN unit u ON u.id = v.unit_id").push(order);
        query.fetch_all(self).await?.iter().map(line).collect()
    }
}

/// The beginning of a statement that [`Reader::lines`] ends.
fn chosen() -> Statement {
    let mut query = Statement::new(
        "SELECT v.id, v.number, v.name, v.sex, v.birth_date, v.unit_id, u.name, v.county, v.state, v.star, \
         v.merged_into, v.card, v.card_expires_at, v.card_stage FROM (SELECT ",
    );
    query.push(COLUMNS).push(" FROM volunteer v WHERE 1 = 1");
    query
}

/// The filters. Words that decide about partial indexes stand in the statement itself.
fn narrow(query: &mut Statement, reach: Reach, filter: &PeopleFilter) -> Result<(), StoreError> {
    match reach {
        Reach::Everything => {}
        Reach::County(county) => {
            query.push(" AND v.county = ").bind(county_text(county)?);
        }
        Reach::Unit(unit) => {
            query.push(" AND v.unit_id = ").bind(unit.0);
        }
    }
    if let Some(county) = filter.county {
        query.push(" AND v.county = ").bind(county_text(county)?);
    }
    if let Some(unit) = filter.unit {
        query.push(" AND v.unit_id = ").bind(unit.0);
    }
    match filter.state {
        None => {}
        Some(VolunteerState::Active) => {
            query.push(" AND v.state = 'active'");
        }
        Some(VolunteerState::Exited) => {
            query.push(" AND v.state = 'exited'");
        }
    }
    if let Some(star) = filter.star {
        if star > 0 {
            query.push(" AND v.star > 0");
        }
        query.push(" AND v.star = ").bind(i64::from(star));
    }
    match filter.card {
        None => {}
        Some(CardFilter::Without) => {
            query.push(" AND v.card = 'none' AND v.state = 'active'");
        }
        Some(CardFilter::Unprinted) => {
            query.push(" AND v.card = 'valid' AND v.card_stage = 0");
        }
        Some(CardFilter::Valid) => {
            query.push(" AND v.card = 'valid'");
        }
        Some(CardFilter::Suspended) => {
            query.push(" AND v.card = 'suspended'");
        }
        Some(CardFilter::Ending { from, to }) => {
            query.push(" AND v.card = 'valid' AND v.card_expires_at >= ").bind(from.as_second());
            query.push(" AND v.card_expires_at < ").bind(to.as_second());
        }
        Some(CardFilter::Ended { by }) => {
            query.push(" AND v.card = 'valid' AND v.card_expires_at < ").bind(by.as_second());
        }
    }
    Ok(())
}

fn line(row: &AnyRow) -> Result<PersonLine, StoreError> {
    let card = match row.str(11)? {
        "none" => Standing::None,
        "suspended" => Standing::Suspended,
        "valid" => {
            let expires_at = row.moment_or_null(12)?.ok_or(StoreError::BadValue { what: "证件有效期" })?;
            Standing::Valid { expires_at, printed: row.yes(13)? }
        }
        _ => return Err(StoreError::BadValue { what: "证件状态" }),
    };
    Ok(PersonLine {
        id: VolunteerId(row.int(0)?),
        number: row.text(1)?,
        name: row.text(2)?,
        sex: row.number(3, "性别代码")?,
        birth_date: row.date(4)?,
        unit: UnitId(row.int(5)?),
        unit_name: row.text(6)?,
        county: row.county(7)?,
        state: VolunteerState::parse(row.str(8)?)?,
        star: row.number(9, "星级")?,
        merged: row.int_or_null(10)?.is_some(),
        card,
    })
}
