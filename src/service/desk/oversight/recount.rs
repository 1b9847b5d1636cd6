//! Counting everything for statistics: in the background, when the end of the audit chain has moved.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::findings;
use super::statistics::none;
use crate::clock::beijing_date;
use crate::domain::division::County;
use crate::service::{Federation, ServiceError};
use crate::store::{Activity, Census, Level, OfferDay, OfferMonth, Reader, Statistics, Unit};

/// A new count begins at most this often by itself.
pub const EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Somebody who asks for a new count gets one at most this often.
pub const AT_MOST: SignedDuration = SignedDuration::from_mins(1);
/// A count that has not ended after so long was broken off.
const BROKEN_OFF: SignedDuration = SignedDuration::from_mins(10);
/// A card expires soon when it does within so many days.
pub const SOON_DAYS: i64 = 60;

/// What became of asking for a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recount {
    /// It was done.
    Done,
    /// Nothing has changed since the last one, or that was a moment ago.
    Fresh,
    /// Somebody else is at it.
    UnderWay,
}

impl Federation {
    /// Counts if anything changed since the last count and that is 15 minutes ago, or if there was none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recount_if_due(&self) -> Result<Recount, ServiceError> {
        self.recount_after(EVERY).await
    }

    /// Counts if anything changed since the last count and that is a minute ago.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recount_now(&self) -> Result<Recount, ServiceError> {
        self.recount_after(AT_MOST).await
    }

    async fn recount_after(&self, pause: SignedDuration) -> Result<Recount, ServiceError> {
        let now = self.now();
        let mut reader = self.store.read().await?;
        let run = reader.statistic_run().await?;
        let (seq, _) = reader.audit_head().await?;
        // Cards expire without an event: a count a day is due in any case.
        let moved = run.seq != seq || run.counted_at.is_none_or(|at| beijing_date(at) != beijing_date(now));
        let recent = run.counted_at.is_some_and(|at| at + pause > now);
        if !moved || recent {
            return Ok(Recount::Fresh);
        }
        if !self.store.begin_count(now, now - BROKEN_OFF).await? {
            return Ok(Recount::UnderWay);
        }
        let counted = self.count(&mut reader, now).await;
        drop(reader);
        let kept = match counted {
            Ok(counted) => {
                let took = (self.now().as_millisecond() - now.as_millisecond()).unsigned_abs();
                self.store.keep_statistics(&counted, seq, now, took).await.map_err(ServiceError::from)
            }
            Err(error) => Err(error),
        };
        match kept {
            Ok(()) => Ok(Recount::Done),
            Err(error) => {
                self.store.abandon_count().await?;
                Err(error)
            }
        }
    }

    async fn count(&self, reader: &mut Reader, now: Timestamp) -> Result<Statistics, ServiceError> {
        let soon = now + SignedDuration::from_hours(24 * SOON_DAYS);
        let mut standings = units(reader).await?;
        for row in reader.count_people().await? {
            let Some(unit) = standings.get_mut(&row.unit.0) else { continue };
            if row.active {
                unit.people += row.count;
                if let Some(star) = usize::from(row.star).checked_sub(1).and_then(|at| unit.stars.get_mut(at)) {
                    *star += row.count;
                }
            } else {
                unit.exited += row.count;
            }
        }
        for row in reader.count_cards(now, soon).await? {
            let Some(unit) = standings.get_mut(&row.unit.0) else { continue };
            unit.cards_valid = row.valid;
            unit.cards_suspended = row.suspended;
            unit.unprinted = row.unprinted;
            unit.expiring = row.expiring;
        }
        for unit in standings.values_mut() {
            unit.without_card = unit.people.saturating_sub(unit.cards_valid + unit.cards_suspended);
            if unit.units_counted == 1 {
                unit.people_counted = unit.people;
                unit.units_full = u64::from(unit.people >= unit.head_count);
            }
        }
        let activities = activities(reader, &standings).await?;
        let days = reader.count_offer_uses().await?;
        let offers = offer_months(&days);
        let findings = findings::all(reader, &days, &offers, now).await?;
        let standings = with_sums(standings.into_values().collect());
        Ok(Statistics { standings, activities, offers, findings })
    }
}

/// The units with what is asked of them, nothing counted yet.
async fn units(reader: &mut Reader) -> Result<BTreeMap<i64, Census>, ServiceError> {
    let units = reader.units().await?;
    Ok(units
        .into_iter()
        .map(|unit| {
            let due = is_due(&unit);
            let counted = unit.head_count.filter(|count| due && *count > 0);
            let standing = Census {
                units: 1,
                units_due: u64::from(due),
                units_counted: u64::from(counted.is_some()),
                head_count: counted.map_or(0, u64::from),
                group: unit.group.map(|group| group.label().to_owned()),
                hours_target: unit.group.and_then(|group| group.hours_target(unit.county)),
                ..empty(Level::Unit, unit.id.0, unit.county, unit.name)
            };
            (unit.id.0, standing)
        })
        .collect())
}

fn empty(level: Level, key: i64, county: u8, name: String) -> Census {
    Census {
        level,
        key,
        county,
        name,
        people: 0,
        exited: 0,
        units: 0,
        units_due: 0,
        units_counted: 0,
        units_full: 0,
        head_count: 0,
        people_counted: 0,
        group: None,
        hours_target: None,
        stars: [0; 5],
        cards_valid: 0,
        cards_suspended: 0,
        unprinted: 0,
        expiring: 0,
        without_card: 0,
    }
}

/// The units, and their sums by county and for the city. Every county stands there, with or without units.
fn with_sums(units: Vec<Census>) -> Vec<Census> {
    let mut sums: BTreeMap<u8, Census> = County::all()
        .map(|county| (county.code(), empty(Level::County, county.code().into(), county.code(), county.name().into())))
        .collect();
    let mut city = empty(Level::City, 0, 0, "全市".into());
    for unit in &units {
        for sum in sums.get_mut(&unit.county).into_iter().chain([&mut city]) {
            sum.people += unit.people;
            sum.exited += unit.exited;
            sum.units += unit.units;
            sum.units_due += unit.units_due;
            sum.units_counted += unit.units_counted;
            sum.units_full += unit.units_full;
            sum.head_count += unit.head_count;
            // What one unit has beyond its head count does not make up for what another lacks.
            sum.people_counted += unit.people_counted.min(unit.head_count);
            sum.stars.iter_mut().zip(unit.stars).for_each(|(sum, star)| *sum += star);
            sum.cards_valid += unit.cards_valid;
            sum.cards_suspended += unit.cards_suspended;
            sum.unprinted += unit.unprinted;
            sum.expiring += unit.expiring;
            sum.without_card += unit.without_card;
        }
    }
    if let Some(own) = sums.get_mut(&0) {
        own.name = "市级单位".into();
    }
    units.into_iter().chain(sums.into_values()).chain([city]).collect()
}

/// What happened, by unit, county and city, by month and year.
async fn activities(reader: &mut Reader, units: &BTreeMap<i64, Census>) -> Result<Vec<Activity>, ServiceError> {
    let mut sums = Sums { units, rows: HashMap::new() };
    for row in reader.count_registrations().await? {
        sums.add(row.unit.0, &month_of(row.day), |to| to.registered += row.count);
    }
    for row in reader.count_exits().await? {
        sums.add(row.unit.0, &month_of(row.day), |to| to.exited += row.count);
    }
    for row in reader.count_issued().await? {
        sums.add(row.unit.0, &month_of(row.day), |to| to.issued += row.count);
    }
    for row in reader.count_uses().await? {
        sums.add(row.unit.0, &month_of(row.day), |to| to.uses += row.count);
    }
    for row in reader.count_service().await? {
        sums.add(row.unit.0, &row.month, |to| {
            to.minutes += row.minutes;
            to.records += row.records;
        });
    }
    for (unit, year, count) in reader.count_awards().await? {
        sums.add(unit.0, &year.to_string(), |to| to.stars += count);
    }
    Ok(sums.finish())
}

struct Sums<'a> {
    units: &'a BTreeMap<i64, Census>,
    rows: HashMap<(Level, i64, String), Activity>,
}

impl Sums<'_> {
    /// Adds to the unit, its county and the city, in the month and its year.
    fn add(&mut self, unit: i64, period: &str, mut add: impl FnMut(&mut Activity)) {
        let Some(county) = self.units.get(&unit).map(|unit| i64::from(unit.county)) else { return };
        let year = period.get(..4).unwrap_or(period);
        let periods = if year == period { vec![year] } else { vec![year, period] };
        for (level, key) in [(Level::Unit, unit), (Level::County, county), (Level::City, 0)] {
            for period in &periods {
                add(self.row(level, key, period));
            }
        }
    }

    fn row(&mut self, level: Level, key: i64, period: &str) -> &mut Activity {
        self.rows.entry((level, key, period.to_owned())).or_insert_with(|| none(level, key, period.to_owned()))
    }

    /// Notes which units were to serve so many hours a head in each year, and which did.
    fn finish(mut self) -> Vec<Activity> {
        let years: Vec<String> = self
            .rows
            .keys()
            .filter(|(level, _, period)| *level == Level::City && period.len() == 4)
            .map(|key| key.2.clone())
            .collect();
        for year in years {
            for (key, unit) in self.units {
                let Some(target) = unit.hours_target.filter(|_| unit.people > 0) else { continue };
                let served = self.rows.get(&(Level::Unit, *key, year.clone())).map_or(0, |row| row.minutes);
                let met = u64::from(served >= u64::from(target) * 60 * unit.people);
                let county = i64::from(unit.county);
                for (level, key) in [(Level::Unit, *key), (Level::County, county), (Level::City, 0)] {
                    let row = self.row(level, key, &year);
                    row.units_due += 1;
                    row.units_met += met;
                }
            }
        }
        self.rows.into_values().collect()
    }
}

/// Uses by offer and month.
fn offer_months(days: &[OfferDay]) -> Vec<OfferMonth> {
    let mut months: BTreeMap<_, OfferMonth> = BTreeMap::new();
    for day in days {
        let month = month_of(day.day);
        let key = (day.partner, day.offer.clone(), month.clone());
        let row = months.entry(key).or_insert_with(|| OfferMonth {
            partner: day.partner,
            offer: day.offer.clone(),
            month,
            uses: [0; 6],
            over_limit: 0,
            reversed: 0,
        });
        row.uses[day.standing as usize] += day.uses;
        row.over_limit += day.over_limit;
        row.reversed += day.reversed;
    }
    months.into_values().collect()
}

/// The month (`2026-11`) of a day counted from 1970-01-01.
pub(super) fn month_of(day: i64) -> String {
    let date = day_of(day);
    format!("{:04}-{:02}", date.year(), date.month())
}

/// The date of a day counted from 1970-01-01.
pub(super) fn day_of(day: i64) -> jiff::civil::Date {
    use jiff::ToSpan;
    jiff::civil::date(1970, 1, 1).checked_add(day.clamp(-100_000, 2_900_000).days()).unwrap_or(jiff::civil::Date::MAX)
}

/// Whether all of a unit's people are to be registered (notice, 二、招募注册要求): all but communities and pupils.
fn is_due(unit: &Unit) -> bool {
    unit.group.is_none_or(|group| group.registration_target().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_months() {
        assert_eq!(month_of(0), "1970-01");
        assert_eq!(month_of(20_780), "2026-11");
        assert_eq!(day_of(20_780).to_string(), "2026-11-23");
    }
}
