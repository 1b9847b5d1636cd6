//! One activity entered for many people: checked row by row, saved all or not at all.

use std::collections::{HashMap, HashSet};

use jiff::civil::Weekday;
use sha2::{Digest, Sha256};
use zyz_credential::CertificateNumber;

use super::activity::{Activity, ActivityForm, minutes_of};
use crate::clock::beijing_date;
use crate::domain::certificate::VolunteerState;
use crate::domain::hours::{ServiceTime, hours};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::hours::diaries;
use crate::store::{ImportCounts, ImportKind, NewImport, NewServiceRecord, Reader, Unit, UnitPerson, VolunteerId};

/// People listed at once to be ticked, and most people of one entry.
const LISTED: u32 = 500;
const MOST: usize = 2_000;

/// What is to be entered.
#[derive(Debug, Clone, Default)]
pub struct BulkEntry {
    /// The unit that records.
    pub unit: i64,
    /// The activity.
    pub activity: ActivityForm,
    /// The people's numbers as sent, each with hours of their own (empty for the activity's).
    pub people: Vec<(String, String)>,
    /// The activity that waited for these hours.
    pub pending: Option<i64>,
}

/// What would be entered, row by row.
#[derive(Debug, Clone)]
pub struct EntryCheck {
    /// Every person chosen.
    pub lines: Vec<EntryCheckLine>,
    /// How many of them have a problem; with any, nothing can be saved.
    pub problems: usize,
    /// Minutes of those without.
    pub minutes: u64,
    /// The day of the week, to see a wrong date by: 星期五.
    pub weekday: &'static str,
    /// Whether it is entered late.
    pub late: bool,
}

/// One person of it.
#[derive(Debug, Clone)]
pub struct EntryCheckLine {
    /// Ten digits.
    pub number: String,
    /// The number as people write it.
    pub grouped: String,
    /// Name; empty if unknown.
    pub name: String,
    /// Hours typed for this person alone.
    pub typed: String,
    /// Hours that would count.
    pub hours: String,
    /// What is wrong.
    pub problem: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub enum EntryOutcome {
    /// Written.
    Saved {
        /// Key of this act of entering.
        entry: i64,
        /// Records.
        records: usize,
        /// Their minutes.
        minutes: u64,
    },
    /// Nothing was written.
    Refused(EntryCheck),
}

/// The people of a unit to choose from.
#[derive(Debug, Clone)]
pub struct RosterPage {
    /// Number, number as people write it, name.
    pub people: Vec<(String, String, String)>,
    /// Whether there are more than are listed: search narrows.
    pub more: bool,
}

impl Desk {
    /// The active people of a unit, up to 500, whose name or number holds `search`.
    ///
    /// # Errors
    /// The unit is out of reach.
    pub async fn entry_people(&self, unit: i64, search: &str) -> Result<RosterPage, DeskError> {
        self.need(Permission::WriteHours)?;
        let mut reader = self.office().store.read().await?;
        let unit = self.hours_unit_within(&mut reader, unit).await?;
        let search: String = search.trim().chars().filter(|c| !c.is_whitespace()).take(30).collect();
        let found = reader.unit_people(unit.id, &search, "", LISTED + 1).await?;
        let more = found.len() > LISTED as usize;
        let line = |person: &UnitPerson| (person.number.clone(), grouped(&person.number), person.name.clone());
        Ok(RosterPage { people: found.iter().take(LISTED as usize).map(line).collect(), more })
    }

    /// Judges an entry without writing it.
    ///
    /// # Errors
    /// Fields that are wrong; nobody chosen; the unit is out of reach.
    pub async fn check_entry(&self, entry: &BulkEntry) -> Result<EntryCheck, DeskError> {
        self.need(Permission::WriteHours)?;
        let mut reader = self.office().store.read().await?;
        let unit = self.hours_unit_within(&mut reader, entry.unit).await?;
        let activity = self.activity_of(entry)?;
        Ok(self.judge(&mut reader, &unit, &activity, entry).await?.0)
    }

    /// Writes an entry if nothing is wrong with any row.
    ///
    /// # Errors
    /// As [`Self::check_entry`]; wrong rows are no error but [`EntryOutcome::Refused`].
    pub async fn save_entry(&self, entry: &BulkEntry) -> Result<EntryOutcome, DeskError> {
        self.need(Permission::WriteHours)?;
        let mut tx = self.office().begin().await?;
        let unit = self.hours_unit_within(&mut tx, entry.unit).await?;
        let activity = self.activity_of(entry)?;
        let (check, records) = self.judge(&mut tx, &unit, &activity, entry).await?;
        if check.problems > 0 {
            tx.rollback().await?;
            return Ok(EntryOutcome::Refused(check));
        }
        let mut hash = Sha256::new();
        records.iter().for_each(|record| hash.update(record.fingerprint()));
        let new = NewImport {
            kind: ImportKind::Activity,
            file_name: activity.name.clone(),
            file_sha256: hash.finalize().into(),
            unit: Some(unit.id),
        };
        let import = tx.begin_import(new).await?;
        let id = import.id();
        let count = records.len() as u64;
        tx.finish_import(import, &ImportCounts { rows: count, imported: count, known: 0, refused: 0 }).await?;
        tx.insert_service_records(Some(id), &records).await?;
        if let Some(pending) = entry.pending {
            let waiting = tx.pending_activity(pending).await?;
            // Somebody else may have closed it; the hours are right all the same.
            if waiting.is_some_and(|waiting| waiting.noted.unit == unit.id) {
                tx.close_activity(pending, None).await?;
            }
        }
        tx.commit().await?;
        Ok(EntryOutcome::Saved { entry: id.0, records: records.len(), minutes: check.minutes })
    }

    fn activity_of(&self, entry: &BulkEntry) -> Result<Activity, DeskError> {
        let nobody = |message: &str| FieldError { field: "people", message: message.into() };
        let people = match entry.people.len() {
            0 => Some(nobody("还没有选择志愿者：请在下面的名单中勾选")),
            1..=MOST => None,
            _ => Some(nobody("一次最多录入 2000 人，请分次录入")),
        };
        match (self.understand(&entry.activity, true), people) {
            (Ok(activity), None) => Ok(activity),
            (Ok(_), Some(people)) => Err(DeskError::Invalid(vec![people])),
            (Err(DeskError::Invalid(mut fields)), people) => {
                fields.extend(people);
                Err(DeskError::Invalid(fields))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Each person's row against the register, against what is on record, and against the others.
    async fn judge(
        &self,
        reader: &mut Reader,
        unit: &Unit,
        activity: &Activity,
        entry: &BulkEntry,
    ) -> Result<(EntryCheck, Vec<NewServiceRecord>), DeskError> {
        let today = beijing_date(self.office().now());
        let numbers: Vec<&str> = entry.people.iter().map(|(number, _)| number.as_str()).collect();
        let known = reader.known_by_number(&numbers).await?;
        let ids: Vec<VolunteerId> = known.iter().flatten().map(|person| person.id).collect();
        let mut diaries = diaries(reader, ids.iter().map(|id| (*id, activity.date))).await?;
        let mut same: HashMap<VolunteerId, Vec<Option<(u16, u16)>>> = HashMap::new();
        for (person, span) in reader.served_at(activity.date, &activity.name, &ids).await? {
            same.entry(person).or_default().push(span);
        }
        let mut seen = HashSet::new();
        let (mut lines, mut records, mut minutes) = (Vec::with_capacity(known.len()), Vec::new(), 0);
        for ((number, typed), person) in entry.people.iter().zip(known) {
            let mut line = EntryCheckLine {
                number: number.clone(),
                grouped: grouped(number),
                name: String::new(),
                typed: typed.clone(),
                hours: String::new(),
                problem: None,
            };
            let Some(person) = person.filter(|person| person.unit == unit.id) else {
                line.problem = Some("不是本单位的志愿者：请核对编号，或先办理变更单位".into());
                lines.push(line);
                continue;
            };
            line.name = person.name.clone();
            let own = typed.trim();
            let read = if own.is_empty() { Some(activity.minutes) } else { minutes_of(own).map(Some) };
            let time = read.map(|own| ServiceTime::new(activity.date, activity.span, own, today));
            let repeated = same.get(&person.id).is_some_and(|spans| {
                // A morning and an afternoon of the same activity are two services; anything less certain is a repeat.
                spans.iter().any(|span| span.is_none() || activity.span.is_none())
            });
            line.problem = match &time {
                _ if person.state == VolunteerState::Exited => Some("已退出志愿服务组织，不再登记服务时长".into()),
                _ if !seen.insert(person.id) => Some("这个人选了两次".into()),
                None => Some("小时数请写成 2 或 2.5".into()),
                Some(Err(error)) => Some(error.to_string()),
                Some(Ok(_)) if repeated => Some(format!("{} 已登记过“{}”：请勿重复录入", activity.date, activity.name)),
                Some(Ok(time)) => {
                    let what = format!("{}\n{}", activity.name, activity.content);
                    diaries.entry(person.id).or_default().add(*time, &what, 0).err().map(|error| {
                        // There are no rows here: whatever it collides with is on record.
                        error.to_string().replace("第 0 行 ", "")
                    })
                }
            };
            if let (None, Some(Ok(time))) = (&line.problem, time) {
                line.hours = hours(time.minutes);
                minutes += u64::from(time.minutes);
                records.push(activity.record(person.id, time));
            }
            lines.push(line);
        }
        let problems = lines.iter().filter(|line| line.problem.is_some()).count();
        // What is wrong stands first.
        lines.sort_by_key(|line| line.problem.is_none());
        let weekday = weekday(activity.date.weekday());
        Ok((EntryCheck { lines, problems, minutes, weekday, late: activity.late }, records))
    }
}

/// A certificate number as people write it.
pub(super) fn grouped(number: &str) -> String {
    CertificateNumber::parse(number).map_or_else(|_| number.to_owned(), |number| number.grouped())
}

/// A day of the week.
pub(super) fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    }
}
