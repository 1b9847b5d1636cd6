//! What happens to a record after it was entered: corrections, voiding, objections. The old value is always kept.

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use super::bulk::{Insert, Statement};
use super::record::{NewServiceRecord, RecordId, ServiceRecord};
use super::row::{Columns, county_text, name_of};
use super::unit::containing;
use super::{ImportId, Reach, Reader, StoreError, Tx, UnitId};

/// A change of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// `correct` or `void`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// The values before, as JSON.
    pub before: String,
    /// The values after, as JSON; the same for a record declared void.
    pub after: String,
    /// Name of who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// How an objection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeOutcome {
    /// The volunteer was right: the record is void.
    Void,
    /// The volunteer was right: the record was corrected.
    Corrected,
    /// The record stands.
    Rejected,
}

impl DisputeOutcome {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Corrected => "corrected",
            Self::Rejected => "rejected",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Void, Self::Corrected, Self::Rejected].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Whose objections a search finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisputeSearch {
    /// The volunteer's of this certificate number.
    Number(String),
    /// Those of volunteers of exactly this name, and of recording units whose name holds it.
    Words(String),
}

/// A volunteer's objection to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Key.
    pub id: i64,
    /// Against which record.
    pub record: RecordId,
    /// What the volunteer says.
    pub objection: String,
    /// Name of who noted it.
    pub noted_by: String,
    /// Their login.
    pub noted_login: String,
    /// When.
    pub noted_at: Timestamp,
    /// How it ended, if it did.
    pub outcome: Option<DisputeOutcome>,
    /// Why so.
    pub reason: Option<String>,
    /// Name of who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// County of the recording unit.
    pub county: Option<u8>,
    /// The recording unit.
    pub unit: Option<UnitId>,
}

const SELECT_DISPUTE: &str = concat!(
    "SELECT id, record_id, objection, ",
    name_of!("noted_by"),
    ", noted_at, outcome, reason, ",
    name_of!("decided_by"),
    ", decided_at, county, unit_id, noted_by FROM service_dispute WHERE "
);

const SELECT_CHANGE: &str =
    concat!("SELECT kind, reason, before, after, ", name_of!("actor"), ", at FROM service_change WHERE record_id = ");

const INSERT_CHANGE: Insert = Insert {
    table: "service_change",
    columns: &["id", "record_id", "kind", "reason", "before", "after", "actor", "at"],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

impl Reader {
    /// What was done to a record, the first first.
    pub async fn record_changes(&mut self, id: RecordId) -> Result<Vec<RecordChange>, StoreError> {
        let mut query = Statement::new(SELECT_CHANGE);
        query.bind(id.0).push(" ORDER BY id");
        query.fetch_all(self).await?.iter().map(change).collect()
    }

    /// The objections to a record, the first first.
    pub async fn disputes_of(&mut self, record: RecordId) -> Result<Vec<Dispute>, StoreError> {
        let mut query = Statement::new(SELECT_DISPUTE);
        query.push("record_id = ").bind(record.0).push(" ORDER BY id");
        query.fetch_all(self).await?.iter().map(dispute).collect()
    }

    /// One objection.
    pub async fn dispute(&mut self, id: i64) -> Result<Option<Dispute>, StoreError> {
        let mut query = Statement::new(SELECT_DISPUTE);
        query.push("id = ").bind(id);
        query.fetch_optional(self).await?.as_ref().map(dispute).transpose()
    }

    /// Objections within reach, newest first, before the key `before`: those that wait, or those decided; only those that
    /// `search` finds.
    pub async fn disputes(
        &mut self,
        reach: Reach,
        open: bool,
        search: Option<&DisputeSearch>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Dispute>, StoreError> {
        let mut query = Statement::new(SELECT_DISPUTE);
        query.push(if open { "outcome IS NULL" } else { "outcome IS NOT NULL" });
        reached(&mut query, reach)?;
        match search {
            None => {}
            Some(DisputeSearch::Number(number)) => of_volunteers(&mut query, " AND ", "number", number),
            Some(DisputeSearch::Words(words)) => {
                query.push(" AND (unit_id IN (SELECT unit.id FROM unit WHERE unit.name LIKE ").bind(containing(words));
                of_volunteers(query.push(" ESCAPE '!')"), " OR ", "name", words);
                query.push(")");
            }
        }
        if let Some(before) = before {
            query.push(" AND id < ").bind(before);
        }
        query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(dispute).collect()
    }

    /// How many objections wait within reach.
    pub async fn open_disputes(&mut self, reach: Reach) -> Result<u64, StoreError> {
        let mut query = Statement::new("SELECT count(*) FROM service_dispute WHERE outcome IS NULL");
        reached(&mut query, reach)?;
        let row = query.fetch_optional(self).await?;
        row.map_or(Ok(0), |row| row.number(0, "计数"))
    }
}

impl Tx {
    /// Writes new values into a record (`record.correct`) and keeps the old ones; `false` if its revision is no longer
    /// `revision`. A record that is the same as another afterwards is [`StoreError::Duplicate`].
    pub async fn correct_record(
        &mut self,
        old: &ServiceRecord,
        revision: i64,
        new: &NewServiceRecord,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let print = new.fingerprint();
        let changed = sqlx::query(
            "UPDATE service_record SET date = $1, start_minute = $2, end_minute = $3, minutes = $4, content = $5, \
             activity = $6, place = $7, item = $8, flags = $9, organiser = $10, in_charge = $11, late_reason = $12, \
             fingerprint = $13, revision = revision + 1 WHERE id = $14 AND revision = $15",
        )
        .bind(new.date.to_string())
        .bind(new.start_minute.map(i64::from))
        .bind(new.end_minute.map(i64::from))
        .bind(i64::from(new.minutes))
        .bind(new.content.clone())
        .bind(new.activity.clone())
        .bind(new.place.clone())
        .bind(new.item.map(i64::from))
        .bind(i64::from(new.flags))
        .bind(new.organiser.clone())
        .bind(new.in_charge.clone())
        .bind(new.late_reason.clone())
        .bind(&print[..])
        .bind(old.id.0)
        .bind(revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed != 1 {
            return Ok(false);
        }
        self.note_changes("correct", reason, &[(old.id, values(&old.noted), values(new))]).await?;
        let detail = json!({
            "minutes_before": old.noted.minutes, "minutes": new.minutes,
            "date_before": old.noted.date.to_string(), "date": new.date.to_string(),
        });
        self.audit("record.correct", format!("record/{}", old.id), detail);
        Ok(true)
    }

    /// Declares a record void (`record.void`): it is kept aside and never counts again. `false` if its revision is no
    /// longer `revision`.
    pub async fn void_record(&mut self, old: &ServiceRecord, revision: i64, reason: &str) -> Result<bool, StoreError> {
        let moved = sqlx::query(sqlx::AssertSqlSafe(format!("{MOVE} WHERE id = $1 AND revision = $2")))
            .bind(old.id.0)
            .bind(revision)
            .execute(self.connection())
            .await?
            .rows_affected();
        if moved != 1 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM service_record WHERE id = $1").bind(old.id.0).execute(self.connection()).await?;
        let noted = values(&old.noted);
        self.note_changes("void", reason, &[(old.id, noted.clone(), noted)]).await?;
        self.audit("record.void", format!("record/{}", old.id), json!({"minutes": old.noted.minutes}));
        Ok(true)
    }

    /// Declares records void (an entry in the history of each, no event: the caller has one), but for those with an
    /// objection waiting, which are decided first.
    pub(super) async fn void_same(&mut self, records: &[ServiceRecord], reason: &str) -> Result<(), StoreError> {
        let mut changes = Vec::with_capacity(records.len());
        for record in records {
            let left = " WHERE id = $1 AND id NOT IN (SELECT record_id FROM service_dispute WHERE outcome IS NULL)";
            let mut gone = 0;
            for sql in [format!("{MOVE}{left}"), format!("DELETE FROM service_record{left}")] {
                let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(record.id.0);
                gone = query.execute(self.connection()).await?.rows_affected();
            }
            if gone == 1 {
                let noted = values(&record.noted);
                changes.push((record.id, noted.clone(), noted));
            }
        }
        self.note_changes("void", reason, &changes).await
    }

    /// Declares void what is left of one act of entering, without the records that have an objection waiting
    /// (`record.void_entry`). Returns how many.
    pub async fn void_entry(&mut self, import: ImportId, reason: &str) -> Result<u64, StoreError> {
        let mut query = Statement::new(
            "SELECT id, volunteer_id, date, minutes, activity, content FROM service_record WHERE import_id = ",
        );
        query
            .bind(import.0)
            .push(" AND id NOT IN (SELECT record_id FROM service_dispute WHERE outcome IS NULL) ORDER BY id");
        let rows = query.fetch_all(self).await?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in &rows {
            let noted = json!({
                "volunteer": row.int(1)?, "date": row.text(2)?, "minutes": row.int(3)?,
                "activity": row.text_or_null(4)?, "content": row.text(5)?,
            });
            changes.push((RecordId(row.int(0)?), noted.clone(), noted));
        }
        let left = " WHERE import_id = $1 AND id NOT IN (SELECT record_id FROM service_dispute WHERE outcome IS NULL)";
        for sql in [format!("{MOVE}{left}"), format!("DELETE FROM service_record{left}")] {
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(import.0).execute(self.connection()).await?;
        }
        self.note_changes("void", reason, &changes).await?;
        self.audit("record.void_entry", format!("import/{import}"), json!({"count": changes.len()}));
        Ok(changes.len() as u64)
    }

    /// Notes a volunteer's objection (`record.dispute`). A second one while the first waits is [`StoreError::Duplicate`].
    pub async fn note_dispute(
        &mut self,
        record: RecordId,
        (unit, county): (Option<UnitId>, u8),
        objection: &str,
    ) -> Result<i64, StoreError> {
        let id = self.draw_one("service_dispute").await?;
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO service_dispute (id, record_id, unit_id, county, objection, noted_by, noted_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(record.0)
        .bind(unit.map(|unit| unit.0))
        .bind(county_text(county)?)
        .bind(objection.to_owned())
        .bind(actor)
        .bind(at)
        .execute(self.connection())
        .await?;
        self.audit("record.dispute", format!("record/{record}"), json!({"dispute": id}));
        Ok(id)
    }

    /// Ends an objection (`dispute.decide`); `false` if it was ended before.
    pub async fn decide_dispute(&mut self, id: i64, outcome: DisputeOutcome, reason: &str) -> Result<bool, StoreError> {
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        let changed = sqlx::query(
            "UPDATE service_dispute SET outcome = $1, reason = $2, decided_by = $3, decided_at = $4 \
             WHERE id = $5 AND outcome IS NULL",
        )
        .bind(outcome.as_str())
        .bind(reason.to_owned())
        .bind(actor)
        .bind(at)
        .bind(id)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            self.audit("dispute.decide", format!("dispute/{id}"), json!({"outcome": outcome.as_str()}));
        }
        Ok(changed == 1)
    }

    async fn note_changes(
        &mut self,
        kind: &'static str,
        reason: &str,
        changes: &[(RecordId, Value, Value)],
    ) -> Result<(), StoreError> {
        let ids = self.draw("service_change", changes.len()).await?;
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        let rows: Vec<_> = ids.zip(changes).collect();
        self.insert_all(&INSERT_CHANGE, &rows, |values, (id, (record, before, after))| {
            values.push(*id);
            values.push(record.0);
            values.push(kind);
            values.push(reason);
            values.push(before.to_string());
            values.push(after.to_string());
            values.push(actor.as_str());
            values.push(at);
        })
        .await
    }
}

const MOVE: &str = "INSERT INTO service_record_void (id, volunteer_id, date, start_minute, end_minute, minutes, content, \
                    activity, place, item, flags, import_id, entered_at, unit_id, county, organiser, in_charge, \
                    late_reason, entered_by, revision) SELECT id, volunteer_id, date, start_minute, end_minute, minutes, \
                    content, activity, place, item, flags, import_id, entered_at, unit_id, county, organiser, in_charge, \
                    late_reason, entered_by, revision FROM service_record";

/// What a record says, for its history.
fn values(noted: &NewServiceRecord) -> Value {
    json!({
        "volunteer": noted.volunteer.0, "date": noted.date.to_string(), "start": noted.start_minute,
        "end": noted.end_minute, "minutes": noted.minutes, "activity": noted.activity, "content": noted.content,
        "place": noted.place, "item": noted.item, "organiser": noted.organiser, "in_charge": noted.in_charge,
        "late_reason": noted.late_reason,
    })
}

fn reached(query: &mut Statement, reach: Reach) -> Result<(), StoreError> {
    match reach {
        Reach::Everything => {}
        Reach::County(county) => drop(query.push(" AND county = ").bind(county_text(county)?)),
        Reach::Unit(unit) => drop(query.push(" AND unit_id = ").bind(unit.0)),
    }
    Ok(())
}

/// Adds that the record, void or not, is of volunteers whose `column` is `text`. Each list is found by its index and once for
/// the whole statement: the record of every objection looked up would take longer the more objections there are.
fn of_volunteers(query: &mut Statement, joined: &'static str, column: &'static str, text: &str) {
    query.push(joined).push("record_id IN (");
    for (union, table) in [("", "service_record"), (" UNION ALL ", "service_record_void")] {
        query.push(union).push("SELECT r.id FROM ").push(table);
        query.push(" r JOIN volunteer v ON v.id = r.volunteer_id WHERE v.").push(column).push(" = ");
        query.bind(text.to_owned());
    }
    query.push(")");
}

fn change(row: &AnyRow) -> Result<RecordChange, StoreError> {
    Ok(RecordChange {
        kind: row.text(0)?,
        reason: row.text(1)?,
        before: row.text(2)?,
        after: row.text(3)?,
        actor: row.text(4)?,
        at: row.moment(5)?,
    })
}

fn dispute(row: &AnyRow) -> Result<Dispute, StoreError> {
    let outcome = row.text_or_null(5)?;
    let known = |text: String| DisputeOutcome::parse(&text).ok_or(StoreError::BadValue { what: "异议结果" });
    Ok(Dispute {
        id: row.int(0)?,
        record: RecordId(row.int(1)?),
        objection: row.text(2)?,
        noted_by: row.text(3)?,
        noted_at: row.moment(4)?,
        outcome: outcome.map(known).transpose()?,
        reason: row.text_or_null(6)?,
        decided_by: row.text_or_null(7)?,
        decided_at: row.moment_or_null(8)?,
        county: row.text_or_null(9)?.and_then(|county| county.parse().ok()),
        unit: row.int_or_null(10)?.map(UnitId),
        noted_login: row.text(11)?,
    })
}
