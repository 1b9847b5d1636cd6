//! What entering records at the console needs: the people of a unit, activities whose hours are still to be entered, sheets
//! handed in, proofs issued.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sqlx::any::AnyRow;

use super::bulk::Statement;
use super::row::{Columns, county_text, name_of};
use super::unit::containing;
use super::{Reach, Reader, StoreError, Tx, Unit, UnitId, VolunteerId};

/// Somebody of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitPerson {
    /// Key.
    pub id: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Name of the unit.
    pub unit_name: String,
}

/// An activity that took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewActivity {
    /// Whose.
    pub unit: UnitId,
    /// County of the unit.
    pub county: u8,
    /// On which day.
    pub date: Date,
    /// Its name.
    pub name: String,
    /// From which minute of the day to which, if known.
    pub span: Option<(u16, u16)>,
    /// Minutes a head, if known.
    pub minutes: Option<u16>,
    /// What was done.
    pub content: String,
    /// Where.
    pub place: String,
    /// Number of the service item.
    pub item: Option<u8>,
    /// Who organised it.
    pub organiser: String,
    /// Who was in charge.
    pub in_charge: String,
}

/// An activity whose hours are still to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingActivity {
    /// Key.
    pub id: i64,
    /// What is known of it.
    pub noted: NewActivity,
    /// Name of the unit.
    pub unit_name: String,
    /// Name of who noted it.
    pub made_by: String,
}

/// A sheet handed in and not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoursUpload {
    /// Key.
    pub id: i64,
    /// What the person calls the file.
    pub file_name: String,
    /// Its name in the work folder.
    pub stored_as: String,
    /// When.
    pub at: Timestamp,
}

/// A 志愿服务记录证明 to issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProof {
    /// For whom.
    pub volunteer: VolunteerId,
    /// First day of the services it names.
    pub first_day: Date,
    /// Last day.
    pub last_day: Date,
    /// How many.
    pub records: u64,
    /// Their minutes.
    pub minutes: u64,
    /// SHA-256 over what it says of them.
    pub records_sha256: [u8; 32],
}

/// A 志愿服务记录证明 that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Key.
    pub id: i64,
    /// Serial number, such as `2026-000001`.
    pub serial: String,
    /// What it says.
    pub noted: NewProof,
    /// Name of who issued it.
    pub issued_by: String,
    /// When.
    pub issued_at: Timestamp,
}

const SELECT_ACTIVITY: &str = concat!(
    "SELECT a.id, a.unit_id, a.county, a.date, a.name, a.start_minute, a.end_minute, a.minutes, a.content, a.place, \
     a.item, a.organiser, a.in_charge, u.name, ",
    name_of!("a.made_by"),
    " FROM service_activity a JOIN unit u ON u.id = a.unit_id WHERE a.state = 'open'"
);
const SELECT_PROOF: &str = concat!(
    "SELECT id, serial, volunteer_id, first_day, last_day, records, minutes, records_sha256, ",
    name_of!("issued_by"),
    ", issued_at FROM service_proof WHERE "
);

impl Reader {
    /// The active people of a unit by number, after the number `after`; only those whose name or number holds `search`.
    pub async fn unit_people(
        &mut self,
        unit: UnitId,
        search: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<UnitPerson>, StoreError> {
        let mut query = Statement::new(
            "SELECT v.id, v.number, v.name, u.name FROM volunteer v JOIN unit u ON u.id = v.unit_id WHERE v.unit_id = ",
        );
        query.bind(unit.0).push(" AND v.state = 'active' AND v.number > ").bind(after.to_owned());
        if !search.is_empty() {
            let pattern = containing(search);
            query.push(" AND (v.name LIKE ").bind(pattern.clone()).push(" ESCAPE '!' OR v.number LIKE ");
            query.bind(pattern).push(" ESCAPE '!')");
        }
        query.push(" ORDER BY v.number LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(person).collect()
    }

    /// The people within reach of exactly this name, by number.
    pub async fn namesakes(&mut self, reach: Reach, name: &str, limit: u32) -> Result<Vec<UnitPerson>, StoreError> {
        let mut query = Statement::new(
            "SELECT v.id, v.number, v.name, u.name FROM volunteer v JOIN unit u ON u.id = v.unit_id WHERE v.name = ",
        );
        query.bind(name.to_owned());
        reach.narrow(&mut query, "u")?;
        query.push(" ORDER BY v.number LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(person).collect()
    }

    /// Units within reach whose name holds `search`, by name.
    pub async fn units_holding(&mut self, reach: Reach, search: &str, limit: u32) -> Result<Vec<Unit>, StoreError> {
        let mut query = Statement::new("SELECT u.id FROM unit u WHERE u.name LIKE ");
        query.bind(containing(search)).push(" ESCAPE '!'");
        reach.narrow(&mut query, "u")?;
        query.push(" ORDER BY u.name, u.id LIMIT ").bind(i64::from(limit));
        let mut units = Vec::new();
        for row in query.fetch_all(self).await? {
            units.extend(self.unit(UnitId(row.int(0)?)).await?);
        }
        Ok(units)
    }

    /// Activities within reach whose hours are still to be entered, the oldest first, after `after`; only those of `until`
    /// or before, and those whose name or unit holds `search`.
    pub async fn pending_activities(
        &mut self,
        reach: Reach,
        until: Option<Date>,
        search: &str,
        after: Option<(Date, i64)>,
        limit: u32,
    ) -> Result<Vec<PendingActivity>, StoreError> {
        let mut query = Statement::new(SELECT_ACTIVITY);
        reach.narrow(&mut query, "u")?;
        if let Some(until) = until {
            query.push(" AND a.date <= ").bind(until.to_string());
        }
        if !search.is_empty() {
            let like = containing(search);
            query.push(" AND (a.name LIKE ").bind(like.clone()).push(" ESCAPE '!' OR u.name LIKE ");
            query.bind(like).push(" ESCAPE '!')");
        }
        if let Some((date, id)) = after {
            query.push(" AND (a.date, a.id) > (").bind(date.to_string()).push(", ").bind(id).push(")");
        }
        query.push(" ORDER BY a.date, a.id LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(activity).collect()
    }

    /// One activity whose hours are still to be entered.
    pub async fn pending_activity(&mut self, id: i64) -> Result<Option<PendingActivity>, StoreError> {
        let mut query = Statement::new(SELECT_ACTIVITY);
        query.push(" AND a.id = ").bind(id);
        query.fetch_optional(self).await?.as_ref().map(activity).transpose()
    }

    /// How many activities within reach wait since `overdue` or before, and how many since later up to `soon`.
    pub async fn count_pending(&mut self, reach: Reach, overdue: Date, soon: Date) -> Result<(u64, u64), StoreError> {
        let mut query = Statement::new("SELECT CAST(COALESCE(sum(CASE WHEN a.date <= ");
        query.bind(overdue.to_string()).push(
            " THEN 1 ELSE 0 END), 0) AS BIGINT), count(*) FROM service_activity a JOIN unit u ON u.id = a.unit_id \
             WHERE a.state = 'open' AND a.date <= ",
        );
        query.bind(soon.to_string());
        reach.narrow(&mut query, "u")?;
        let Some(row) = query.fetch_optional(self).await? else { return Ok((0, 0)) };
        let (over, all): (u64, u64) = (row.number(0, "计数")?, row.number(1, "计数")?);
        Ok((over, all - over))
    }

    /// A sheet that this person handed in.
    pub async fn hours_upload(&mut self, id: i64, staff: i64) -> Result<Option<HoursUpload>, StoreError> {
        let mut query = Statement::new("SELECT id, file_name, stored_as, at FROM service_upload WHERE id = ");
        query.bind(id).push(" AND staff_id = ").bind(staff);
        query.fetch_optional(self).await?.as_ref().map(upload).transpose()
    }

    /// Sheets handed in before `moment` and never confirmed.
    pub async fn stale_uploads(&mut self, moment: Timestamp) -> Result<Vec<HoursUpload>, StoreError> {
        let mut query = Statement::new("SELECT id, file_name, stored_as, at FROM service_upload WHERE at < ");
        query.bind(moment.as_second()).push(" ORDER BY id LIMIT 100");
        query.fetch_all(self).await?.iter().map(upload).collect()
    }

    /// The proofs of one volunteer, newest first.
    pub async fn proofs_of(&mut self, volunteer: VolunteerId) -> Result<Vec<Proof>, StoreError> {
        let mut query = Statement::new(SELECT_PROOF);
        query.push("volunteer_id = ").bind(volunteer.0).push(" ORDER BY id DESC LIMIT 100");
        query.fetch_all(self).await?.iter().map(proof).collect()
    }
}

impl Tx {
    /// Notes an activity whose hours are still to be entered (`activity.note`).
    pub async fn note_activity(&mut self, new: &NewActivity) -> Result<i64, StoreError> {
        let id = self.draw_one("service_activity").await?;
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO service_activity (id, unit_id, county, date, name, start_minute, end_minute, minutes, content, \
             place, item, organiser, in_charge, state, made_by, made_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'open', $14, $15)",
        )
        .bind(id)
        .bind(new.unit.0)
        .bind(county_text(new.county)?)
        .bind(new.date.to_string())
        .bind(new.name.clone())
        .bind(new.span.map(|(start, _)| i64::from(start)))
        .bind(new.span.map(|(_, end)| i64::from(end)))
        .bind(new.minutes.map(i64::from))
        .bind(new.content.clone())
        .bind(new.place.clone())
        .bind(new.item.map(i64::from))
        .bind(new.organiser.clone())
        .bind(new.in_charge.clone())
        .bind(actor)
        .bind(at)
        .execute(self.connection())
        .await?;
        self.audit(
            "activity.note",
            format!("activity/{id}"),
            json!({"unit": new.unit.0, "date": new.date.to_string()}),
        );
        Ok(id)
    }

    /// Ends an activity's waiting: its hours were entered (`activity.entered`), or it is given up with a reason
    /// (`activity.drop`). `false` if it did not wait.
    pub async fn close_activity(&mut self, id: i64, dropped: Option<&str>) -> Result<bool, StoreError> {
        let at = self.now.as_second();
        let state = if dropped.is_some() { "dropped" } else { "entered" };
        let changed = sqlx::query(
            "UPDATE service_activity SET state = $1, note = $2, closed_at = $3 WHERE id = $4 AND state = 'open'",
        )
        .bind(state)
        .bind(dropped.map(str::to_owned))
        .bind(at)
        .bind(id)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            let action = if dropped.is_some() { "activity.drop" } else { "activity.entered" };
            self.audit(action, format!("activity/{id}"), json!({}));
        }
        Ok(changed == 1)
    }

    /// Notes a sheet handed in (`upload.hours`).
    pub async fn note_upload(
        &mut self,
        staff: i64,
        file_name: &str,
        stored_as: &str,
        sha256: &[u8; 32],
    ) -> Result<i64, StoreError> {
        let id = self.draw_one("service_upload").await?;
        let at = self.now.as_second();
        sqlx::query(
            "INSERT INTO service_upload (id, staff_id, file_name, stored_as, file_sha256, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(staff)
        .bind(file_name.to_owned())
        .bind(stored_as.to_owned())
        .bind(&sha256[..])
        .bind(at)
        .execute(self.connection())
        .await?;
        self.audit("upload.hours", format!("upload/{id}"), json!({"file_sha256": hex::encode(sha256)}));
        Ok(id)
    }

    /// Forgets a sheet that was confirmed or given up (`upload.forget`).
    pub async fn forget_upload(&mut self, id: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM service_upload WHERE id = $1").bind(id).execute(self.connection()).await?;
        self.audit("upload.forget", format!("upload/{id}"), json!({}));
        Ok(())
    }

    /// Issues a proof under the next serial number of the year `year` (`proof.issue`).
    pub async fn issue_proof(&mut self, year: i16, new: &NewProof) -> Result<Proof, StoreError> {
        let id = self.draw_one("service_proof").await?;
        let counter = format!("service_proof_{year}");
        let serial = format!("{year}-{:06}", self.draw_one(&counter).await?);
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO service_proof (id, serial, volunteer_id, first_day, last_day, records, minutes, records_sha256, \
             issued_by, issued_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(id)
        .bind(serial.clone())
        .bind(new.volunteer.0)
        .bind(new.first_day.to_string())
        .bind(new.last_day.to_string())
        .bind(new.records as i64)
        .bind(new.minutes as i64)
        .bind(&new.records_sha256[..])
        .bind(actor.clone())
        .bind(at)
        .execute(self.connection())
        .await?;
        let detail = json!({"serial": serial, "records_sha256": hex::encode(new.records_sha256)});
        self.audit("proof.issue", format!("proof/{id}"), detail);
        Ok(Proof { id, serial, noted: new.clone(), issued_by: actor, issued_at: self.now })
    }
}

fn person(row: &AnyRow) -> Result<UnitPerson, StoreError> {
    Ok(UnitPerson { id: VolunteerId(row.int(0)?), number: row.text(1)?, name: row.text(2)?, unit_name: row.text(3)? })
}

fn activity(row: &AnyRow) -> Result<PendingActivity, StoreError> {
    let (start, end) = (row.number_or_null(5, "时间")?, row.number_or_null(6, "时间")?);
    Ok(PendingActivity {
        id: row.int(0)?,
        noted: NewActivity {
            unit: UnitId(row.int(1)?),
            county: row.county(2)?,
            date: row.date(3)?,
            name: row.text(4)?,
            span: start.zip(end),
            minutes: row.number_or_null(7, "时长")?,
            content: row.text(8)?,
            place: row.text(9)?,
            item: row.number_or_null(10, "服务项目")?,
            organiser: row.text(11)?,
            in_charge: row.text(12)?,
        },
        unit_name: row.text(13)?,
        made_by: row.text(14)?,
    })
}

fn upload(row: &AnyRow) -> Result<HoursUpload, StoreError> {
    Ok(HoursUpload { id: row.int(0)?, file_name: row.text(1)?, stored_as: row.text(2)?, at: row.moment(3)? })
}

fn proof(row: &AnyRow) -> Result<Proof, StoreError> {
    Ok(Proof {
        id: row.int(0)?,
        serial: row.text(1)?,
        noted: NewProof {
            volunteer: VolunteerId(row.int(2)?),
            first_day: row.date(3)?,
            last_day: row.date(4)?,
            records: row.number(5, "计数")?,
            minutes: row.number(6, "时长")?,
            records_sha256: row.array(7, "摘要")?,
        },
        issued_by: row.text(8)?,
        issued_at: row.moment(9)?,
    })
}
