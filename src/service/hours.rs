//! Importing service records: whose, when, what; refused where it cannot be, flagged where it is late.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;
use zyz_credential::CertificateNumber;

use super::import::{RefusedRow, refused_rows};
use super::{Federation, ServiceError};
use crate::clock::beijing_date;
use crate::domain::certificate::VolunteerState;
use crate::domain::hours::{DayMinute, Diary, ServiceTime};
use crate::roster::hours::{self, ServiceRow, Who};
use crate::roster::sheet::Sheet;
use crate::roster::{Field, Problem, Reason, RowCheck, RowOutcome, report};
use crate::store::{
    DayRecord, ImportCounts, ImportKind, KnownVolunteer, NewImport, NewServiceRecord, Reach, Reader, Tx, Unit, UnitId,
    VolunteerId,
};

/// Entered more than ten working days after the service (民政部令第67号).
pub const FLAG_LATE: u32 = 1;

/// What to import.
#[derive(Debug)]
pub struct HoursRequest<'a> {
    /// The spreadsheet.
    pub file: &'a Path,
    /// Check and report only.
    pub dry_run: bool,
    /// Where to write the report workbook.
    pub report: Option<&'a Path>,
}

/// What an import came to.
#[derive(Debug, Serialize)]
pub struct HoursImport {
    /// Rows that are a service.
    pub rows: usize,
    /// New records, or in a dry run what would be.
    pub imported: usize,
    /// On record before; nothing changed.
    pub known: usize,
    /// Minutes of the new records.
    pub minutes: u64,
    /// One entry a refused row.
    pub refused: Vec<RefusedRow>,
    /// Records taken with a remark.
    pub flagged: Vec<Flag>,
    /// What the unit should know about the sheet as a whole.
    pub warnings: Vec<String>,
    /// Whether only a trial was asked for.
    pub dry_run: bool,
    /// The first of the new records, for a look before they are confirmed.
    #[serde(skip)]
    pub sample: Vec<SampleRow>,
}

/// A row that would become a record.
#[derive(Debug, Clone)]
pub struct SampleRow {
    /// The row as the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// Certificate number, grouped.
    pub number: String,
    /// Name.
    pub name: String,
    /// The service's date.
    pub date: Date,
    /// Minutes that count.
    pub minutes: u16,
    /// Activity or content.
    pub what: String,
    /// Entered more than ten working days after the service.
    pub late: bool,
}

/// Who imports, and how the new records are marked.
pub(super) struct Bounds<'a> {
    /// Rows of anybody else are refused like rows of nobody.
    pub reach: Reach,
    /// The file's name as the person knows it; none for its name on disk.
    pub file_name: Option<&'a str>,
    /// Why late records are late.
    pub late_reason: Option<&'a str>,
    /// How many new records the person was shown: with any other number nothing is written.
    pub expected: Option<usize>,
    /// The unit whose file it is.
    pub unit: Option<UnitId>,
}

/// Rows shown before they are confirmed.
const SAMPLE: usize = 100;

/// A remark and how often it was made.
#[derive(Debug, Serialize)]
pub struct Flag {
    /// Its code.
    pub flag: &'static str,
    /// In words.
    pub label: &'static str,
    /// Rows that have it.
    pub rows: usize,
}

/// An accepted row on its way to a record.
struct Entry {
    row: u32,
    service: ServiceRow,
    person: KnownVolunteer,
    record: NewServiceRecord,
}

impl Federation {
    /// Imports service records. Each is held against the register and against what is on record already.
    ///
    /// # Errors
    /// A file that is no sheet of hours; a report that cannot be written; nothing is imported then. Refused rows are no
    /// error.
    pub async fn import_hours(&self, request: HoursRequest<'_>) -> Result<HoursImport, ServiceError> {
        let everybody =
            Bounds { reach: Reach::Everything, file_name: None, late_reason: None, expected: None, unit: None };
        self.import_hours_within(request, &everybody).await
    }

    /// As [`Self::import_hours`], for somebody whose reach ends somewhere.
    pub(super) async fn import_hours_within(
        &self,
        request: HoursRequest<'_>,
        bounds: &Bounds<'_>,
    ) -> Result<HoursImport, ServiceError> {
        let (sheet, digest) = self.read_sheet(request.file)?;
        let today = beijing_date(self.now());
        let check = hours::check(&sheet, today, &self.config.calendar.holidays)?;
        let warnings = check.warnings;
        let mut outcomes: BTreeMap<u32, RowOutcome> = BTreeMap::new();
        let mut services = Vec::new();
        for row in check.rows {
            match row.check {
                RowCheck::Refused(problems) => drop(outcomes.insert(row.row, RowOutcome::Refused(problems))),
                RowCheck::Accepted(service) => services.push(service),
            }
        }
        let rows = outcomes.len() + services.len();

        let mut tx = self.begin().await?;
        let entries = resolve(&mut tx, &sheet, services, &mut outcomes, bounds.reach).await?;
        let (mut records, sample) = self.hold_against_record(&mut tx, &sheet, entries, &mut outcomes).await?;
        let outcomes: Vec<(u32, RowOutcome)> = outcomes.into_iter().collect();
        let late = records.iter().filter(|record| record.flags & FLAG_LATE != 0).count();
        let done = HoursImport {
            rows,
            imported: records.len(),
            known: outcomes.iter().filter(|(_, outcome)| matches!(outcome, RowOutcome::Known { .. })).count(),
            minutes: records.iter().map(|record| u64::from(record.minutes)).sum(),
            refused: refused_rows(&outcomes),
            flagged: if late == 0 {
                Vec::new()
            } else {
                vec![Flag { flag: "late", label: "迟录（超过 10 个工作日）", rows: late }]
            },
            warnings: warnings.iter().map(ToString::to_string).collect(),
            dry_run: request.dry_run,
            sample,
        };
        if let Some(path) = request.report {
            report::write(path, std::slice::from_ref(&sheet), &outcomes, &warnings, today)?;
        }
        let unlike = bounds.expected.is_some_and(|expected| expected != records.len());
        if request.dry_run || records.is_empty() || unlike {
            tx.rollback().await?;
            return Ok(HoursImport { dry_run: request.dry_run || unlike, ..done });
        }
        for record in records.iter_mut().filter(|record| record.flags & FLAG_LATE != 0) {
            record.late_reason = bounds.late_reason.map(str::to_owned);
        }
        let on_disk = || request.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let new = NewImport {
            kind: ImportKind::Hours,
            file_name: bounds.file_name.map_or_else(on_disk, str::to_owned),
            file_sha256: digest,
            unit: bounds.unit,
        };
        let import = tx.begin_import(new).await?;
        let id = import.id();
        let counts = ImportCounts {
            rows: done.rows as u64,
            imported: done.imported as u64,
            known: done.known as u64,
            refused: done.refused.len() as u64,
        };
        tx.finish_import(import, &counts).await?;
        tx.insert_service_records(Some(id), &records).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Sorts out what is on record already, and what cannot be true beside it; returns the new records.
    async fn hold_against_record(
        &self,
        tx: &mut Tx,
        sheet: &Sheet,
        entries: Vec<Entry>,
        outcomes: &mut BTreeMap<u32, RowOutcome>,
    ) -> Result<(Vec<NewServiceRecord>, Vec<SampleRow>), ServiceError> {
        let prints: Vec<_> = entries.iter().map(|entry| entry.record.fingerprint()).collect();
        let known = tx.known_fingerprints(&prints).await?;
        let mut diaries = diaries(tx, entries.iter().map(|entry| (entry.person.id, entry.record.date))).await?;
        let (mut records, mut sample) = (Vec::new(), Vec::new());
        for (entry, print) in entries.into_iter().zip(prints) {
            if known.contains(&print) {
                outcomes.insert(entry.row, RowOutcome::Known { note: "这条服务记录已经登记".into() });
                continue;
            }
            let diary = diaries.entry(entry.person.id).or_default();
            let what = format!("{}\n{}", entry.service.entry.activity, entry.service.entry.content);
            if let Err(error) = diary.add(entry.service.entry.time, &what, entry.row) {
                let problem = Problem::at(sheet, entry.row, Field::Date, Reason::Hours(error));
                outcomes.insert(entry.row, RowOutcome::Refused(vec![problem]));
                continue;
            }
            let outcome = if entry.service.entry.late {
                RowOutcome::Flagged { note: "迟录：超过 10 个工作日".into() }
            } else {
                RowOutcome::New
            };
            outcomes.insert(entry.row, outcome);
            if sample.len() < SAMPLE {
                sample.push(sample_row(&entry));
            }
            records.push(entry.record);
        }
        Ok((records, sample))
    }
}

/// Finds whose each service is; rows of nobody, of somebody who has left, or with another name are refused.
async fn resolve(
    tx: &mut Tx,
    sheet: &Sheet,
    services: Vec<ServiceRow>,
    outcomes: &mut BTreeMap<u32, RowOutcome>,
    reach: Reach,
) -> Result<Vec<Entry>, ServiceError> {
    let mut people: HashMap<Who, Option<KnownVolunteer>> = HashMap::new();
    let (mut numbers, mut identities) = (Vec::new(), Vec::new());
    for service in &services {
        if people.insert(service.who.clone(), None).is_none() {
            match &service.who {
                Who::Number(number) => numbers.push(number.clone()),
                Who::Identity(identity) => identities.push(*identity),
            }
        }
    }
    let asked: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let found = tx.known_by_number(&asked).await?;
    people.extend(numbers.into_iter().map(Who::Number).zip(found));
    let asked: Vec<&str> = identities.iter().map(|identity| identity.as_str()).collect();
    let found = tx.known_by_identity(&asked).await?;
    people.extend(identities.into_iter().map(Who::Identity).zip(found));
    let mut units: HashMap<UnitId, bool> = HashMap::new();
    for person in people.values_mut() {
        // Out of reach is answered like unknown, so that numbers cannot be tried out.
        let Some(unit) = person.as_ref().map(|person| person.unit) else { continue };
        let within = match units.get(&unit) {
            Some(within) => *within,
            None => *units.entry(unit).or_insert(tx.unit(unit).await?.is_some_and(|unit| within(reach, &unit))),
        };
        if !within {
            *person = None;
        }
    }

    let mut entries = Vec::with_capacity(services.len());
    for service in services {
        let field = if matches!(service.who, Who::Number(_)) { Field::CertificateNumber } else { Field::Identity };
        let refuse = |field, words: &str| {
            RowOutcome::Refused(vec![Problem::at(sheet, service.row, field, Reason::Service(words.to_owned()))])
        };
        let refused = match people.get(&service.who).and_then(Option::as_ref) {
            None => refuse(field, "名册中没有这位志愿者：请先导入名册，或核对号码"),
            Some(person) if person.state == VolunteerState::Exited => {
                refuse(field, "这位志愿者已退出志愿服务组织，不再登记服务时长")
            }
            Some(person) if service.name.as_ref().is_some_and(|name| name.as_str() != person.name) => {
                refuse(Field::Name, "姓名与名册登记的不一致：请核对是否填错了人")
            }
            Some(person) => {
                let record = record(&service, person.id);
                entries.push(Entry { row: service.row, person: person.clone(), record, service });
                continue;
            }
        };
        outcomes.insert(service.row, refused);
    }
    Ok(entries)
}

/// What is on record for the people and days concerned.
pub(super) async fn diaries(
    reader: &mut Reader,
    days: impl Iterator<Item = (VolunteerId, Date)> + Clone,
) -> Result<HashMap<VolunteerId, Diary>, ServiceError> {
    let mut diaries: HashMap<VolunteerId, Diary> = HashMap::new();
    let dates = days.clone().map(|(_, date)| date);
    let (Some(first), Some(last)) = (dates.clone().min(), dates.max()) else { return Ok(diaries) };
    let people: Vec<_> = days.map(|(person, _)| person).collect();
    for record in reader.day_records(&people, first, last).await? {
        diaries.entry(record.volunteer).or_default().record(time_of(&record), "");
    }
    Ok(diaries)
}

/// Whether a unit lies within somebody's reach.
pub(super) fn within(reach: Reach, unit: &Unit) -> bool {
    match reach {
        Reach::Everything => true,
        Reach::County(county) => unit.county == county,
        Reach::Unit(own) => unit.id == own,
    }
}

fn sample_row(entry: &Entry) -> SampleRow {
    let service = &entry.service.entry;
    let number = CertificateNumber::parse(&entry.person.number);
    SampleRow {
        row: entry.row,
        number: number.map_or_else(|_| entry.person.number.clone(), |number| number.grouped()),
        name: entry.person.name.clone(),
        date: service.time.date,
        minutes: service.time.minutes,
        what: if service.activity.is_empty() { service.content.clone() } else { service.activity.clone() },
        late: service.late,
    }
}

fn time_of(record: &DayRecord) -> ServiceTime {
    let minute = |minute: Option<u16>| minute.and_then(DayMinute::new);
    ServiceTime {
        date: record.date,
        span: minute(record.start_minute).zip(minute(record.end_minute)),
        minutes: record.minutes,
    }
}

fn record(service: &ServiceRow, volunteer: VolunteerId) -> NewServiceRecord {
    let entry = &service.entry;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    NewServiceRecord {
        volunteer,
        date: entry.time.date,
        start_minute: entry.time.span.map(|(start, _)| start.minutes()),
        end_minute: entry.time.span.map(|(_, end)| end.minutes()),
        minutes: entry.time.minutes,
        content: entry.content.clone(),
        activity: text(&entry.activity),
        place: text(&entry.place),
        item: entry.item.map(|item| item.code()),
        flags: if entry.late { FLAG_LATE } else { 0 },
        organiser: None,
        in_charge: text(&entry.recorder),
        late_reason: None,
    }
}
