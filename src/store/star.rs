//! Star rules, the year's batch and its awards.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::star::{StarPolicy, Window};

use super::audit::BatchHash;
use super::bulk::{Insert, Statement};
use super::row::{Columns, id};
use super::{Reader, StoreError, Tx, UnitId, VolunteerId};

id!(
    /// Key of a batch.
    StarBatchId
);

/// What deciding about one volunteer's star needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarStanding {
    /// Volunteer.
    pub volunteer: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: UnitId,
    /// Name of the unit.
    pub unit_name: String,
    /// County of the unit.
    pub county: u8,
    /// Star in force.
    pub star: u8,
    /// Star of the latest batch of an earlier year, 0 for none: what `keep` keeps.
    pub earlier_star: u8,
    /// Minutes inside the window.
    pub window_minutes: u64,
    /// Minutes up to the window's last day.
    pub lifetime_minutes: u64,
}

/// A star to certify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewStarAward {
    /// Volunteer.
    pub volunteer: VolunteerId,
    /// Star, 0 to 5; 0 takes an earlier one away.
    pub star: u8,
    /// Minutes inside the window.
    pub window_minutes: u64,
    /// Minutes up to the window's last day.
    pub lifetime_minutes: u64,
}

/// A certified star.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarAward {
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Name of the unit.
    pub unit: String,
    /// What was certified.
    pub award: NewStarAward,
    /// The batch that did last.
    pub batch: StarBatchId,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarBatch {
    /// Key.
    pub id: StarBatchId,
    /// Year it is for.
    pub year: i16,
    /// First day that counted.
    pub first_day: Date,
    /// Last day that counted.
    pub last_day: Date,
    /// The rule followed, by its date.
    pub policy_effective_from: Date,
    /// How many awards.
    pub awards: u64,
    /// Who certified.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

const SELECT_POLICY: &str = "SELECT effective_from, minutes_1, minutes_2, minutes_3, minutes_4, minutes_5, counted, keep \
                             FROM star_policy";

const INSERT_AWARD: Insert = Insert {
    table: "star_award",
    columns: &["id", "batch_id", "volunteer_id", "year", "star", "window_minutes", "lifetime_minutes"],
    fixed: &[],
    conflict: "ON CONFLICT (volunteer_id, year) DO UPDATE SET batch_id = excluded.batch_id, star = excluded.star, \
               window_minutes = excluded.window_minutes, lifetime_minutes = excluded.lifetime_minutes",
    may_stop_halfway: false,
};

impl Reader {
    /// Every rule, oldest first.
    pub async fn star_policies(&mut self) -> Result<Vec<StarPolicy>, StoreError> {
        let mut query = Statement::new(SELECT_POLICY);
        query.push(" ORDER BY effective_from");
        query.fetch_all(self).await?.iter().map(policy).collect()
    }

    /// The rule in force on `day`.
    pub async fn star_policy_at(&mut self, day: Date) -> Result<Option<StarPolicy>, StoreError> {
        let mut query = Statement::new(SELECT_POLICY);
        query.push(" WHERE effective_from <= ").bind(day.to_string()).push(" ORDER BY effective_from DESC LIMIT 1");
        query.fetch_optional(self).await?.as_ref().map(policy).transpose()
    }

    /// The active volunteers who have served up to `to` or have a star, by number, with the minutes from `from` to `to`
    /// and in all, and the star of the latest batch before `year`. One query over all records.
    pub async fn star_standings(&mut self, year: i16, from: Date, to: Date) -> Result<Vec<StarStanding>, StoreError> {
        let sql = "SELECT v.id, v.number, v.name, v.unit_id, u.name, v.star, \
                   COALESCE((SELECT a.star FROM star_award a WHERE a.volunteer_id = v.id AND a.year < $1 \
                             ORDER BY a.year DESC LIMIT 1), 0), \
                   COALESCE(t.counted, 0), COALESCE(t.lifetime, 0), u.county \
                   FROM volunteer v JOIN unit u ON u.id = v.unit_id \
                   LEFT JOIN (SELECT volunteer_id, \
                       CAST(sum(CASE WHEN date >= $2 THEN minutes ELSE 0 END) AS BIGINT) AS counted, \
                       CAST(sum(minutes) AS BIGINT) AS lifetime \
                       FROM service_record WHERE date <= $3 GROUP BY volunteer_id) t ON t.volunteer_id = v.id \
                   WHERE v.state = 'active' AND (v.star > 0 OR t.lifetime > 0) ORDER BY v.number";
        let rows = sqlx::query(sql)
            .bind(i64::from(year))
            .bind(from.to_string())
            .bind(to.to_string())
            .fetch_all(self.connection())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(StarStanding {
                    volunteer: VolunteerId(row.int(0)?),
                    number: row.text(1)?,
                    name: row.text(2)?,
                    unit: UnitId(row.int(3)?),
                    unit_name: row.text(4)?,
                    star: row.number(5, "星级")?,
                    earlier_star: row.number(6, "星级")?,
                    window_minutes: row.number(7, "时长")?,
                    lifetime_minutes: row.number(8, "时长")?,
                    county: row.county(9)?,
                })
            })
            .collect()
    }

    /// The batches, newest first.
    pub async fn star_batches(&mut self) -> Result<Vec<StarBatch>, StoreError> {
        let query = Statement::new(
            "SELECT id, year, first_day, last_day, policy_effective_from, awards, actor, at FROM star_batch \
             ORDER BY id DESC",
        );
        query.fetch_all(self).await?.iter().map(batch).collect()
    }

    /// The awards of a year, by number.
    pub async fn star_awards(&mut self, year: i16) -> Result<Vec<StarAward>, StoreError> {
        let mut query = Statement::new(
            "SELECT v.number, v.name, u.name, a.volunteer_id, a.star, a.window_minutes, a.lifetime_minutes, a.batch_id \
             FROM star_award a JOIN volunteer v ON v.id = a.volunteer_id JOIN unit u ON u.id = v.unit_id WHERE a.year = ",
        );
        query.bind(i64::from(year)).push(" ORDER BY v.number");
        query.fetch_all(self).await?.iter().map(award).collect()
    }
}

impl Tx {
    /// Adds a rule (`star_policy.add`). A second one from the same day is [`StoreError::Duplicate`].
    pub async fn add_star_policy(&mut self, policy: &StarPolicy) -> Result<(), StoreError> {
        policy.check()?;
        let now = self.now.as_second();
        let mut query = sqlx::query(
            "INSERT INTO star_policy (effective_from, minutes_1, minutes_2, minutes_3, minutes_4, minutes_5, counted, \
             keep, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(policy.effective_from.to_string());
        for minutes in policy.thresholds_minutes {
            query = query.bind(i64::from(minutes));
        }
        query.bind(policy.window.as_str()).bind(i64::from(policy.keep)).bind(now).execute(self.connection()).await?;
        let detail = json!({
            "minutes": policy.thresholds_minutes, "window": policy.window.as_str(), "keep": policy.keep,
        });
        self.audit("star_policy.add", format!("star_policy/{}", policy.effective_from), detail);
        Ok(())
    }

    /// Certifies a year's stars under `policy`, counted from `from` to `to`. An award of the same year and volunteer is
    /// replaced, and each volunteer named gets the star of their latest year. Returns the batch and how many stars
    /// changed. One event (`star.certify`) with a SHA-256 over the awards.
    pub async fn certify_stars(
        &mut self,
        year: i16,
        policy: &StarPolicy,
        (from, to): (Date, Date),
        awards: &[NewStarAward],
    ) -> Result<(StarBatchId, u64), StoreError> {
        let batch = StarBatchId(self.draw_one("star_batch").await?);
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO star_batch (id, year, first_day, last_day, policy_effective_from, awards, actor, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(batch.0)
        .bind(i64::from(year))
        .bind(from.to_string())
        .bind(to.to_string())
        .bind(policy.effective_from.to_string())
        .bind(awards.len() as i64)
        .bind(actor)
        .bind(at)
        .execute(self.connection())
        .await?;

        let ids = self.draw("star_award", awards.len()).await?;
        let rows: Vec<_> = ids.zip(awards).collect();
        let mut hash = BatchHash::default();
        for award in awards {
            hash.add(&format!(
                "{} {} {} {}",
                award.volunteer, award.star, award.window_minutes, award.lifetime_minutes
            ));
        }
        self.insert_all(&INSERT_AWARD, &rows, |values, (id, award)| {
            values.push(*id);
            values.push(batch.0);
            values.push(award.volunteer.0);
            values.push(i64::from(year));
            values.push(i64::from(award.star));
            values.push(award.window_minutes as i64);
            values.push(award.lifetime_minutes as i64);
        })
        .await?;

        let latest =
            "(SELECT a.star FROM star_award a WHERE a.volunteer_id = volunteer.id ORDER BY a.year DESC LIMIT 1)";
        let sql = format!(
            "UPDATE volunteer SET star = {latest} \
             WHERE id IN (SELECT volunteer_id FROM star_award WHERE batch_id = $1) AND star <> {latest}"
        );
        let changed =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(batch.0).execute(self.connection()).await?.rows_affected();
        let detail = json!({
            "year": year, "from": from.to_string(), "to": to.to_string(), "count": awards.len(), "changed": changed,
            "policy": policy.effective_from.to_string(), "awards_sha256": hash.hex(),
        });
        self.audit("star.certify", format!("star_batch/{batch}"), detail);
        Ok((batch, changed))
    }
}

fn policy(row: &AnyRow) -> Result<StarPolicy, StoreError> {
    let mut thresholds_minutes = [0; 5];
    for (i, minutes) in thresholds_minutes.iter_mut().enumerate() {
        *minutes = row.number(1 + i, "星级标准")?;
    }
    Ok(StarPolicy {
        effective_from: row.date(0)?,
        thresholds_minutes,
        window: Window::parse(row.str(6)?)?,
        keep: row.yes(7)?,
    })
}

fn batch(row: &AnyRow) -> Result<StarBatch, StoreError> {
    Ok(StarBatch {
        id: StarBatchId(row.int(0)?),
        year: row.number(1, "年度")?,
        first_day: row.date(2)?,
        last_day: row.date(3)?,
        policy_effective_from: row.date(4)?,
        awards: row.number(5, "计数")?,
        actor: row.text(6)?,
        at: row.moment(7)?,
    })
}

fn award(row: &AnyRow) -> Result<StarAward, StoreError> {
    Ok(StarAward {
        number: row.text(0)?,
        name: row.text(1)?,
        unit: row.text(2)?,
        award: NewStarAward {
            volunteer: VolunteerId(row.int(3)?),
            star: row.number(4, "星级")?,
            window_minutes: row.number(5, "时长")?,
            lifetime_minutes: row.number(6, "时长")?,
        },
        batch: StarBatchId(row.int(7)?),
    })
}
