//! Statistics as they were last counted, within the caller's reach: the city, a county, a unit.

use jiff::Timestamp;

use super::recount::Recount;
use crate::clock::beijing_date;
use crate::domain::partner::PartnerId;
use crate::domain::staff::{Permission, Scope};
use crate::service::desk::{Desk, DeskError};
use crate::store::{Level, OfferMonth, Reader, UnitId};

pub use crate::store::{Activity, Census};

/// Units of one page.
pub const PAGE: usize = 50;

/// What statistics are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The whole city.
    City,
    /// A county, by the last two digits of its code; 0 for the city's own units.
    County(u8),
    /// A unit.
    Unit(i64),
}

/// Figures of one subject in one year.
#[derive(Debug, Clone)]
pub struct Figures {
    /// How it stands now.
    pub standing: Census,
    /// The year.
    pub year: i16,
    /// What happened in it.
    pub total: Activity,
    /// What happened in each of its months, January first.
    pub months: Vec<Activity>,
    /// Years that can be chosen, newest first.
    pub years: Vec<i16>,
    /// When was counted.
    pub counted: Counted,
}

/// When was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// When; none before the first count.
    pub at: Option<Timestamp>,
    /// Whether anything has changed since.
    pub changed_since: bool,
    /// Whether somebody is counting.
    pub under_way: bool,
}

/// One row of a table: a county of the city, or a unit of a county.
#[derive(Debug, Clone)]
pub struct Part {
    /// How it stands now.
    pub standing: Census,
    /// What happened in the year.
    pub total: Activity,
}

/// In which order units stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By name.
    #[default]
    Name,
    /// The lowest registration rate first; unknown ones last.
    Rate,
    /// The fewest hours a head, measured by the target, first; without target last.
    Hours,
    /// The most volunteers first.
    People,
}

/// Units of a county.
#[derive(Debug, Clone)]
pub struct PartPage {
    /// The rows.
    pub parts: Vec<Part>,
    /// How many there are in all.
    pub count: usize,
    /// The key behind which the next page begins; none after the last one.
    pub next: Option<i64>,
}

/// What was given at one partner in a year.
#[derive(Debug, Clone)]
pub struct PartnerYear {
    /// Key.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Uses by month, January first.
    pub months: [u64; 12],
    /// Uses in the year.
    pub uses: u64,
    /// Of these, on cards that were not valid then.
    pub not_valid: u64,
    /// Of these, over a limit.
    pub over_limit: u64,
    /// Uses taken back.
    pub reversed: u64,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::Name, Self::Rate, Self::Hours, Self::People];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Rate => "rate",
            Self::Hours => "hours",
            Self::People => "people",
        }
    }

    /// Reads [`Self::as_str`]; anything else is by name.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|order| order.as_str() == text).unwrap_or_default()
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "按名称",
            Self::Rate => "注册率从低到高",
            Self::Hours => "人均小时数从低到高",
            Self::People => "志愿者人数从多到少",
        }
    }

    fn sort(self, parts: &mut [Part]) {
        match self {
            Self::Name => parts.sort_by(|a, b| a.standing.name.cmp(&b.standing.name)),
            Self::Rate => parts.sort_by_key(|part| (part.standing.rate().unwrap_or(u64::MAX), part.standing.key)),
            Self::Hours => parts.sort_by_key(|part| (part.share_of_target().unwrap_or(u64::MAX), part.standing.key)),
            Self::People => parts.sort_by_key(|part| (std::cmp::Reverse(part.standing.people), part.standing.key)),
        }
    }
}

impl Part {
    /// Whether it is a unit, and not a county.
    pub fn is_unit(&self) -> bool {
        self.standing.level == Level::Unit
    }

    /// Tenths of an hour that a volunteer has served on average; none without volunteers.
    pub fn tenths_a_head(&self) -> Option<u64> {
        tenths_a_head(&self.standing, &self.total)
    }

    /// Hours a head as thousandths of the target.
    fn share_of_target(&self) -> Option<u64> {
        let target = self.standing.hours_target.filter(|target| *target > 0)?;
        Some(self.tenths_a_head()? * 100 / u64::from(target))
    }
}

impl Figures {
    /// Tenths of an hour that a volunteer has served on average; none without volunteers.
    pub fn tenths_a_head(&self) -> Option<u64> {
        tenths_a_head(&self.standing, &self.total)
    }
}

/// Cut, not rounded: 99.96 hours are not the 100 of the target.
fn tenths_a_head(standing: &Census, total: &Activity) -> Option<u64> {
    (standing.people > 0).then(|| total.minutes * 10 / (standing.people * 60))
}

impl Desk {
    /// What this person's own statistics are about.
    ///
    /// # Errors
    /// The role may not see any.
    pub fn own_statistics(&self) -> Result<About, DeskError> {
        self.need(Permission::Statistics)?;
        match self.staff.scope {
            Scope::All => Ok(About::City),
            Scope::County(county) => Ok(About::County(county)),
            Scope::Unit { unit, .. } => Ok(About::Unit(unit)),
            Scope::Partner(_) => Err(DeskError::NotFound),
        }
    }

    /// The figures of the city, a county or a unit in a year (none: this year). None before the first count, or for a unit
    /// that is younger than the last count.
    ///
    /// # Errors
    /// Out of reach; the database fails.
    pub async fn figures(&self, about: About, year: Option<i16>) -> Result<Option<Figures>, DeskError> {
        self.need(Permission::Statistics)?;
        let mut reader = self.office.store.read().await?;
        let (level, key) = self.subject(&mut reader, about).await?;
        let Some(standing) = reader.standing(level, key).await? else { return Ok(None) };
        let this_year = beijing_date(self.office.now()).year();
        let mut years = reader.statistic_years().await?;
        if !years.contains(&this_year) {
            years.insert(0, this_year);
        }
        years.retain(|year| *year <= this_year);
        let year = year.filter(|year| years.contains(year)).unwrap_or(this_year);
        let rows = reader.activity(level, key, year).await?;
        let of =
            |period: String| rows.iter().find(|row| row.period == period).cloned().unwrap_or(none(level, key, period));
        let total = of(year.to_string());
        let months = (1..=12).map(|month| of(format!("{year}-{month:02}"))).collect();
        let counted = self.counted_in(&mut reader).await?;
        Ok(Some(Figures { standing, year, total, months, years, counted }))
    }

    /// When was counted.
    ///
    /// # Errors
    /// The role may not see statistics; the database fails.
    pub async fn counted(&self) -> Result<Counted, DeskError> {
        self.counted_in(&mut self.office.store.read().await?).await
    }

    async fn counted_in(&self, reader: &mut Reader) -> Result<Counted, DeskError> {
        let run = reader.statistic_run().await?;
        let (seq, _) = reader.audit_head().await?;
        Ok(Counted { at: run.counted_at, changed_since: seq != run.seq, under_way: run.begun_at.is_some() })
    }

    /// The counties in a year, the city's own units first.
    ///
    /// # Errors
    /// Only for those who reach everything.
    pub async fn county_parts(&self, year: i16) -> Result<Vec<Part>, DeskError> {
        self.need(Permission::Statistics)?;
        self.reach_county_figures(None)?;
        let mut reader = self.office.store.read().await?;
        self.parts(&mut reader, Level::County, None, year).await
    }

    /// A page of a county's units; `after` is the key of the last one shown, `text` a part of the name.
    ///
    /// # Errors
    /// Out of reach.
    pub async fn unit_parts(
        &self,
        county: u8,
        year: i16,
        order: Order,
        text: &str,
        after: Option<i64>,
    ) -> Result<PartPage, DeskError> {
        let mut parts = self.all_unit_parts(Some(county), year).await?;
        let text = text.trim();
        parts.retain(|part| part.standing.name.contains(text));
        order.sort(&mut parts);
        let count = parts.len();
        let first = after.and_then(|key| parts.iter().position(|part| part.standing.key == key)).map_or(0, |at| at + 1);
        let mut parts: Vec<Part> = parts.into_iter().skip(first).take(PAGE + 1).collect();
        let more = parts.len() > PAGE;
        parts.truncate(PAGE);
        let next = parts.last().filter(|_| more).map(|part| part.standing.key);
        Ok(PartPage { parts, count, next })
    }

    /// Every unit of a county, or of the city, by name: for files and reports.
    ///
    /// # Errors
    /// Out of reach.
    pub async fn all_unit_parts(&self, county: Option<u8>, year: i16) -> Result<Vec<Part>, DeskError> {
        self.need(Permission::Statistics)?;
        self.reach_county_figures(county)?;
        let mut reader = self.office.store.read().await?;
        let mut parts = self.parts(&mut reader, Level::Unit, county, year).await?;
        parts.sort_by(|a, b| (a.standing.county, &a.standing.name).cmp(&(b.standing.county, &b.standing.name)));
        Ok(parts)
    }

    /// What was given at each partner in a year, those with the most uses first.
    ///
    /// # Errors
    /// The role may not see partners.
    pub async fn partner_years(&self, year: i16) -> Result<Vec<PartnerYear>, DeskError> {
        self.need(Permission::ViewPartners)?;
        let mut reader = self.office.store.read().await?;
        let partners = reader.partners().await?;
        let rows = reader.offer_months(None, &format!("{year}-01"), &format!("{year}-12")).await?;
        let of = |id: PartnerId| rows.iter().filter(move |row| row.partner == id);
        let mut years: Vec<PartnerYear> =
            partners.into_iter().map(|partner| partner_year(partner.id, partner.name, of(partner.id))).collect();
        years.sort_by_key(|year| (std::cmp::Reverse(year.uses), year.id));
        Ok(years)
    }

    /// Counts anew, if anything has changed and the last count is not a moment ago.
    ///
    /// # Errors
    /// The role may not see statistics; the database fails.
    pub async fn recount(&self) -> Result<Recount, DeskError> {
        self.need(Permission::Statistics)?;
        Ok(self.office.recount_now().await?)
    }

    /// Those who reach a whole county, or everything for none.
    fn reach_county_figures(&self, county: Option<u8>) -> Result<(), DeskError> {
        match (county, self.staff.scope) {
            (_, Scope::All) => Ok(()),
            (Some(county), _) => self.reach_county(county),
            (None, _) => Err(DeskError::NotFound),
        }
    }

    async fn subject(&self, reader: &mut Reader, about: About) -> Result<(Level, i64), DeskError> {
        match about {
            About::City => {
                self.reach_county_figures(None)?;
                Ok((Level::City, 0))
            }
            About::County(county) => {
                crate::domain::division::County::from_code(county).ok_or(DeskError::NotFound)?;
                self.reach_county_figures(Some(county))?;
                Ok((Level::County, county.into()))
            }
            About::Unit(id) => {
                let unit = reader.unit(UnitId(id)).await?.ok_or(DeskError::NotFound)?;
                self.reach_unit(unit.county, unit.id)?;
                Ok((Level::Unit, id))
            }
        }
    }

    async fn parts(
        &self,
        reader: &mut Reader,
        level: Level,
        county: Option<u8>,
        year: i16,
    ) -> Result<Vec<Part>, DeskError> {
        let period = year.to_string();
        let standings = reader.standings(level, county).await?;
        let mut activities: std::collections::HashMap<i64, Activity> =
            reader.activities(level, county, &period).await?.into_iter().map(|row| (row.key, row)).collect();
        Ok(standings
            .into_iter()
            .map(|standing| {
                let key = standing.key;
                let total = activities.remove(&key).unwrap_or_else(|| none(level, key, period.clone()));
                Part { standing, total }
            })
            .collect())
    }
}

pub(super) fn partner_year<'a>(id: PartnerId, name: String, rows: impl Iterator<Item = &'a OfferMonth>) -> PartnerYear {
    let mut year = PartnerYear { id: id.0, name, months: [0; 12], uses: 0, not_valid: 0, over_limit: 0, reversed: 0 };
    for row in rows {
        let uses: u64 = row.uses.iter().sum();
        let month = row.month.get(5..).and_then(|month| month.parse::<usize>().ok()).unwrap_or(0);
        if let Some(in_month) = month.checked_sub(1).and_then(|month| year.months.get_mut(month)) {
            *in_month += uses;
        }
        year.uses += uses;
        year.not_valid += uses - row.uses[0];
        year.over_limit += row.over_limit;
        year.reversed += row.reversed;
    }
    year
}

/// A period in which nothing happened.
pub(super) fn none(level: Level, key: i64, period: String) -> Activity {
    Activity {
        level,
        key,
        period,
        registered: 0,
        exited: 0,
        minutes: 0,
        records: 0,
        issued: 0,
        stars: 0,
        uses: 0,
        units_due: 0,
        units_met: 0,
    }
}
