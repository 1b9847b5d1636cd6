//! Service records: who served when, for how long, at what (《志愿服务记录与证明出具办法（试行）》).

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;

use super::audit::BatchHash;
use super::bulk::{Insert, Statement};
use super::row::{Columns, id};
use super::{ImportId, Reader, StoreError, Tx, UnitId, VolunteerId};

id!(
    /// Key of a service record.
    RecordId
);

/// A service record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewServiceRecord {
    /// Who served.
    pub volunteer: VolunteerId,
    /// On which day.
    pub date: Date,
    /// From which minute of the day, if known: 0 to 1440.
    pub start_minute: Option<u16>,
    /// To which minute of the day, if known: 0 to 1440.
    pub end_minute: Option<u16>,
    /// How long, 1 to 1440 minutes.
    pub minutes: u16,
    /// What was done.
    pub content: String,
    /// Name of the activity.
    pub activity: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// Number of the service item, of the 32 of 附件1.
    pub item: Option<u8>,
    /// What is to be noted about the record (late entry, …), as bits whose meaning the hours rules give.
    pub flags: u32,
    /// Who organised the activity.
    pub organiser: Option<String>,
    /// Who was in charge of it.
    pub in_charge: Option<String>,
    /// Why it was entered late, if it was.
    pub late_reason: Option<String>,
}

impl NewServiceRecord {
    /// The same for the same service told again, whichever file tells it: SHA-256 over who, when and what, not over flags
    /// and who answers for it.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut field = |bytes: Option<&[u8]>| match bytes {
            None => hash.update([0]),
            Some(bytes) => {
                hash.update([1]);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
        };
        field(Some(&self.volunteer.0.to_be_bytes()));
        field(Some(self.date.to_string().as_bytes()));
        field(self.start_minute.map(u16::to_be_bytes).as_ref().map(|bytes| &bytes[..]));
        field(self.end_minute.map(u16::to_be_bytes).as_ref().map(|bytes| &bytes[..]));
        field(Some(&self.minutes.to_be_bytes()));
        field(Some(self.content.as_bytes()));
        field(self.activity.as_ref().map(String::as_bytes));
        field(self.place.as_ref().map(String::as_bytes));
        field(self.item.as_ref().map(std::slice::from_ref));
        hash.finalize().into()
    }
}

/// A service record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRecord {
    /// Key.
    pub id: RecordId,
    /// What was written.
    pub noted: NewServiceRecord,
    /// The import that brought it.
    pub import: Option<ImportId>,
    /// When it was entered; more than 10 working days after the service is late.
    pub entered_at: Timestamp,
    /// The unit that recorded it (记录单位).
    pub unit: Option<UnitId>,
    /// Login name of who entered it; none for records older than the console.
    pub entered_by: Option<String>,
    /// Counts corrections, from 1.
    pub revision: i64,
}

/// What a check for overlaps needs of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRecord {
    /// Who served.
    pub volunteer: VolunteerId,
    /// On which day.
    pub date: Date,
    /// From which minute of the day.
    pub start_minute: Option<u16>,
    /// To which minute of the day.
    pub end_minute: Option<u16>,
    /// How long, in minutes.
    pub minutes: u16,
}

const INSERT: Insert = Insert {
    table: "service_record",
    columns: &[
        "id",
        "volunteer_id",
        "date",
        "start_minute",
        "end_minute",
        "minutes",
        "content",
        "activity",
        "place",
        "item",
        "flags",
        "fingerprint",
        "import_id",
        "entered_at",
        "unit_id",
        "county",
        "organiser",
        "in_charge",
        "late_reason",
        "entered_by",
    ],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

impl Reader {
    /// Which of these [fingerprints](NewServiceRecord::fingerprint) are there already.
    pub async fn known_fingerprints(&mut self, fingerprints: &[[u8; 32]]) -> Result<HashSet<[u8; 32]>, StoreError> {
        let select = "SELECT fingerprint FROM service_record WHERE fingerprint";
        let rows = self.select_in(select, fingerprints, "", |values, print| values.push(&print[..])).await?;
        rows.iter().map(|row| row.array(0, "记录指纹")).collect()
    }

    /// The records of these volunteers from one day to another, both included, by volunteer and day.
    pub async fn day_records(
        &mut self,
        volunteers: &[VolunteerId],
        from: Date,
        to: Date,
    ) -> Result<Vec<DayRecord>, StoreError> {
        let mut ids: Vec<i64> = volunteers.iter().map(|id| id.0).collect();
        ids.sort_unstable();
        ids.dedup();
        let before = "SELECT volunteer_id, date, start_minute, end_minute, minutes FROM service_record \
                      WHERE date >= {} AND date <= {} AND volunteer_id";
        let days = [from.to_string(), to.to_string()];
        let after = "ORDER BY volunteer_id, date, start_minute, id";
        let rows =
            self.select_in_with(before, &[&days[0], &days[1]], &ids, after, |values, id| values.push(*id)).await?;
        rows.iter()
            .map(|row| {
                Ok(DayRecord {
                    volunteer: VolunteerId(row.int(0)?),
                    date: row.date(1)?,
                    start_minute: row.number_or_null(2, "时间")?,
                    end_minute: row.number_or_null(3, "时间")?,
                    minutes: row.number(4, "时长")?,
                })
            })
            .collect()
    }

    /// All records of one volunteer, newest day first.
    pub async fn service_records(&mut self, volunteer: VolunteerId) -> Result<Vec<ServiceRecord>, StoreError> {
        let mut query = Statement::new(
            "SELECT id, volunteer_id, date, start_minute, end_minute, minutes, content, activity, place, item, flags, \
             organiser, in_charge, late_reason, import_id, entered_at, unit_id, entered_by, revision \
             FROM service_record WHERE volunteer_id = ",
        );
        query.bind(volunteer.0).push(" ORDER BY date DESC, start_minute DESC, id DESC");
        query.fetch_all(self).await?.iter().map(record).collect()
    }

    /// Minutes of one volunteer from one day to another, both included, and up to the second day in all.
    pub async fn service_minutes(
        &mut self,
        volunteer: VolunteerId,
        from: Date,
        to: Date,
    ) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT CAST(COALESCE(sum(CASE WHEN date >= $1 THEN minutes ELSE 0 END), 0) AS BIGINT), \
                   CAST(COALESCE(sum(minutes), 0) AS BIGINT) FROM service_record WHERE volunteer_id = $2 AND date <= $3";
        let row = sqlx::query(sql)
            .bind(from.to_string())
            .bind(volunteer.0)
            .bind(to.to_string())
            .fetch_one(self.connection())
            .await?;
        Ok((row.number(0, "时长")?, row.number(1, "时长")?))
    }
}

impl Tx {
    /// Writes service records. One that is there already is [`StoreError::Duplicate`] and spoils the transaction: ask
    /// [`Reader::known_fingerprints`] first. One event for all (`record.import`), or one each without an import
    /// (`record.enter`).
    pub async fn insert_service_records(
        &mut self,
        import: Option<ImportId>,
        new: &[NewServiceRecord],
    ) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let units = self.recording_units(new).await?;
        let entered_by = self.actor.clone();
        let ids = self.draw("service_record", new.len()).await?;
        let entered_at = self.now.as_second();
        let mut hash = BatchHash::default();
        let rows: Vec<_> = ids.zip(new).map(|(id, new)| (id, new, new.fingerprint())).collect();
        for (id, new, print) in &rows {
            hash.add_bytes(print);
            if import.is_none() {
                let detail = json!({"date": new.date.to_string(), "minutes": new.minutes});
                self.audit("record.enter", format!("record/{id}"), detail);
            }
        }
        self.insert_all(&INSERT, &rows, |values, (id, new, print)| {
            values.push(*id);
            values.push(new.volunteer.0);
            values.push(new.date.to_string());
            values.push(new.start_minute.map(i64::from));
            values.push(new.end_minute.map(i64::from));
            values.push(i64::from(new.minutes));
            values.push(new.content.as_str());
            values.push(new.activity.as_deref());
            values.push(new.place.as_deref());
            values.push(new.item.map(i64::from));
            values.push(i64::from(new.flags));
            values.push(&print[..]);
            values.push(import.map(|import| import.0));
            values.push(entered_at);
            let unit = units.get(&new.volunteer);
            values.push(unit.map(|(unit, _)| *unit));
            values.push(unit.map(|(_, county)| county.as_str()));
            values.push(new.organiser.as_deref());
            values.push(new.in_charge.as_deref());
            values.push(new.late_reason.as_deref());
            values.push(entered_by.as_str());
        })
        .await?;
        if let Some(import) = import {
            let detail = json!({"count": new.len(), "records_sha256": hash.hex()});
            self.audit("record.import", format!("import/{import}"), detail);
        }
        Ok(())
    }

    /// The unit each of these people belongs to now, with its county: it is the one that records.
    async fn recording_units(
        &mut self,
        new: &[NewServiceRecord],
    ) -> Result<HashMap<VolunteerId, (i64, String)>, StoreError> {
        let mut ids: Vec<i64> = new.iter().map(|new| new.volunteer.0).collect();
        ids.sort_unstable();
        ids.dedup();
        let select = "SELECT v.id, u.id, u.county FROM volunteer v JOIN unit u ON u.id = v.unit_id WHERE v.id";
        let rows = self.select_in(select, &ids, "", |values, id| values.push(*id)).await?;
        rows.iter().map(|row| Ok((VolunteerId(row.int(0)?), (row.int(1)?, row.text(2)?)))).collect()
    }
}

/// The columns of a record from place 0 on: id to late_reason, then import, moment, unit, who, revision.
pub(super) fn record(row: &AnyRow) -> Result<ServiceRecord, StoreError> {
    Ok(ServiceRecord {
        id: RecordId(row.int(0)?),
        noted: NewServiceRecord {
            volunteer: VolunteerId(row.int(1)?),
            date: row.date(2)?,
            start_minute: row.number_or_null(3, "时间")?,
            end_minute: row.number_or_null(4, "时间")?,
            minutes: row.number(5, "时长")?,
            content: row.text(6)?,
            activity: row.text_or_null(7)?,
            place: row.text_or_null(8)?,
            item: row.number_or_null(9, "服务项目")?,
            flags: row.number(10, "标记")?,
            organiser: row.text_or_null(11)?,
            in_charge: row.text_or_null(12)?,
            late_reason: row.text_or_null(13)?,
        },
        import: row.int_or_null(14)?.map(ImportId),
        entered_at: row.moment(15)?,
        unit: row.int_or_null(16)?.map(UnitId),
        entered_by: row.text_or_null(17)?,
        revision: row.int(18)?,
    })
}
