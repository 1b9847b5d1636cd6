//! Statistics as they were last counted: what pages read, and where a new count is put. Nothing here is a fact of its own;
//! all of it is counted from other tables (`statistic_count.rs`) and can be counted anew.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::bulk::{Insert, Statement, Values};
use super::row::{Columns, county_text};
use super::{Held, Reader, Store, StoreError};
use crate::domain::partner::PartnerId;

/// What a figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The whole city; its key is 0.
    City,
    /// A county; its key is the last two digits of its GB/T 2260 code.
    County,
    /// A unit; its key is the unit's.
    Unit,
}

/// How things stand with the city, a county or a unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Census {
    /// What it is about.
    pub level: Level,
    /// Which one.
    pub key: i64,
    /// Its county; 0 for the city.
    pub county: u8,
    /// Its name.
    pub name: String,
    /// Volunteers that have not left.
    pub people: u64,
    /// Volunteers that have left.
    pub exited: u64,
    /// Units, of whatever kind.
    pub units: u64,
    /// Units whose people are all to be registered (notice, 二).
    pub units_due: u64,
    /// Of these, units whose head count is known.
    pub units_counted: u64,
    /// Of these, units that have registered as many as they have people.
    pub units_full: u64,
    /// People of the units counted.
    pub head_count: u64,
    /// Volunteers of the units counted; in a sum, of each unit as many as its head count at most.
    pub people_counted: u64,
    /// Group of the notice's targets, in words; units only, and only where it is known.
    pub group: Option<String>,
    /// Hours a head and year that are asked for; units only.
    pub hours_target: Option<u32>,
    /// Volunteers of one star, of two, … of five.
    pub stars: [u64; 5],
    /// Cards that are valid and not expired.
    pub cards_valid: u64,
    /// Cards that are suspended.
    pub cards_suspended: u64,
    /// Valid cards that were never printed.
    pub unprinted: u64,
    /// Valid cards that expire within 60 days.
    pub expiring: u64,
    /// Volunteers without a valid or suspended card.
    pub without_card: u64,
}

/// What happened in a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Activity {
    /// What it is about.
    pub level: Level,
    /// Which one.
    pub key: i64,
    /// A year (`2026`) or a month (`2026-11`), Beijing time.
    pub period: String,
    /// Volunteers registered.
    pub registered: u64,
    /// Volunteers that left.
    pub exited: u64,
    /// Minutes served.
    pub minutes: u64,
    /// Service records.
    pub records: u64,
    /// Cards issued.
    pub issued: u64,
    /// Volunteers certified with a star for the year; 0 for months.
    pub stars: u64,
    /// Uses of offers by its volunteers, without those taken back.
    pub uses: u64,
    /// Units with volunteers and an hours target; years only.
    pub units_due: u64,
    /// Of these, units whose hours a head reach the target; years only.
    pub units_met: u64,
}

/// Uses of one offer in one month.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OfferMonth {
    /// At which partner.
    pub partner: PartnerId,
    /// The offer's id, as the partner sent it.
    pub offer: String,
    /// The month, `2026-11`, Beijing time.
    pub month: String,
    /// Uses by the card's standing, in the order of [`crate::domain::redemption::CardStanding::ALL`].
    pub uses: [u64; 6],
    /// Of these, over the offer's limit.
    pub over_limit: u64,
    /// Uses taken back.
    pub reversed: u64,
}

/// Something in the use of offers that is worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    /// At which partner.
    pub partner: PartnerId,
    /// What it is, as a word.
    pub kind: String,
    /// Which offer; empty for none in particular.
    pub offer: String,
    /// Which certificate number; empty for none in particular.
    pub number: String,
    /// On which day or in which month; empty for the last 30 days.
    pub day: String,
    /// How many.
    pub found: u64,
    /// How many would be usual; 0 where that is no question.
    pub usual: u64,
}

/// A count of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How things stand.
    pub standings: Vec<Census>,
    /// What happened.
    pub activities: Vec<Activity>,
    /// Uses by offer and month.
    pub offers: Vec<OfferMonth>,
    /// What is worth a look.
    pub findings: Vec<Finding>,
}

/// When was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatisticRun {
    /// The end of the audit chain at that time.
    pub seq: i64,
    /// When; none before the first count.
    pub counted_at: Option<Timestamp>,
    /// Since when somebody is counting.
    pub begun_at: Option<Timestamp>,
    /// How long the last count took, milliseconds.
    pub took_ms: u64,
}

impl Level {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::County => "county",
            Self::Unit => "unit",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        let all = [Self::City, Self::County, Self::Unit];
        all.into_iter().find(|level| level.as_str() == text).ok_or(StoreError::BadValue { what: "统计层级" })
    }
}

impl Census {
    /// Volunteers for a thousand people of the units whose head count is known; none where none is.
    pub fn rate(&self) -> Option<u64> {
        (self.head_count > 0).then(|| self.people_counted * 1000 / self.head_count)
    }
}

const STANDING: &str = "SELECT level, key, county, name, people, exited, units, units_due, units_counted, units_full, \
                        head_count, people_counted, target_group, hours_target, star_1, star_2, star_3, star_4, star_5, \
                        cards_valid, cards_suspended, unprinted, expiring, without_card FROM statistic_standing";
const ACTIVITY: &str = "SELECT level, key, period, registered, exited, minutes, records, issued, stars, uses, units_due, \
                        units_met FROM statistic_activity";
const OFFER: &str = "SELECT partner_id, offer, month, valid, revoked, suspended, superseded, expired, unknown, over_limit, \
                     reversed FROM statistic_offer";
const FINDING: &str = "SELECT partner_id, kind, offer, number, day, found, usual FROM statistic_finding";

impl Reader {
    /// When was counted.
    pub async fn statistic_run(&mut self) -> Result<StatisticRun, StoreError> {
        let sql = "SELECT seq, counted_at, begun_at, took_ms FROM statistic_run WHERE id = 1";
        let row = sqlx::query(sql).fetch_one(self.connection()).await?;
        Ok(StatisticRun {
            seq: row.int(0)?,
            counted_at: row.moment_or_null(1)?,
            begun_at: row.moment_or_null(2)?,
            took_ms: row.number(3, "用时")?,
        })
    }

    /// How one of them stands; none before it was first counted.
    pub async fn standing(&mut self, level: Level, key: i64) -> Result<Option<Census>, StoreError> {
        let mut query = Statement::new(STANDING);
        query.push(" WHERE level = ").bind(level.as_str()).push(" AND key = ").bind(key);
        query.fetch_optional(self).await?.as_ref().map(standing).transpose()
    }

    /// All of a level, those of one county if one is given, in the order of their keys: ten counties, or a county's units.
    pub async fn standings(&mut self, level: Level, county: Option<u8>) -> Result<Vec<Census>, StoreError> {
        let mut query = Statement::new(STANDING);
        query.push(" WHERE level = ").bind(level.as_str());
        if let Some(county) = county {
            query.push(" AND county = ").bind(county_text(county)?);
        }
        query.push(" ORDER BY key");
        query.fetch_all(self).await?.iter().map(standing).collect()
    }

    /// What happened to one of them in a year: the year itself and its months, in order.
    pub async fn activity(&mut self, level: Level, key: i64, year: i16) -> Result<Vec<Activity>, StoreError> {
        let (from, to) = (year.to_string(), format!("{}", year + 1));
        let mut query = Statement::new(ACTIVITY);
        query.push(" WHERE level = ").bind(level.as_str()).push(" AND key = ").bind(key);
        query.push(" AND period >= ").bind(from).push(" AND period < ").bind(to).push(" ORDER BY period");
        query.fetch_all(self).await?.iter().map(activity).collect()
    }

    /// What happened in one period to all of a level, those of one county if one is given.
    pub async fn activities(
        &mut self,
        level: Level,
        county: Option<u8>,
        period: &str,
    ) -> Result<Vec<Activity>, StoreError> {
        let mut query = Statement::new(
            "SELECT a.level, a.key, a.period, a.registered, a.exited, a.minutes, a.records, a.issued, a.stars, a.uses, \
             a.units_due, a.units_met FROM statistic_standing s \
             JOIN statistic_activity a ON a.level = s.level AND a.key = s.key WHERE s.level = ",
        );
        query.bind(level.as_str());
        if let Some(county) = county {
            query.push(" AND s.county = ").bind(county_text(county)?);
        }
        query.push(" AND a.period = ").bind(period).push(" ORDER BY a.key");
        query.fetch_all(self).await?.iter().map(activity).collect()
    }

    /// The years in which anything happened, newest first.
    pub async fn statistic_years(&mut self) -> Result<Vec<i16>, StoreError> {
        let sql = "SELECT period FROM statistic_activity WHERE level = 'city' AND key = 0 ORDER BY period DESC";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        let periods = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        Ok(periods.iter().filter_map(|period| period.parse().ok()).collect())
    }

    /// Uses by offer and month from one month to another, both included; of one partner if one is given.
    pub async fn offer_months(
        &mut self,
        partner: Option<PartnerId>,
        from: &str,
        to: &str,
    ) -> Result<Vec<OfferMonth>, StoreError> {
        let mut query = Statement::new(OFFER);
        query.push(" WHERE month >= ").bind(from).push(" AND month <= ").bind(to);
        if let Some(partner) = partner {
            query.push(" AND partner_id = ").bind(partner.0);
        }
        query.push(" ORDER BY partner_id, month");
        query.fetch_all(self).await?.iter().map(offer_month).collect()
    }

    /// What is worth a look, at one partner if one is given.
    pub async fn findings(&mut self, partner: Option<PartnerId>) -> Result<Vec<Finding>, StoreError> {
        let mut query = Statement::new(FINDING);
        if let Some(partner) = partner {
            query.push(" WHERE partner_id = ").bind(partner.0);
        }
        query.push(" ORDER BY partner_id, kind, day DESC, found DESC LIMIT 500");
        query.fetch_all(self).await?.iter().map(finding).collect()
    }

    /// How many findings there are.
    pub async fn finding_count(&mut self) -> Result<u64, StoreError> {
        sqlx::query("SELECT count(*) FROM statistic_finding").fetch_one(self.connection()).await?.number(0, "计数")
    }
}

impl Store {
    /// Takes the turn to count, unless somebody took it after `since` and has not finished. Without an audit event: a count
    /// changes no fact.
    pub async fn begin_count(&self, now: Timestamp, since: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE statistic_run SET begun_at = $1 WHERE id = 1 AND (begun_at IS NULL OR begun_at <= $2)";
        let query = sqlx::query(sql).bind(now.as_second()).bind(since.as_second());
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Gives the turn back after a count that failed.
    pub async fn abandon_count(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE statistic_run SET begun_at = NULL WHERE id = 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Puts a new count in the place of the last one; only rows that differ are written. Outside the writers' queue and
    /// without an audit event.
    pub async fn keep_statistics(
        &self,
        counted: &Statistics,
        seq: i64,
        at: Timestamp,
        took_ms: u64,
    ) -> Result<(), StoreError> {
        let transaction = self.pool.begin_with(self.shared.dialect.begin()).await?;
        let mut reader = Reader { connection: Held::InTransaction(transaction), shared: self.shared.clone() };
        let before = reader.kept().await?;

        let gone = |before: &Vec<Census>| missing(before, &counted.standings, |row| (row.level, row.key));
        for (level, key) in gone(&before.standings) {
            let sql = "DELETE FROM statistic_standing WHERE level = $1 AND key = $2";
            sqlx::query(sql).bind(level.as_str()).bind(key).execute(reader.connection()).await?;
        }
        let gone = missing(&before.activities, &counted.activities, |row| (row.level, row.key, row.period.clone()));
        for (level, key, period) in gone {
            let sql = "DELETE FROM statistic_activity WHERE level = $1 AND key = $2 AND period = $3";
            sqlx::query(sql).bind(level.as_str()).bind(key).bind(period).execute(reader.connection()).await?;
        }
        reader.insert_all(&PUT_STANDING, &changed(&before.standings, &counted.standings), push_standing).await?;
        reader.insert_all(&PUT_ACTIVITY, &changed(&before.activities, &counted.activities), push_activity).await?;
        if before.offers != counted.offers {
            sqlx::query("DELETE FROM statistic_offer").execute(reader.connection()).await?;
            reader.insert_all(&PUT_OFFER, &counted.offers, push_offer).await?;
        }
        sqlx::query("DELETE FROM statistic_finding").execute(reader.connection()).await?;
        reader.insert_all(&PUT_FINDING, &counted.findings, push_finding).await?;

        let sql = "UPDATE statistic_run SET seq = $1, counted_at = $2, begun_at = NULL, took_ms = $3 WHERE id = 1";
        let query = sqlx::query(sql).bind(seq).bind(at.as_second()).bind(took_ms as i64);
        query.execute(reader.connection()).await?;
        let Held::InTransaction(transaction) = reader.connection else {
            unreachable!("made in a transaction just above")
        };
        Ok(transaction.commit().await?)
    }
}

impl Reader {
    /// The last count.
    async fn kept(&mut self) -> Result<Statistics, StoreError> {
        let rows = Statement::new(STANDING).fetch_all(self).await?;
        let standings = rows.iter().map(standing).collect::<Result<_, _>>()?;
        let rows = Statement::new(ACTIVITY).fetch_all(self).await?;
        let activities = rows.iter().map(activity).collect::<Result<_, _>>()?;
        let rows = Statement::new(OFFER).fetch_all(self).await?;
        let offers = rows.iter().map(offer_month).collect::<Result<_, _>>()?;
        Ok(Statistics { standings, activities, offers, findings: Vec::new() })
    }
}

/// Keys of rows that were there and are no more.
fn missing<T, K: Hash + Eq>(before: &[T], now: &[T], key: impl Fn(&T) -> K) -> Vec<K> {
    let now: HashSet<K> = now.iter().map(&key).collect();
    before.iter().map(key).filter(|key| !now.contains(key)).collect()
}

/// Rows that were not there in just this form.
fn changed<'a, T: Hash + Eq>(before: &[T], now: &'a [T]) -> Vec<&'a T> {
    let before: HashMap<&T, ()> = before.iter().map(|row| (row, ())).collect();
    now.iter().filter(|row| !before.contains_key(row)).collect()
}

const PUT_STANDING: Insert = Insert {
    table: "statistic_standing",
    columns: &[
        "level",
        "key",
        "county",
        "name",
        "people",
        "exited",
        "units",
        "units_due",
        "units_counted",
        "units_full",
        "head_count",
        "people_counted",
        "target_group",
        "hours_target",
        "star_1",
        "star_2",
        "star_3",
        "star_4",
        "star_5",
        "cards_valid",
        "cards_suspended",
        "unprinted",
        "expiring",
        "without_card",
    ],
    fixed: &[],
    conflict: "ON CONFLICT (level, key) DO UPDATE SET county = excluded.county, name = excluded.name, \
               people = excluded.people, exited = excluded.exited, units = excluded.units, \
               units_due = excluded.units_due, units_counted = excluded.units_counted, units_full = excluded.units_full, \
               head_count = excluded.head_count, people_counted = excluded.people_counted, \
               target_group = excluded.target_group, hours_target = excluded.hours_target, star_1 = excluded.star_1, \
               star_2 = excluded.star_2, star_3 = excluded.star_3, star_4 = excluded.star_4, star_5 = excluded.star_5, \
               cards_valid = excluded.cards_valid, cards_suspended = excluded.cards_suspended, \
               unprinted = excluded.unprinted, expiring = excluded.expiring, without_card = excluded.without_card",
    may_stop_halfway: false,
};

const PUT_ACTIVITY: Insert = Insert {
    table: "statistic_activity",
    columns: &[
        "level",
        "key",
        "period",
        "registered",
        "exited",
        "minutes",
        "records",
        "issued",
        "stars",
        "uses",
        "units_due",
        "units_met",
    ],
    fixed: &[],
    conflict: "ON CONFLICT (level, key, period) DO UPDATE SET registered = excluded.registered, \
               exited = excluded.exited, minutes = excluded.minutes, records = excluded.records, \
               issued = excluded.issued, stars = excluded.stars, uses = excluded.uses, \
               units_due = excluded.units_due, units_met = excluded.units_met",
    may_stop_halfway: false,
};

const PUT_OFFER: Insert = Insert {
    table: "statistic_offer",
    columns: &[
        "partner_id",
        "offer",
        "month",
        "valid",
        "revoked",
        "suspended",
        "superseded",
        "expired",
        "unknown",
        "over_limit",
        "reversed",
    ],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

const PUT_FINDING: Insert = Insert {
    table: "statistic_finding",
    columns: &["partner_id", "kind", "offer", "number", "day", "found", "usual"],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

fn push_standing(values: &mut Values, row: &&Census) {
    values.push(row.level.as_str());
    values.push(row.key);
    values.push(format!("{:02}", row.county));
    values.push(row.name.as_str());
    for number in [row.people, row.exited, row.units, row.units_due, row.units_counted, row.units_full] {
        values.push(number as i64);
    }
    values.push(row.head_count as i64);
    values.push(row.people_counted as i64);
    values.push(row.group.as_deref());
    values.push(row.hours_target.map(i64::from));
    for number in row.stars {
        values.push(number as i64);
    }
    for number in [row.cards_valid, row.cards_suspended, row.unprinted, row.expiring, row.without_card] {
        values.push(number as i64);
    }
}

fn push_activity(values: &mut Values, row: &&Activity) {
    values.push(row.level.as_str());
    values.push(row.key);
    values.push(row.period.as_str());
    for number in [row.registered, row.exited, row.minutes, row.records, row.issued, row.stars, row.uses] {
        values.push(number as i64);
    }
    values.push(row.units_due as i64);
    values.push(row.units_met as i64);
}

fn push_offer(values: &mut Values, row: &OfferMonth) {
    values.push(row.partner.0);
    values.push(row.offer.as_str());
    values.push(row.month.as_str());
    for number in row.uses.into_iter().chain([row.over_limit, row.reversed]) {
        values.push(number as i64);
    }
}

fn push_finding(values: &mut Values, row: &Finding) {
    values.push(row.partner.0);
    for text in [&row.kind, &row.offer, &row.number, &row.day] {
        values.push(text.as_str());
    }
    values.push(row.found as i64);
    values.push(row.usual as i64);
}

fn standing(row: &AnyRow) -> Result<Census, StoreError> {
    let count = |place| row.number::<u64>(place, "计数");
    Ok(Census {
        level: Level::parse(row.str(0)?)?,
        key: row.int(1)?,
        county: row.county(2)?,
        name: row.text(3)?,
        people: count(4)?,
        exited: count(5)?,
        units: count(6)?,
        units_due: count(7)?,
        units_counted: count(8)?,
        units_full: count(9)?,
        head_count: count(10)?,
        people_counted: count(11)?,
        group: row.text_or_null(12)?,
        hours_target: row.number_or_null(13, "小时数目标")?,
        stars: [count(14)?, count(15)?, count(16)?, count(17)?, count(18)?],
        cards_valid: count(19)?,
        cards_suspended: count(20)?,
        unprinted: count(21)?,
        expiring: count(22)?,
        without_card: count(23)?,
    })
}

fn activity(row: &AnyRow) -> Result<Activity, StoreError> {
    let count = |place| row.number::<u64>(place, "计数");
    Ok(Activity {
        level: Level::parse(row.str(0)?)?,
        key: row.int(1)?,
        period: row.text(2)?,
        registered: count(3)?,
        exited: count(4)?,
        minutes: count(5)?,
        records: count(6)?,
        issued: count(7)?,
        stars: count(8)?,
        uses: count(9)?,
        units_due: count(10)?,
        units_met: count(11)?,
    })
}

fn offer_month(row: &AnyRow) -> Result<OfferMonth, StoreError> {
    let count = |place| row.number::<u64>(place, "计数");
    Ok(OfferMonth {
        partner: PartnerId(row.int(0)?),
        offer: row.text(1)?,
        month: row.text(2)?,
        uses: [count(3)?, count(4)?, count(5)?, count(6)?, count(7)?, count(8)?],
        over_limit: count(9)?,
        reversed: count(10)?,
    })
}

fn finding(row: &AnyRow) -> Result<Finding, StoreError> {
    Ok(Finding {
        partner: PartnerId(row.int(0)?),
        kind: row.text(1)?,
        offer: row.text(2)?,
        number: row.text(3)?,
        day: row.text(4)?,
        found: row.number(5, "计数")?,
        usual: row.number(6, "计数")?,
    })
}
