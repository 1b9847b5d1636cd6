//! Lists of service records within somebody's reach, newest day first.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::AnyRow;

use super::bulk::Statement;
use super::record::{RecordId, ServiceRecord, record};
use super::row::{Columns, county_text, name_of};
use super::unit::containing;
use super::{ImportId, Reach, Reader, StoreError, UnitId, VolunteerId};

/// Which records a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordFilter {
    /// Whose.
    pub reach: Reach,
    /// Of this recording unit.
    pub unit: Option<UnitId>,
    /// Of this volunteer.
    pub volunteer: Option<VolunteerId>,
    /// Entered in this act.
    pub import: Option<ImportId>,
    /// From this day on.
    pub from: Option<Date>,
    /// Up to this day.
    pub to: Option<Date>,
    /// Late ones only.
    pub late: bool,
    /// Those declared void instead of those that count.
    pub void: bool,
}

impl RecordFilter {
    /// Every record in reach that counts.
    pub fn all(reach: Reach) -> Self {
        Self { reach, unit: None, volunteer: None, import: None, from: None, to: None, late: false, void: false }
    }
}

/// Where a page of records ended: the next one goes on below.
pub type RecordKey = (Date, i64);

/// A record in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLine {
    /// The record.
    pub record: ServiceRecord,
    /// The volunteer's number.
    pub number: String,
    /// The volunteer's name.
    pub name: String,
    /// Name of the recording unit.
    pub unit_name: String,
    /// County of the recording unit.
    pub county: u8,
    /// Whether an objection waits for its decision.
    pub disputed: bool,
    /// Whether it was declared void.
    pub void: bool,
    /// Name of who entered it.
    pub entered_by: Option<String>,
}

/// An act of entering: one activity for many people, or one sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLine {
    /// Key.
    pub id: ImportId,
    /// Whether it was a sheet.
    pub sheet: bool,
    /// Name of the activity or file.
    pub name: String,
    /// The unit, if it was of one.
    pub unit: Option<UnitId>,
    /// Its name.
    pub unit_name: Option<String>,
    /// Its county.
    pub county: Option<u8>,
    /// How many records were written.
    pub records: u64,
    /// Name of who did it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

const COLUMNS: &str = concat!(
    "SELECT r.id, r.volunteer_id, r.date, r.start_minute, r.end_minute, r.minutes, r.content, r.activity, r.place, r.item, \
     r.flags, r.organiser, r.in_charge, r.late_reason, r.import_id, r.entered_at, r.unit_id, r.entered_by, r.revision, \
     v.number, v.name, u.name, u.county, \
     (SELECT count(*) FROM service_dispute d WHERE d.record_id = r.id AND d.outcome IS NULL), ",
    name_of!("r.entered_by"),
    " FROM "
);
const JOINS: &str = " r JOIN volunteer v ON v.id = r.volunteer_id \
                     JOIN unit u ON u.id = COALESCE(r.unit_id, v.unit_id) WHERE ";

impl Reader {
    /// Up to `limit` records, newest day first, below `after`.
    pub async fn record_lines(
        &mut self,
        filter: &RecordFilter,
        after: Option<RecordKey>,
        limit: u32,
    ) -> Result<Vec<RecordLine>, StoreError> {
        let mut query = Statement::new(COLUMNS);
        query.push(table(filter.void)).push(JOINS);
        narrow(&mut query, filter)?;
        if let Some((date, id)) = after {
            query.push(" AND (r.date, r.id) < (").bind(date.to_string()).push(", ").bind(id).push(")");
        }
        query.push(" ORDER BY r.date DESC, r.id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(|row| line(row, filter.void)).collect()
    }

    /// How many records, at most `cap`, and their minutes if there are not more.
    pub async fn record_sum(&mut self, filter: &RecordFilter, cap: u32) -> Result<(u64, u64), StoreError> {
        let mut query =
            Statement::new("SELECT count(*), CAST(COALESCE(sum(minutes), 0) AS BIGINT) FROM (SELECT r.minutes FROM ");
        query.push(table(filter.void)).push(" r WHERE ");
        narrow(&mut query, filter)?;
        query.push(" LIMIT ").bind(i64::from(cap)).push(") counted");
        match query.fetch_optional(self).await? {
            Some(row) => Ok((row.number(0, "计数")?, row.number(1, "时长")?)),
            None => Ok((0, 0)),
        }
    }

    /// The record with this key, void or not.
    pub async fn record_line(&mut self, id: RecordId) -> Result<Option<RecordLine>, StoreError> {
        for void in [false, true] {
            let mut query = Statement::new(COLUMNS);
            query.push(table(void)).push(JOINS).push("r.id = ").bind(id.0);
            if let Some(row) = query.fetch_optional(self).await? {
                return line(&row, void).map(Some);
            }
        }
        Ok(None)
    }

    /// Which of these volunteers have an activity of this name on that day already.
    pub async fn served_at(
        &mut self,
        date: Date,
        activity: &str,
        volunteers: &[VolunteerId],
    ) -> Result<Vec<(VolunteerId, Option<(u16, u16)>)>, StoreError> {
        let ids: Vec<i64> = volunteers.iter().map(|id| id.0).collect();
        let before = "SELECT volunteer_id, start_minute, end_minute FROM service_record \
                      WHERE date = {} AND activity = {} AND volunteer_id";
        let rows = self
            .select_in_with(before, &[&date.to_string(), activity], &ids, "", |values, id| values.push(*id))
            .await?;
        rows.iter()
            .map(|row| {
                let (start, end) = (row.number_or_null(1, "时间")?, row.number_or_null(2, "时间")?);
                Ok((VolunteerId(row.int(0)?), start.zip(end)))
            })
            .collect()
    }

    /// The latest acts of entering within reach, newest first, before the key `before`; only those whose unit, activity or
    /// file, or person entering holds `search`.
    pub async fn record_entries(
        &mut self,
        reach: Reach,
        search: &str,
        before: Option<ImportId>,
        limit: u32,
    ) -> Result<Vec<EntryLine>, StoreError> {
        let mut query = Statement::new(ENTRIES);
        match reach {
            Reach::Everything => {}
            Reach::County(county) => drop(query.push(" AND u.county = ").bind(county_text(county)?)),
            Reach::Unit(unit) => drop(query.push(" AND i.unit_id = ").bind(unit.0)),
        }
        if !search.is_empty() {
            let like = containing(search);
            query.push(" AND (i.file_name LIKE ").bind(like.clone()).push(" ESCAPE '!' OR i.actor LIKE ");
            query.bind(like.clone()).push(" ESCAPE '!' OR i.actor IN (SELECT login FROM staff WHERE name LIKE ");
            query.bind(like.clone()).push(" ESCAPE '!') OR u.name LIKE ").bind(like).push(" ESCAPE '!')");
        }
        if let Some(before) = before {
            query.push(" AND i.id < ").bind(before.0);
        }
        query.push(" ORDER BY i.id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(entry).collect()
    }

    /// One act of entering.
    pub async fn record_entry(&mut self, id: ImportId) -> Result<Option<EntryLine>, StoreError> {
        let mut query = Statement::new(ENTRIES);
        query.push(" AND i.id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(entry).transpose()
    }
}

const ENTRIES: &str = concat!(
    "SELECT i.id, i.kind, i.file_name, i.unit_id, u.name, u.county, i.imported, ",
    name_of!("i.actor"),
    ", i.at FROM import i LEFT JOIN unit u ON u.id = i.unit_id WHERE i.kind IN ('hours', 'activity')"
);

fn table(void: bool) -> &'static str {
    if void { "service_record_void" } else { "service_record" }
}

/// The conditions, the first of which needs no `AND` before it.
fn narrow(query: &mut Statement, filter: &RecordFilter) -> Result<(), StoreError> {
    query.push("1 = 1");
    match filter.reach {
        Reach::Everything => {}
        Reach::County(county) => drop(query.push(" AND r.county = ").bind(county_text(county)?)),
        Reach::Unit(unit) => drop(query.push(" AND r.unit_id = ").bind(unit.0)),
    }
    if let Some(unit) = filter.unit {
        query.push(" AND r.unit_id = ").bind(unit.0);
    }
    if let Some(volunteer) = filter.volunteer {
        query.push(" AND r.volunteer_id = ").bind(volunteer.0);
    }
    if let Some(import) = filter.import {
        query.push(" AND r.import_id = ").bind(import.0);
    }
    if let Some(from) = filter.from {
        query.push(" AND r.date >= ").bind(from.to_string());
    }
    if let Some(to) = filter.to {
        query.push(" AND r.date <= ").bind(to.to_string());
    }
    if filter.late {
        query.push(" AND r.flags <> 0");
    }
    Ok(())
}

fn line(row: &AnyRow, void: bool) -> Result<RecordLine, StoreError> {
    Ok(RecordLine {
        record: record(row)?,
        number: row.text(19)?,
        name: row.text(20)?,
        unit_name: row.text(21)?,
        county: row.county(22)?,
        disputed: row.yes(23)?,
        void,
        entered_by: row.text_or_null(24)?,
    })
}

fn entry(row: &AnyRow) -> Result<EntryLine, StoreError> {
    Ok(EntryLine {
        id: ImportId(row.int(0)?),
        sheet: row.str(1)? == "hours",
        name: row.text(2)?,
        unit: row.int_or_null(3)?.map(UnitId),
        unit_name: row.text_or_null(4)?,
        county: row.text_or_null(5)?.and_then(|county| county.parse().ok()),
        records: row.number(6, "计数")?,
        actor: row.text(7)?,
        at: row.moment(8)?,
    })
}
