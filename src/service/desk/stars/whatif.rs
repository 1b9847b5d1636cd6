//! What a changed rule would do: the same year under the rule in force and under another, without writing anything.

use std::collections::{BTreeMap, HashMap};

use super::policy::PolicyForm;
use crate::clock::beijing_date;
use crate::domain::staff::Permission;
use crate::domain::star::{StarPolicy, Window, label};
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::service::desk::hours::county_name;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::stars::star_of;
use crate::store::{Reader, StarStanding, VolunteerId};

/// What a changed rule would do.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// The year counted.
    pub year: i16,
    /// How many have none to five stars under the rule in force, and under the other.
    pub by_star: [(u64, u64); 6],
    /// The same by county, one star and more.
    pub by_county: Vec<WhatIfCount>,
    /// Everybody whose star would be another, by county, unit and number.
    pub changed: Vec<ChangedPerson>,
}

/// One county of it.
#[derive(Debug, Clone)]
pub struct WhatIfCount {
    /// Its name.
    pub county: &'static str,
    /// How many have none to five stars under the rule in force, and under the other.
    pub by_star: [(u64, u64); 6],
}

/// Somebody whose star would be another.
#[derive(Debug, Clone)]
pub struct ChangedPerson {
    /// Certificate number, ten digits.
    pub number: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// County.
    pub county: &'static str,
    /// Star under the rule in force.
    pub before: u8,
    /// Star under the other.
    pub after: u8,
    /// Hours in the other's window.
    pub hours: String,
}

impl Desk {
    /// Counts `year` under the rule in force at its end and under `form`.
    ///
    /// # Errors
    /// Fields that are wrong; a year to come; no rule in force.
    pub async fn what_if(&self, year: &str, form: &PolicyForm) -> Result<WhatIf, DeskError> {
        self.need(Permission::StarDraft)?;
        let (year, other) = match (self.year_of(year), self.understand_policy(form, false)) {
            (Ok(year), Ok(other)) => (year, other),
            (Err(DeskError::Invalid(mut wrong)), Err(DeskError::Invalid(more))) => {
                wrong.extend(more);
                return Err(DeskError::Invalid(wrong));
            }
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        let mut reader = self.office().store.read().await?;
        let year_end = Window::CalendarYear.bounds(year, None).map_err(ServiceError::from)?.1;
        let current = reader.star_policy_at(year_end).await?.ok_or(ServiceError::NoStarPolicy { year })?;
        let before = standings(&mut reader, &current, year).await?;
        let after =
            if other.window == current.window { before.clone() } else { standings(&mut reader, &other, year).await? };
        drop(reader);
        Ok(compare(year, &before, &current, &after, &other))
    }

    /// Everybody whose star would be another, as a workbook.
    ///
    /// # Errors
    /// As [`Self::what_if`].
    pub async fn what_if_workbook(&self, year: &str, form: &PolicyForm) -> Result<Vec<u8>, DeskError> {
        let found = self.what_if(year, form).await?;
        let heads = ["县（区）", "单位", "姓名", "证书编号", "现行规则", "试算规则", "统计周期内小时数"];
        let rows = found.changed.iter().map(|person| {
            let hours: f64 = person.hours.parse().unwrap_or_default();
            vec![
                Cell::from(person.county),
                person.unit.as_str().into(),
                person.name.as_str().into(),
                super::batch::grouped(&person.number).into(),
                label(person.before).into(),
                label(person.after).into(),
                hours.into(),
            ]
        });
        let title = format!("{} 年度星级规则试算：星级有变化的志愿者（未写入）", found.year);
        Ok(export::table(&title, &heads, rows, beijing_date(self.office().now())).map_err(ServiceError::from)?)
    }

    /// A year that has begun.
    pub(super) fn year_of(&self, text: &str) -> Result<i16, DeskError> {
        let today = beijing_date(self.office().now()).year();
        let wrong = |message: String| DeskError::Invalid(vec![FieldError { field: "year", message }]);
        match text.trim().parse::<i16>() {
            Ok(year) if year > today => Err(wrong(format!("{year} 年还没有到"))),
            Ok(year) if (2000..=today).contains(&year) => Ok(year),
            Ok(_) | Err(_) => Err(wrong(format!("请填写年度，如 {today}"))),
        }
    }
}

async fn standings(reader: &mut Reader, policy: &StarPolicy, year: i16) -> Result<Vec<StarStanding>, DeskError> {
    let (from, to) = policy.window.bounds(year, None).map_err(ServiceError::from)?;
    Ok(reader.star_standings(year, from, to).await?)
}

fn compare(
    year: i16,
    before: &[StarStanding],
    current: &StarPolicy,
    after: &[StarStanding],
    other: &StarPolicy,
) -> WhatIf {
    // Both windows end with the year, so both lists hold the same people; whoever is missing in one has no star there.
    let was: HashMap<VolunteerId, u8> = before.iter().map(|who| (who.volunteer, star_of(current, who))).collect();
    let mut by_star = [(0, 0); 6];
    let mut by_county: BTreeMap<u8, [(u64, u64); 6]> = BTreeMap::new();
    let mut changed = Vec::new();
    for who in after {
        let star_before = was.get(&who.volunteer).copied().unwrap_or(0).min(5);
        let star_after = star_of(other, who).min(5);
        let county = by_county.entry(who.county).or_insert([(0, 0); 6]);
        for counts in [&mut by_star, county] {
            counts[usize::from(star_before)].0 += 1;
            counts[usize::from(star_after)].1 += 1;
        }
        if star_before != star_after {
            let person = ChangedPerson {
                number: who.number.clone(),
                name: who.name.clone(),
                unit: who.unit_name.clone(),
                county: county_name(who.county),
                before: star_before,
                after: star_after,
                hours: super::hours_text(who.window_minutes),
            };
            changed.push((who.county, person));
        }
    }
    changed.sort_by(|a, b| (a.0, &a.1.unit, &a.1.number).cmp(&(b.0, &b.1.unit, &b.1.number)));
    let by_county =
        by_county.into_iter().map(|(code, by_star)| WhatIfCount { county: county_name(code), by_star }).collect();
    WhatIf { year, by_star, by_county, changed: changed.into_iter().map(|(_, person)| person).collect() }
}
