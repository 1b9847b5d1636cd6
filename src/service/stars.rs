//! Certifying stars: one batch a year, by hours served (附件4 四).

use std::path::Path;

use serde::Serialize;

use super::issue::number_of;
use super::{Federation, ServiceError};
use crate::clock::beijing_date;
use crate::domain::star::{StarPolicy, Window};
use crate::roster::star_list::{self, StarRow};
use crate::store::{NewStarAward, StarStanding};

/// Below the title of the list.
const PUBLIC_NOTICE: &str = "对名单如有异议，请在公示期内向普洱市志愿服务联合会反映。";

/// What to certify.
#[derive(Debug, Clone, Copy)]
pub struct CertifyRequest<'a> {
    /// The year whose hours count.
    pub year: i16,
    /// Compute only.
    pub dry_run: bool,
    /// Where to write the list for the public notice.
    pub list: Option<&'a Path>,
}

/// A year's batch.
#[derive(Debug, Serialize)]
pub struct StarBatch {
    /// The year whose hours count.
    pub year: i16,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The window's name.
    pub window_label: &'static str,
    /// First day that counts, as text.
    pub first_day: String,
    /// Last day that counts.
    pub last_day: String,
    /// Volunteers with service records up to the last day, or with a star.
    pub served: usize,
    /// How many stars change.
    pub changed: u64,
    /// How many volunteers have 0, 1, … 5 stars afterwards, among those.
    pub by_star: [u64; 6],
    /// Everybody with at least one star, by star and hours.
    pub awards: Vec<AwardLine>,
}

/// One volunteer of a batch.
#[derive(Debug, Clone, Serialize)]
pub struct AwardLine {
    /// Certificate number.
    pub number: String,
    /// Full name: the notice is public.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Star before.
    pub star_before: u8,
    /// Star certified.
    pub star: u8,
    /// Hours within the window.
    pub hours: f64,
    /// Hours of a lifetime.
    pub hours_lifetime: f64,
}

/// A policy, for people and programs.
#[derive(Debug, Serialize)]
pub struct PolicyLine {
    /// First day it holds.
    pub from: String,
    /// Hours for one to five stars.
    pub hours: [f64; 5],
    /// The window's code.
    pub window: &'static str,
    /// The window's name.
    pub window_label: &'static str,
    /// Whether a star is kept when a later year is lower.
    pub keep: bool,
    /// The same in words.
    pub keep_label: &'static str,
}

impl Federation {
    /// Computes the year's stars under the policy in force at its end and, unless `dry_run`, certifies them.
    ///
    /// # Errors
    /// An implausible or future year, no policy for it, or the list cannot be written (then nothing is certified).
    pub async fn certify_stars(&self, request: CertifyRequest<'_>) -> Result<StarBatch, ServiceError> {
        let year = request.year;
        if year > beijing_date(self.now()).year() {
            return Err(ServiceError::FutureYear { year });
        }
        let mut tx = self.begin().await?;
        let (_, year_end) = Window::CalendarYear.bounds(year, None)?;
        let policy = tx.star_policy_at(year_end).await?.ok_or(ServiceError::NoStarPolicy { year })?;
        let (from, to) = policy.window.bounds(year, None)?;
        let standings = tx.star_standings(year, from, to).await?;
        let mut awards = Vec::with_capacity(standings.len());
        let mut lines = Vec::new();
        let mut batch = StarBatch {
            year,
            dry_run: request.dry_run,
            window_label: policy.window.label(),
            first_day: from.to_string(),
            last_day: to.to_string(),
            served: standings.len(),
            changed: 0,
            by_star: [0; 6],
            awards: Vec::new(),
        };
        for standing in standings {
            let star = star_of(&policy, &standing);
            batch.changed += u64::from(star != standing.star);
            batch.by_star[usize::from(star.min(5))] += 1;
            awards.push(NewStarAward {
                volunteer: standing.volunteer,
                star,
                window_minutes: standing.window_minutes,
                lifetime_minutes: standing.lifetime_minutes,
            });
            if star > 0 {
                lines.push(AwardLine {
                    number: standing.number,
                    name: standing.name,
                    unit: standing.unit_name,
                    star_before: standing.star,
                    star,
                    hours: standing.window_minutes as f64 / 60.0,
                    hours_lifetime: standing.lifetime_minutes as f64 / 60.0,
                });
            }
        }
        lines.sort_by(|a, b| b.star.cmp(&a.star).then(b.hours.total_cmp(&a.hours)).then(a.number.cmp(&b.number)));
        if let Some(path) = request.list {
            let rows: Vec<_> = lines.iter().map(star_row).collect();
            let title = format!("{year}年度拟认定星级志愿者公示名单");
            star_list::write(path, &title, PUBLIC_NOTICE, &rows, beijing_date(self.now()))?;
        }
        if request.dry_run {
            tx.rollback().await?;
        } else {
            let (_, changed) = tx.certify_stars(year, &policy, (from, to), &awards).await?;
            batch.changed = changed;
            tx.commit().await?;
        }
        batch.awards = lines;
        Ok(batch)
    }

    /// All policies, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn star_policies(&self) -> Result<Vec<PolicyLine>, ServiceError> {
        let policies = self.store.read().await?.star_policies().await?;
        Ok(policies.iter().map(policy_line).collect())
    }

    /// Adds a policy that holds from its date on.
    ///
    /// # Errors
    /// Thresholds that do not rise, or a policy of the same date.
    pub async fn add_star_policy(&self, policy: StarPolicy) -> Result<(), ServiceError> {
        policy.check()?;
        let mut tx = self.begin().await?;
        tx.add_star_policy(&policy).await?;
        Ok(tx.commit().await?)
    }
}

/// The star that `policy` gives somebody by their standing.
pub(super) fn star_of(policy: &StarPolicy, standing: &StarStanding) -> u8 {
    policy.certified(standing.window_minutes, standing.earlier_star)
}

fn policy_line(policy: &StarPolicy) -> PolicyLine {
    PolicyLine {
        from: policy.effective_from.to_string(),
        hours: policy.thresholds_minutes.map(|minutes| f64::from(minutes) / 60.0),
        window: policy.window.as_str(),
        window_label: policy.window.label(),
        keep: policy.keep,
        keep_label: if policy.keep { "保留星级" } else { "按当年时长重定" },
    }
}

fn star_row(line: &AwardLine) -> StarRow {
    StarRow {
        name: line.name.clone(),
        unit: line.unit.clone(),
        number: number_of(&line.number).map_or_else(|_| line.number.clone(), |number| number.grouped()),
        year_minutes: (line.hours * 60.0).round() as u32,
        total_minutes: (line.hours_lifetime * 60.0).round() as u32,
        star: line.star,
    }
}
