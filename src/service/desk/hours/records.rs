//! Records as lists and one by one; corrections that keep the old value.

use jiff::civil::Date;
use zyz_credential::CertificateNumber;

use super::activity::{ActivityForm, place, reason_of};
use super::disputes::DisputeLine;
use super::enter::grouped;
use super::rows::{change_line, conflict, entry_row, form_of, row, what};
use crate::clock::beijing_date;
use crate::domain::hours::{DayMinute, ServiceTime, hours_of};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError, sought};
use crate::service::hours::FLAG_LATE;
use crate::store::{ImportId, NewServiceRecord, Reader, RecordFilter, RecordId, RecordLine, UnitId};

/// Rows of a page, and most rows of an export.
const PAGE: u32 = 50;
const EXPORTED: u32 = 50_000;
/// Sums of more records than this are not shown.
const SUMMED: u32 = 10_001;

/// Which records are asked for.
#[derive(Debug, Clone, Default)]
pub struct RecordQuery {
    /// Of this unit.
    pub unit: Option<i64>,
    /// From this day.
    pub from: Option<Date>,
    /// To this day.
    pub to: Option<Date>,
    /// Late ones only.
    pub late: bool,
    /// Those declared void.
    pub void: bool,
    /// Entered in one act.
    pub entry: Option<i64>,
    /// Where the page begins.
    pub after: Option<String>,
}

/// A record for people.
#[derive(Debug, Clone)]
pub struct RecordRow {
    /// Key.
    pub id: i64,
    /// Ten digits.
    pub number: String,
    /// The number as people write it.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// Recording unit.
    pub unit: String,
    /// Its county.
    pub county: &'static str,
    /// Day.
    pub date: Date,
    /// Its day of the week.
    pub weekday: &'static str,
    /// From and to, empty if not recorded.
    pub time: String,
    /// Hours.
    pub hours: String,
    /// Minutes.
    pub minutes: u16,
    /// Activity.
    pub activity: String,
    /// What was done.
    pub content: String,
    /// Where.
    pub place: String,
    /// Service item.
    pub item: &'static str,
    /// Organiser.
    pub organiser: String,
    /// Person in charge.
    pub in_charge: String,
    /// Whether it was entered late.
    pub late: bool,
    /// Why.
    pub late_reason: String,
    /// Whether an objection waits.
    pub disputed: bool,
    /// Whether it was declared void.
    pub void: bool,
    /// When it was entered, Beijing time.
    pub entered_at: String,
    /// Name of who entered it.
    pub entered_by: String,
    /// The act of entering.
    pub entry: Option<i64>,
    /// Counts corrections.
    pub revision: i64,
}

impl RecordRow {
    /// Its state: kind of the badge, and the word.
    pub fn state(&self) -> (&'static str, &'static str) {
        match (self.void, self.disputed, self.late) {
            (true, _, _) => ("bad", "已作废"),
            (_, true, _) => ("warn", "有异议"),
            (_, _, true) => ("warn", "迟录"),
            _ => ("good", "有效"),
        }
    }
}

/// A page of records.
#[derive(Debug, Clone)]
pub struct RecordsPage {
    /// The records.
    pub rows: Vec<RecordRow>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// How many there are, `10000+` if more.
    pub count: String,
    /// Their hours, unless there are more.
    pub hours: Option<String>,
}

/// A change of a record, for people.
#[derive(Debug, Clone)]
pub struct ChangeLine {
    /// 更正 or 作废.
    pub what: &'static str,
    /// Why.
    pub reason: String,
    /// Name of who.
    pub who: String,
    /// When, Beijing time.
    pub when: String,
    /// Field, value before, value after.
    pub differences: Vec<(&'static str, String, String)>,
}

/// One record with all that happened to it.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// The record.
    pub row: RecordRow,
    /// Its values as a form.
    pub form: ActivityForm,
    /// Changes, the first first.
    pub changes: Vec<ChangeLine>,
    /// Objections, the first first.
    pub disputes: Vec<DisputeLine>,
}

/// A correction as typed.
#[derive(Debug, Clone, Default)]
pub struct Correction {
    /// The revision that the form showed.
    pub revision: i64,
    /// All values.
    pub form: ActivityForm,
    /// Why.
    pub reason: String,
}

/// One person's records.
#[derive(Debug, Clone)]
pub struct PersonHours {
    /// Ten digits.
    pub number: String,
    /// The number as people write it.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Hours of this year.
    pub hours_year: String,
    /// Hours in all.
    pub hours_all: String,
    /// Records that count, newest first.
    pub rows: Vec<RecordRow>,
    /// Records declared void.
    pub void: Vec<RecordRow>,
}

/// Somebody found.
#[derive(Debug, Clone)]
pub struct PersonLine {
    /// Ten digits.
    pub number: String,
    /// The number as people write it.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
}

/// An act of entering, for people.
#[derive(Debug, Clone)]
pub struct EntryRow {
    /// Key.
    pub id: i64,
    /// 批量录入 or 表格导入.
    pub kind: &'static str,
    /// Name of the activity or file.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Records written.
    pub records: u64,
    /// Name of who.
    pub who: String,
    /// When, Beijing time.
    pub when: String,
}

impl Desk {
    /// A page of records within reach, newest day first.
    ///
    /// # Errors
    /// A unit out of reach; a place that is none.
    pub async fn records(&self, query: &RecordQuery) -> Result<RecordsPage, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let filter = self.record_filter(&mut reader, query).await?;
        let after = query.after.as_deref().map(place).transpose()?;
        let lines = reader.record_lines(&filter, after, PAGE + 1).await?;
        let (count, minutes) = reader.record_sum(&filter, SUMMED).await?;
        let many = count >= u64::from(SUMMED);
        let more = lines.len() > PAGE as usize;
        let rows: Vec<_> = lines.iter().take(PAGE as usize).map(row).collect();
        let next = rows.last().filter(|_| more).map(|row| format!("{}.{}", row.date, row.id));
        let hours = (!many).then(|| hours_of(minutes));
        Ok(RecordsPage { rows, next, count: if many { "10000+".into() } else { count.to_string() }, hours })
    }

    /// The same records for a workbook, up to 50,000; and whether there are more.
    ///
    /// # Errors
    /// As [`Self::records`].
    pub async fn records_to_export(&self, query: &RecordQuery) -> Result<(Vec<RecordRow>, bool), DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let filter = self.record_filter(&mut reader, query).await?;
        let lines = reader.record_lines(&filter, None, EXPORTED + 1).await?;
        Ok((lines.iter().take(EXPORTED as usize).map(row).collect(), lines.len() > EXPORTED as usize))
    }

    /// One record within reach.
    ///
    /// # Errors
    /// There is none, or it is out of reach.
    pub async fn record_page(&self, id: i64) -> Result<RecordPage, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let line = self.record_within(&mut reader, id).await?;
        let changes = reader.record_changes(RecordId(id)).await?;
        let disputes = reader.disputes_of(RecordId(id)).await?;
        let row = row(&line);
        Ok(RecordPage {
            form: form_of(&line.record.noted),
            changes: changes.iter().map(change_line).collect(),
            disputes: disputes.iter().map(|dispute| DisputeLine::of(dispute, Some(&row))).collect(),
            row,
        })
    }

    /// Corrects a record; the old values are kept. While an objection waits, only its decision may change it.
    ///
    /// # Errors
    /// Fields that are wrong; somebody else changed it ([`DeskError::Conflict`]); void or disputed.
    pub async fn correct_record(&self, id: i64, correction: &Correction) -> Result<(), DeskError> {
        self.need(Permission::WriteHours)?;
        let mut tx = self.office().begin().await?;
        let line = self.record_within(&mut tx, id).await?;
        if line.disputed {
            return Err(DeskError::Refused("这条记录有待处理的异议，请由有权处理的人在异议中更正或作废".into()));
        }
        self.correct_in(&mut tx, &line, correction).await?;
        Ok(tx.commit().await?)
    }

    /// Declares a record void.
    ///
    /// # Errors
    /// As [`Self::correct_record`].
    pub async fn void_record(&self, id: i64, revision: i64, reason: &str) -> Result<(), DeskError> {
        self.need(Permission::WriteHours)?;
        let reason = reason_of(reason)?;
        let mut tx = self.office().begin().await?;
        let line = self.record_within(&mut tx, id).await?;
        if line.void || line.disputed {
            return Err(DeskError::Refused(
                if line.void { "这条记录已经作废" } else { "这条记录有待处理的异议" }.into(),
            ));
        }
        if !tx.void_record(&line.record, revision, &reason).await? {
            return Err(conflict(&tx.record_changes(RecordId(id)).await?));
        }
        Ok(tx.commit().await?)
    }

    /// Everything of one person that is within reach.
    ///
    /// # Errors
    /// Nobody has this number, or their unit is out of reach.
    pub async fn person_hours(&self, number: CertificateNumber) -> Result<PersonHours, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let person = reader.volunteer(number.as_str()).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(person.county, person.unit)?;
        let today = beijing_date(self.office().now());
        let (year, all) = reader.service_minutes(person.id, today.first_of_year(), today).await?;
        // Whoever reaches the person reaches what other units recorded of them: it makes their total.
        let everything =
            RecordFilter { volunteer: Some(person.id), ..RecordFilter::all(crate::store::Reach::Everything) };
        let rows = reader.record_lines(&everything, None, 2_000).await?;
        let void = reader.record_lines(&RecordFilter { void: true, ..everything }, None, 500).await?;
        Ok(PersonHours {
            number: person.number.clone(),
            grouped: grouped(&person.number),
            name: person.name,
            unit: person.unit_name,
            hours_year: hours_of(year),
            hours_all: hours_of(all),
            rows: rows.iter().map(row).collect(),
            void: void.iter().map(row).collect(),
        })
    }

    /// People within reach with exactly this name or number.
    ///
    /// # Errors
    /// The role may not read people; the database fails.
    pub async fn hours_find_people(&self, text: &str) -> Result<Vec<PersonLine>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let text: String = text.chars().filter(|c| !c.is_whitespace()).take(40).collect();
        let mut reader = self.office().store.read().await?;
        if let Ok(number) = CertificateNumber::parse(&text) {
            let Some(found) = reader.volunteer(number.as_str()).await? else { return Ok(Vec::new()) };
            if self.reach_unit(found.county, found.unit).is_err() {
                return Ok(Vec::new());
            }
            let grouped = grouped(&found.number);
            return Ok(vec![PersonLine { number: found.number, grouped, name: found.name, unit: found.unit_name }]);
        }
        let found = reader.namesakes(self.reach()?, &text, 50).await?;
        let line = |person: crate::store::UnitPerson| PersonLine {
            grouped: grouped(&person.number),
            number: person.number,
            name: person.name,
            unit: person.unit_name,
        };
        Ok(found.into_iter().map(line).collect())
    }

    /// Acts of entering within reach, newest first, before the key `before`; only those whose unit, activity or file, or
    /// name or login of who entered holds `search`.
    ///
    /// # Errors
    /// The role may not read people; the database fails.
    pub async fn entries(&self, search: &str, before: Option<i64>) -> Result<(Vec<EntryRow>, Option<i64>), DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let found = reader.record_entries(self.reach()?, &sought(search), before.map(ImportId), PAGE + 1).await?;
        let more = found.len() > PAGE as usize;
        let rows: Vec<_> = found.iter().take(PAGE as usize).map(entry_row).collect();
        let next = rows.last().filter(|_| more).map(|row| row.id);
        Ok((rows, next))
    }

    /// One act of entering, with the first of its records that are within reach.
    ///
    /// # Errors
    /// There is none, or nothing of it is within reach.
    pub async fn entry(&self, id: i64) -> Result<(EntryRow, RecordsPage), DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let found = reader.record_entry(ImportId(id)).await?.ok_or(DeskError::NotFound)?;
        drop(reader);
        let page = self.records(&RecordQuery { entry: Some(id), ..RecordQuery::default() }).await?;
        match (found.unit, found.county) {
            (Some(unit), Some(county)) => self.reach_unit(county, unit)?,
            _ if self.reach()? == crate::store::Reach::Everything || !page.rows.is_empty() => {}
            _ => return Err(DeskError::NotFound),
        }
        Ok((entry_row(&found), page))
    }

    /// Declares void all records of one act of entering, but for those with an objection. Returns how many.
    ///
    /// # Errors
    /// No reason; the act is not wholly within reach.
    pub async fn void_entry(&self, id: i64, reason: &str) -> Result<u64, DeskError> {
        self.need(Permission::WriteHours)?;
        let reason = reason_of(reason)?;
        let mut tx = self.office().begin().await?;
        let found = tx.record_entry(ImportId(id)).await?.ok_or(DeskError::NotFound)?;
        match (found.unit, found.county) {
            (Some(unit), Some(county)) => self.reach_unit(county, unit)?,
            // A sheet over several units is one for those who reach all of them.
            _ if self.reach()? == crate::store::Reach::Everything => {}
            _ => return Err(DeskError::NotFound),
        }
        let count = tx.void_entry(ImportId(id), &reason).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// The correction of a record that was found within reach, inside a transaction.
    pub(super) async fn correct_in(
        &self,
        tx: &mut crate::store::Tx,
        line: &RecordLine,
        correction: &Correction,
    ) -> Result<(), DeskError> {
        if line.void {
            return Err(DeskError::Refused("这条记录已经作废，不能再更正。确有服务的，请重新录入".into()));
        }
        let old = &line.record;
        let id = old.id;
        if old.revision != correction.revision {
            return Err(conflict(&tx.record_changes(id).await?));
        }
        let activity = match (self.understand(&correction.form, false), reason_of(&correction.reason)) {
            (Ok(activity), Ok(_)) => activity,
            (Err(DeskError::Invalid(mut fields)), Err(DeskError::Invalid(more))) => {
                fields.extend(more);
                return Err(DeskError::Invalid(fields));
            }
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        let today = beijing_date(self.office().now());
        let field = |field, message: String| DeskError::Invalid(vec![FieldError { field, message }]);
        let time = ServiceTime::new(activity.date, activity.span, activity.minutes, today)
            .map_err(|error| field("hours", error.to_string()))?;
        let mut new = activity.record(old.noted.volunteer, time);
        // Late is when it was entered first, however often it is corrected.
        let entered = beijing_date(old.entered_at);
        let late = crate::domain::hours::is_late(new.date, entered, &self.office().config().calendar.holidays);
        new.flags = if late { FLAG_LATE } else { 0 };
        new.late_reason = old.noted.late_reason.clone().filter(|_| late);
        self.hold_against_others(tx, id, &new, time).await?;
        match tx.correct_record(old, correction.revision, &new, correction.reason.trim()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(conflict(&tx.record_changes(id).await?)),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses values that cannot be true beside the person's other records of the day.
    async fn hold_against_others(
        &self,
        reader: &mut Reader,
        id: RecordId,
        new: &NewServiceRecord,
        time: ServiceTime,
    ) -> Result<(), DeskError> {
        let day = RecordFilter {
            volunteer: Some(new.volunteer),
            from: Some(new.date),
            to: Some(new.date),
            ..RecordFilter::all(crate::store::Reach::Everything)
        };
        let mut diary = crate::domain::hours::Diary::default();
        for other in reader.record_lines(&day, None, 200).await? {
            if other.record.id != id {
                let noted = &other.record.noted;
                let minute = |minute: Option<u16>| minute.and_then(DayMinute::new);
                let span = minute(noted.start_minute).zip(minute(noted.end_minute));
                let time = ServiceTime { date: noted.date, span, minutes: noted.minutes };
                diary.record(time, &what(noted));
            }
        }
        diary
            .add(time, &what(new), 0)
            .map_err(|error| DeskError::Invalid(vec![FieldError { field: "date", message: error.to_string() }]))
    }

    async fn record_filter(&self, reader: &mut Reader, query: &RecordQuery) -> Result<RecordFilter, DeskError> {
        if let Some(unit) = query.unit {
            self.hours_unit_within(reader, unit).await?;
        }
        Ok(RecordFilter {
            unit: query.unit.map(UnitId),
            import: query.entry.map(ImportId),
            from: query.from,
            to: query.to,
            late: query.late,
            void: query.void,
            ..RecordFilter::all(self.reach()?)
        })
    }

    pub(super) async fn record_within(&self, reader: &mut Reader, id: i64) -> Result<RecordLine, DeskError> {
        let line = reader.record_line(RecordId(id)).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(line.county, line.record.unit.unwrap_or(UnitId(0)))?;
        Ok(line)
    }
}
