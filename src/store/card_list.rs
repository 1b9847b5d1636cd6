//! Whose cards: choices as they stand now, and lists that were frozen for a step.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::certificate::{CertificateState, VolunteerState};
use crate::domain::choice::{CardChoice, ListDetail};

use super::bulk::Statement;
use super::row::{Columns, county_text};
use super::{CertificateId, KeyState, Reach, Reader, StoreError, Tx, UnitId, VolunteerId};

/// A card counts as expiring so long before its end.
const EXPIRING: SignedDuration = SignedDuration::from_hours(60 * 24);

/// A volunteer with the card that is live now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Volunteer.
    pub volunteer: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Key of the unit.
    pub unit: UnitId,
    /// Name of the unit.
    pub unit_name: String,
    /// County of the unit.
    pub county: u8,
    /// Star certified last.
    pub star: u8,
    /// Standing.
    pub state: VolunteerState,
    /// Whether there is a photo.
    pub photo: bool,
    /// The live card.
    pub card: Option<ChosenCard>,
}

/// The live card of somebody chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenCard {
    /// Card.
    pub id: CertificateId,
    /// Valid or suspended.
    pub state: CertificateState,
    /// Star on it.
    pub star: u8,
    /// When issued.
    pub issued_at: Timestamp,
    /// Until when good.
    pub expires_at: Timestamp,
    /// 0 issued, 1 printed, 2 handed out.
    pub stage: u8,
    /// When first printed.
    pub printed_at: Option<Timestamp>,
    /// Standing of its key.
    pub key_state: KeyState,
}

/// A choice, narrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChoiceFilter {
    /// Whose cards.
    pub choice: CardChoice,
    /// Of this unit only.
    pub unit: Option<UnitId>,
    /// Within this reach.
    pub reach: Reach,
    /// The present moment.
    pub now: Timestamp,
}

/// The order of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Card,
    Number,
    Expiry,
    County,
}

/// Where a page of a choice goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoiceCursor {
    /// After this card's key.
    Key(i64),
    /// After this expiry (seconds) and volunteer.
    Expiry(i64, i64),
    /// After this number of this county.
    Number(u8, String),
}

/// A frozen list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardList {
    /// Key.
    pub id: i64,
    /// Account of whoever made it.
    pub staff: i64,
    /// What it was chosen by, in words.
    pub title: String,
    /// What was found.
    pub detail: ListDetail,
    /// How many.
    pub people: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// The review that was asked for about it.
    pub review: Option<i64>,
}

/// One entry of a list: a volunteer and the card that was live then.
pub type ListEntry = (VolunteerId, Option<CertificateId>);

/// What [`chosen`] reads; macros, so that statements of fixed text can be put together from them.
macro_rules! columns {
    () => {
        "SELECT v.id, v.number, v.name, v.unit_id, u.name, u.county, v.star, v.state, p.added_at, c.id, c.state, c.star, \
         c.issued_at, c.expires_at, c.stage, c.printed_at, k.state"
    };
}

/// What belongs to a volunteer, the live card where there is one.
macro_rules! joined {
    () => {
        " JOIN unit u ON u.id = v.unit_id \
         LEFT JOIN certificate c ON c.volunteer_id = v.id AND c.state IN ('valid', 'suspended') \
         LEFT JOIN signing_key k ON k.id = c.key_id LEFT JOIN photo p ON p.volunteer_id = v.id"
    };
}

/// Everybody.
macro_rules! from_people {
    () => {
        concat!(" FROM volunteer v", joined!())
    };
}

const COLUMNS: &str = columns!();
const FROM_PEOPLE: &str = from_people!();

impl Chosen {
    /// Where the next page of a choice goes on after this one.
    pub fn cursor(&self, filter: &ChoiceFilter) -> ChoiceCursor {
        match (&self.card, filter.order()) {
            (Some(card), Order::Expiry) => ChoiceCursor::Expiry(card.expires_at.as_second(), self.volunteer.0),
            (Some(card), Order::Card) => ChoiceCursor::Key(card.id.0),
            _ => ChoiceCursor::Number(self.county, self.number.clone()),
        }
    }
}

impl ChoiceFilter {
    /// The order of the choice's list, which an index has: so that a page, or a count up to a bound, reads no further than
    /// it must.
    fn order(&self) -> Order {
        match self.choice {
            CardChoice::Key => Order::Card,
            _ if self.unit.is_some() || matches!(self.reach, Reach::Unit(_)) => Order::Number,
            CardChoice::Expiring => Order::Expiry,
            _ => Order::County,
        }
    }
}

impl Order {
    fn sql(self) -> &'static str {
        match self {
            Self::Card => " ORDER BY c.id",
            Self::Number => " ORDER BY v.number",
            Self::Expiry => " ORDER BY v.card_expires_at, v.id",
            Self::County => " ORDER BY v.county, v.number",
        }
    }
}

impl ChoiceCursor {
    /// As it stands in an address.
    pub fn text(&self) -> String {
        match self {
            Self::Key(key) => format!("k{key}"),
            Self::Expiry(seconds, key) => format!("e{seconds}-{key}"),
            Self::Number(county, number) => format!("n{county:02}{number}"),
        }
    }

    /// Reads [`Self::text`].
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_at_checked(1)?;
        match kind {
            "k" => rest.parse().ok().map(Self::Key),
            "e" => {
                let (seconds, key) = rest.split_once('-')?;
                Some(Self::Expiry(seconds.parse().ok()?, key.parse().ok()?))
            }
            "n" if rest.len() == 12 && rest.bytes().all(|b| b.is_ascii_digit()) => {
                let (county, number) = rest.split_at(2);
                Some(Self::Number(county.parse().ok()?, number.into()))
            }
            _ => None,
        }
    }
}

impl Reader {
    /// Up to `limit` of a choice after the place `after`: by county and number; [`CardChoice::Expiring`] by expiry first but
    /// for a unit's, [`CardChoice::Key`] in the order in which the cards were issued.
    pub async fn chosen(
        &mut self,
        filter: &ChoiceFilter,
        after: Option<&ChoiceCursor>,
        limit: u32,
    ) -> Result<Vec<Chosen>, StoreError> {
        let Some(distrusted) = self.distrusted(filter.choice).await? else { return Ok(Vec::new()) };
        // What a line shows beside is looked up for the page's lines only.
        let mut query = Statement::new(COLUMNS);
        query.push(" FROM (SELECT v.id, v.number, v.name, v.unit_id, v.county, v.star, v.state, v.card_expires_at");
        condition(&mut query, filter, &distrusted)?;
        match (after, filter.order()) {
            (Some(ChoiceCursor::Number(_, number)), Order::Number) => {
                query.push(" AND v.number > ").bind(number.as_str());
            }
            (Some(ChoiceCursor::Number(county, number)), Order::County) => {
                query.push(" AND (v.county, v.number) > (").bind(county_text(*county)?);
                query.push(", ").bind(number.as_str()).push(")");
            }
            (Some(ChoiceCursor::Expiry(seconds, key)), Order::Expiry) => {
                query.push(" AND (v.card_expires_at, v.id) > (").bind(*seconds).push(", ").bind(*key).push(")");
            }
            (Some(ChoiceCursor::Key(key)), Order::Card) => {
                query.push(" AND c.id > ").bind(*key);
            }
            _ => {}
        }
        query.push(filter.order().sql()).push(" LIMIT ").bind(i64::from(limit)).push(") v").push(joined!());
        query.push(filter.order().sql());
        query.fetch_all(self).await?.iter().map(chosen).collect()
    }

    /// How many a choice has, counted up to `cap` + 1.
    pub async fn chosen_count(&mut self, filter: &ChoiceFilter, cap: u32) -> Result<u64, StoreError> {
        let Some(distrusted) = self.distrusted(filter.choice).await? else { return Ok(0) };
        let mut query = Statement::new("SELECT count(*) FROM (SELECT 1 AS one");
        condition(&mut query, filter, &distrusted)?;
        query.push(filter.order().sql()).push(" LIMIT ").bind(i64::from(cap) + 1).push(") counted");
        query.fetch_optional(self).await?.map_or(Ok(0), |row| row.number(0, "计数"))
    }

    /// A choice as a whole, up to `limit`, by unit and number.
    pub async fn chosen_all(&mut self, filter: &ChoiceFilter, limit: u32) -> Result<Vec<Chosen>, StoreError> {
        let Some(distrusted) = self.distrusted(filter.choice).await? else { return Ok(Vec::new()) };
        let mut query = Statement::new(COLUMNS);
        query.push(" FROM (SELECT v.id, v.number, v.name, v.unit_id, v.county, v.star, v.state");
        condition(&mut query, filter, &distrusted)?;
        query.push(" ORDER BY v.unit_id, v.number LIMIT ").bind(i64::from(limit)).push(") v").push(joined!());
        query.push(" ORDER BY v.unit_id, v.number");
        query.fetch_all(self).await?.iter().map(chosen).collect()
    }

    /// The keys that are no longer trusted; none, without a look at any card, when the choice is about their cards and
    /// there are no such keys.
    async fn distrusted(&mut self, choice: CardChoice) -> Result<Option<Vec<i64>>, StoreError> {
        if choice != CardChoice::Key {
            return Ok(Some(Vec::new()));
        }
        let sql = "SELECT id FROM signing_key WHERE state = 'compromised'";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        let keys: Vec<i64> = rows.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?;
        Ok((!keys.is_empty()).then_some(keys))
    }

    /// These volunteers with their live cards, in the order asked; those who do not exist are left out.
    pub async fn chosen_by_key(&mut self, volunteers: &[VolunteerId]) -> Result<Vec<Chosen>, StoreError> {
        let select = concat!(columns!(), from_people!(), " WHERE v.id");
        let rows = self.select_in(select, volunteers, "", |values, id| values.push(id.0)).await?;
        let mut found = std::collections::HashMap::with_capacity(rows.len());
        for row in &rows {
            let one = chosen(row)?;
            found.insert(one.volunteer, one);
        }
        Ok(volunteers.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// The volunteers of these numbers with their live cards, by unit and number.
    pub async fn chosen_by_number(&mut self, numbers: &[&str]) -> Result<Vec<Chosen>, StoreError> {
        let select = concat!(columns!(), from_people!(), " WHERE v.number");
        let rows = self.select_in(select, numbers, "", |values, number| values.push(*number)).await?;
        let mut found = rows.iter().map(chosen).collect::<Result<Vec<_>, _>>()?;
        found.sort_by(|a, b| (a.unit, &a.number).cmp(&(b.unit, &b.number)));
        Ok(found)
    }

    /// The volunteers of exactly this name within reach, by number.
    pub async fn chosen_by_name(&mut self, name: &str, reach: Reach, limit: u32) -> Result<Vec<Chosen>, StoreError> {
        let mut query = Statement::new(COLUMNS);
        query.push(FROM_PEOPLE).push(" WHERE v.name = ").bind(name);
        reach.narrow(&mut query, "u")?;
        query.push(" ORDER BY v.number LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(chosen).collect()
    }

    /// A frozen list.
    pub async fn card_list(&mut self, id: i64) -> Result<Option<CardList>, StoreError> {
        let sql = "SELECT id, staff_id, title, detail, people, made_at, review_id FROM card_list WHERE id = $1";
        let Some(row) = sqlx::query(sql).bind(id).fetch_optional(self.connection()).await? else { return Ok(None) };
        Ok(Some(CardList {
            id: row.int(0)?,
            staff: row.int(1)?,
            title: row.text(2)?,
            detail: serde_json::from_str(row.str(3)?).map_err(|_| StoreError::BadValue { what: "名单" })?,
            people: row.number(4, "计数")?,
            made_at: row.moment(5)?,
            review: row.int_or_null(6)?,
        }))
    }

    /// Everybody on a frozen list, in order.
    pub async fn list_entries(&mut self, id: i64) -> Result<Vec<ListEntry>, StoreError> {
        let query = sqlx::query("SELECT body FROM card_list WHERE id = $1").bind(id);
        let row = query.fetch_optional(self.connection()).await?.ok_or(StoreError::NotFound { what: "名单" })?;
        let key = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes);
        row.bytes(0)?
            .chunks(16)
            .map(|entry| {
                let (volunteer, card) = entry.split_at_checked(8).ok_or(StoreError::BadValue { what: "名单" })?;
                let volunteer = key(volunteer).map_err(|_| StoreError::BadValue { what: "名单" })?;
                let card = key(card).map_err(|_| StoreError::BadValue { what: "名单" })?;
                Ok((VolunteerId(volunteer), (card != 0).then_some(CertificateId(card))))
            })
            .collect()
    }
}

impl Tx {
    /// Freezes a list (`card_list.make`) and returns its key.
    pub async fn insert_card_list(
        &mut self,
        staff: i64,
        title: &str,
        detail: &ListDetail,
        entries: &[ListEntry],
    ) -> Result<i64, StoreError> {
        let id = self.draw_one("card_list").await?;
        let mut body = Vec::with_capacity(entries.len() * 16);
        for (volunteer, card) in entries {
            body.extend(volunteer.0.to_be_bytes());
            body.extend(card.map_or(0, |card| card.0).to_be_bytes());
        }
        let people = i64::try_from(entries.len()).map_err(|_| StoreError::BadValue { what: "计数" })?;
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO card_list (id, staff_id, source, title, people, detail, made_at, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id)
        .bind(staff)
        .bind(&detail.choice)
        .bind(title)
        .bind(people)
        .bind(serde_json::to_string(detail).map_err(|_| StoreError::BadValue { what: "名单" })?)
        .bind(now)
        .bind(body)
        .execute(self.connection())
        .await?;
        self.audit("card_list.make", format!("card_list/{id}"), json!({"people": people, "choice": detail.choice}));
        Ok(id)
    }

    /// Notes which review was asked for about a list; false if there was one already.
    pub async fn set_list_review(&mut self, id: i64, review: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE card_list SET review_id = $1 WHERE id = $2 AND review_id IS NULL";
        let changed = sqlx::query(sql).bind(review).bind(id).execute(self.connection()).await?.rows_affected();
        if changed == 1 {
            self.audit("card_list.review", format!("card_list/{id}"), json!({"review": review}));
        }
        Ok(changed == 1)
    }

    /// Forgets lists made before this moment (`card_list.forget`, one event with their count).
    pub async fn forget_card_lists(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM card_list WHERE made_at < $1";
        let gone = sqlx::query(sql).bind(before.as_second()).execute(self.connection()).await?.rows_affected();
        if gone > 0 {
            self.audit("card_list.forget", "card_list", json!({"count": gone}));
        }
        Ok(gone)
    }
}

/// `FROM` and `WHERE` of a choice. What stands literally must stand so in the indexes of 0006_people and 0008_cards: whose
/// cards they are is told by the volunteer's own row, but for the cards of keys that are `distrusted`.
fn condition(query: &mut Statement, filter: &ChoiceFilter, distrusted: &[i64]) -> Result<(), StoreError> {
    query.push(match filter.choice {
        CardChoice::Key => " FROM certificate c JOIN volunteer v ON v.id = c.volunteer_id",
        _ => " FROM volunteer v",
    });
    match filter.choice {
        CardChoice::New => {
            query.push(
                " WHERE v.state = 'active' AND v.card = 'none' \
                 AND NOT EXISTS (SELECT 1 FROM certificate o WHERE o.volunteer_id = v.id)",
            );
        }
        CardChoice::Star => {
            query.push(" WHERE v.state = 'active' AND v.card = 'valid' AND v.card_star <> v.star");
        }
        CardChoice::Expiring => {
            query.push(" WHERE v.card = 'valid' AND v.card_expires_at < ");
            query.bind((filter.now + EXPIRING).as_second());
        }
        CardChoice::Key => {
            query.push(" WHERE c.state = 'valid' AND c.key_id");
            match distrusted {
                // Said so, the cards come in the order of the index without being sorted.
                [key] => drop(query.push(" = ").bind(*key)),
                keys => {
                    let mut between = " IN (";
                    for key in keys {
                        query.push(between).bind(*key);
                        between = ", ";
                    }
                    query.push(")");
                }
            }
        }
        CardChoice::Unprinted => {
            query.push(" WHERE v.card = 'valid' AND v.card_stage = 0");
        }
        CardChoice::Waiting => {
            query.push(" WHERE v.card = 'valid' AND v.card_stage = 1");
        }
        CardChoice::Valid => {
            query.push(" WHERE v.card = 'valid'");
        }
    }
    if let Some(unit) = filter.unit {
        query.push(" AND v.unit_id = ").bind(unit.0);
    }
    match filter.reach {
        // The columns that the indexes have, so that the unit's or county's people are read and nobody else.
        Reach::Unit(unit) => {
            query.push(" AND v.unit_id = ").bind(unit.0);
        }
        Reach::County(county) => {
            query.push(" AND v.county = ").bind(county_text(county)?);
        }
        Reach::Everything => {}
    }
    Ok(())
}

fn chosen(row: &AnyRow) -> Result<Chosen, StoreError> {
    let card = match row.int_or_null(9)? {
        None => None,
        Some(id) => Some(ChosenCard {
            id: CertificateId(id),
            state: CertificateState::parse(row.str(10)?)?,
            star: row.number(11, "星级")?,
            issued_at: row.moment(12)?,
            expires_at: row.moment(13)?,
            stage: row.number(14, "制证阶段")?,
            printed_at: row.moment_or_null(15)?,
            key_state: KeyState::parse(row.str(16)?)?,
        }),
    };
    Ok(Chosen {
        volunteer: VolunteerId(row.int(0)?),
        number: row.text(1)?,
        name: row.text(2)?,
        unit: UnitId(row.int(3)?),
        unit_name: row.text(4)?,
        county: row.county(5)?,
        star: row.number(6, "星级")?,
        state: VolunteerState::parse(row.str(7)?)?,
        photo: row.int_or_null(8)?.is_some(),
        card,
    })
}
