//! Sheets of service hours: who, when, how long, what; one service a row.

use std::collections::HashMap;

use jiff::civil::{Date, date};

use super::people;
use super::problem::{Checked, Problem, Reason, RowCheck, Skipped, Warning};
use super::shared::{self, error_value, free_text, quote};
use super::sheet::{Cell, CellKind, Row, Sheet};
use super::{Field, HeaderError, dates};
use crate::domain::hours::{DayMinute, Diary, HoursError, ServiceEntry, ServiceItem, ServiceTime, is_late};
use crate::domain::identity::IdentityNumber;
use crate::domain::person::{PersonName, bare};

/// Whose service it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// By certificate number: ten digits whose check digit holds (ISO 7064 MOD 11-10).
    Number(String),
    /// By identity number.
    Identity(IdentityNumber),
}

/// A service as a sheet gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRow {
    /// The row as the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// Whose.
    pub who: Who,
    /// The name written beside, to be held against the register.
    pub name: Option<PersonName>,
    /// What was done and when.
    pub entry: ServiceEntry,
}

/// What a sheet of hours holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoursCheck {
    /// Every row that is a service, in the sheet's order.
    pub rows: Vec<Checked<ServiceRow>>,
    /// Rows that are none.
    pub skipped: Vec<Skipped>,
    /// What the unit should know about the sheet as a whole.
    pub warnings: Vec<Warning>,
}

impl HoursCheck {
    /// The services accepted, in the sheet's order.
    pub fn accepted(&self) -> impl Iterator<Item = &ServiceRow> {
        self.rows.iter().filter_map(|row| match &row.check {
            RowCheck::Accepted(service) => Some(service),
            RowCheck::Refused(_) => None,
        })
    }

    /// Everything wrong, in the sheet's order.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.rows.iter().flat_map(|row| match &row.check {
            RowCheck::Accepted(_) => &[][..],
            RowCheck::Refused(problems) => problems,
        })
    }
}

/// Judges every row of a sheet entered on `today` (Beijing time). `holidays` are the days of the week that were free,
/// for counting working days. What is on record already, the service layer holds against each row with
/// [`Diary::record`].
///
/// # Errors
/// [`HeaderError`] if there is no column for who, when, how long or what.
pub fn check(sheet: &Sheet, today: Date, holidays: &[Date]) -> Result<HoursCheck, HeaderError> {
    let header = sheet.header();
    shared::require(
        header,
        &[
            &[Field::CertificateNumber, Field::NationalNumber, Field::Identity],
            &[Field::Date, Field::TimeRange, Field::Start],
            &[Field::Hours, Field::Minutes, Field::TimeRange, Field::End],
            &[Field::Content, Field::Activity, Field::Item],
        ],
    )?;
    shared::only(header, Field::Identity)?;
    shared::only(header, Field::CertificateNumber)?;
    let mut result = HoursCheck::default();
    let mut diaries: HashMap<Who, Diary> = HashMap::new();
    let numbers: Vec<u16> = [Field::CertificateNumber, Field::NationalNumber, Field::Identity]
        .into_iter()
        .flat_map(|field| header.columns_of(field))
        .collect();
    // Ten digits are a certificate number; eleven, at the foot, a telephone's.
    let is_data = |row: &Row<'_>| {
        numbers
            .iter()
            .map(|&column| row.cell(column).text)
            .any(|text| shared::holds_number(text) || text.bytes().filter(u8::is_ascii_digit).count() == 10)
    };
    for row in sheet.data_rows() {
        if let Some(why) = shared::passed_over(&row, header, is_data) {
            result.skipped.push(Skipped { row: row.number(), why });
            continue;
        }
        let check = Judge { sheet, row, today, holidays, problems: Vec::new() }.judge(&mut diaries);
        result.rows.push(Checked { row: row.number(), check });
    }
    result.warnings = shared::sheet_warnings(sheet, &result.skipped);
    let late: Vec<u32> = result.accepted().filter(|s| s.entry.late).map(|s| s.row).collect();
    if let Some(&first) = late.first() {
        result.warnings.push(Warning::Late { count: late.len(), first });
    }
    if result.rows.is_empty() {
        result.warnings.push(Warning::NoRows);
    }
    Ok(result)
}

/// Before this day nobody records hours: the notice's scheme began in 2018, the national system in 2012.
const FIRST_DAY: Date = date(2012, 1, 1);

/// One row on its way to a judgement.
struct Judge<'a> {
    sheet: &'a Sheet,
    row: Row<'a>,
    today: Date,
    holidays: &'a [Date],
    problems: Vec<Problem>,
}

impl<'a> Judge<'a> {
    fn judge(mut self, diaries: &mut HashMap<Who, Diary>) -> RowCheck<ServiceRow> {
        let who = self.who();
        let name = self.optional(Field::Name, |cell| PersonName::parse(cell.text).map_err(Reason::Name));
        let time = self.time();
        let item = self
            .optional(Field::Item, |cell| ServiceItem::parse(cell.text).ok_or_else(|| Reason::Item(quote(cell.text))));
        let mut text = |field, limit| self.optional(field, |cell| free_text(cell.text, limit)).unwrap_or_default();
        let activity = text(Field::Activity, 100);
        let content = text(Field::Content, 500);
        let place = text(Field::Place, 100);
        let recorder = text(Field::Recorder, 60);
        if activity.is_empty() && content.is_empty() && item.is_none() && self.problems.is_empty() {
            self.problem_at(&[Field::Content, Field::Activity, Field::Item], Reason::ContentMissing);
        }
        if let (Some(who), Some(time), true) = (&who, time, self.problems.is_empty()) {
            let diary = diaries.entry(who.clone()).or_default();
            if let Err(error) = diary.add(time, &format!("{activity}{content}"), self.row.number()) {
                self.problem_at(&[Field::Start, Field::TimeRange, Field::Date], Reason::Hours(error));
            }
        }
        match (who, time) {
            (Some(who), Some(time)) if self.problems.is_empty() => {
                let late = is_late(time.date, self.today, self.holidays);
                let entry = ServiceEntry { time, activity, content, place, item, recorder, late };
                RowCheck::Accepted(ServiceRow { row: self.row.number(), who, name, entry })
            }
            _ => {
                self.problems.sort_by_key(|problem| problem.column);
                RowCheck::Refused(self.problems)
            }
        }
    }

    /// The certificate number if there is one, else the identity number.
    fn who(&mut self) -> Option<Who> {
        for field in [Field::CertificateNumber, Field::NationalNumber] {
            if let Some((column, cell)) = self.filled(field) {
                let read = error_value(cell).and_then(|()| certificate_number(cell.text));
                // Another system's number beside an identity number is no matter of ours.
                let other = field == Field::NationalNumber && self.filled(Field::Identity).is_some();
                match read {
                    Ok(number) => return Some(Who::Number(number)),
                    Err(_) if other => continue,
                    Err(reason) => return self.problem(column, reason),
                }
            }
        }
        match self.filled(Field::Identity) {
            Some((column, cell)) => match error_value(cell).and_then(|()| people::identity(cell)) {
                Ok(number) => Some(Who::Identity(number)),
                Err(reason) => self.problem(column, reason),
            },
            None => {
                self.problem_at(
                    &[Field::CertificateNumber, Field::NationalNumber, Field::Identity],
                    Reason::WhoMissing,
                );
                None
            }
        }
    }

    fn time(&mut self) -> Option<ServiceTime> {
        let date = self.date();
        let span = self.span();
        let minutes = self.minutes();
        // Each of them has said already what is wrong with it.
        let (date, span, minutes) = (date?, span?, minutes?);
        match ServiceTime::new(date, span, minutes, self.today) {
            Ok(time) => Some(time),
            Err(error) => {
                let fields: &[Field] = match error {
                    HoursError::Future { .. } => &[Field::Date, Field::TimeRange, Field::Start],
                    HoursError::EndBeforeStart { .. } => &[Field::End, Field::TimeRange],
                    _ => &[Field::Hours, Field::Minutes, Field::TimeRange, Field::End],
                };
                self.problem_at(fields, Reason::Hours(error));
                None
            }
        }
    }

    fn date(&mut self) -> Option<Date> {
        // A time column may hold the date too (2026-11-20 08:30-11:30); a column 日期 goes first.
        for field in [Field::Date, Field::TimeRange, Field::Start] {
            let Some((column, cell)) = self.filled(field) else { continue };
            let epoch = self.sheet.epoch_1904();
            match error_value(cell).map(|()| dates::full(cell, epoch)) {
                Ok(Some(date)) if date < FIRST_DAY => return self.problem(column, Reason::DateTooEarly(date)),
                Ok(Some(date)) => return Some(date),
                Ok(None) if field == Field::Date => return self.problem(column, Reason::Date(quote(cell.text))),
                Ok(None) => {}
                Err(reason) => return self.problem(column, reason),
            }
        }
        self.problem_at(&[Field::Date, Field::TimeRange, Field::Start], Reason::DateMissing);
        None
    }

    /// Start and end; `Some(None)` if neither is written, `None` if they cannot be read.
    fn span(&mut self) -> Option<Option<(DayMinute, DayMinute)>> {
        let (start, end) = (self.filled(Field::Start), self.filled(Field::End));
        if let (Some((start_column, start)), Some((end_column, end))) = (start, end) {
            let (from, to) = (dates::time(start), dates::time(end));
            let mut unread = |column, cell: Cell<'_>| self.problem::<()>(column, Reason::Time(quote(cell.text)));
            match (from, to) {
                (Some(from), Some(to)) => return Some(Some((from, to))),
                (None, _) => unread(start_column, start),
                (_, None) => unread(end_column, end),
            };
            return None;
        }
        let Some((column, cell)) = self.filled(Field::TimeRange) else { return Some(None) };
        if let Some(span) = dates::span(cell) {
            return Some(Some(span));
        }
        // 服务时间 may hold a date, a single time or the hours.
        let epoch = self.sheet.epoch_1904();
        let other = dates::written(cell, epoch).is_some()
            || dates::time(cell).is_some()
            || dates::minutes(cell, 60.0).is_some();
        if other { Some(None) } else { self.problem(column, Reason::Time(quote(cell.text))) }
    }

    /// The minutes written; `Some(None)` if none are, `None` if they cannot be read.
    fn minutes(&mut self) -> Option<Option<i64>> {
        for (field, unit) in [(Field::Hours, 60.0), (Field::Minutes, 1.0)] {
            let Some((column, cell)) = self.filled(field) else { continue };
            return match error_value(cell).map(|()| dates::minutes(cell, unit)) {
                Ok(Some(minutes)) => Some(Some(minutes)),
                Ok(None) => self.problem(column, Reason::HoursText(quote(cell.text))),
                Err(reason) => self.problem(column, reason),
            };
        }
        // 服务时间: 3小时. A bare number there might be anything.
        let worded =
            self.filled(Field::TimeRange).filter(|(_, cell)| cell.text.contains("小时") || cell.text.contains('分'));
        Some(worded.filter(|(_, cell)| dates::span(*cell).is_none()).and_then(|(_, cell)| dates::minutes(cell, 60.0)))
    }

    /// The first cell of a meaning with something in it, and its column.
    fn filled(&self, field: Field) -> Option<(u16, Cell<'a>)> {
        let row = self.row;
        self.sheet
            .header()
            .columns_of(field)
            .map(|column| (column, row.cell(column)))
            .find(|(_, cell)| cell.kind != CellKind::Empty)
    }

    fn optional<T>(&mut self, field: Field, read: impl FnOnce(Cell<'_>) -> Result<T, Reason>) -> Option<T> {
        let (column, cell) = self.filled(field)?;
        match error_value(cell).and_then(|()| read(cell)) {
            Ok(value) => Some(value),
            Err(reason) => self.problem(column, reason),
        }
    }

    fn problem<T>(&mut self, column: u16, reason: Reason) -> Option<T> {
        self.problems.push(Problem::in_column(self.sheet, self.row.number(), Some(column), reason));
        None
    }

    /// A problem in the first of `fields` that is filled in; if something is missing, in the first that has a column.
    fn problem_at(&mut self, fields: &[Field], reason: Reason) {
        let header = self.sheet.header();
        let missing = matches!(
            reason,
            Reason::DateMissing | Reason::WhoMissing | Reason::ContentMissing | Reason::Hours(HoursError::Missing)
        );
        let filled = fields.iter().find_map(|&field| self.filled(field).map(|(column, _)| column));
        let column = filled.filter(|_| !missing).or_else(|| fields.iter().find_map(|&field| header.column_of(field)));
        self.problems.push(Problem::in_column(self.sheet, self.row.number(), column, reason));
    }
}

/// A certificate number, ten digits however grouped, with its check digit tested.
fn certificate_number(text: &str) -> Result<String, Reason> {
    let number: String = bare(text).chars().filter(|c| !matches!(c, '-' | '\'' | '‘' | '’')).collect();
    let number = number.strip_prefix("NO.").or(number.strip_prefix("No.")).unwrap_or(&number).to_owned();
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if digits != 10 || number.len() != 10 {
        return Err(Reason::NumberLength { digits });
    }
    // ISO 7064 MOD 11-10 over all ten digits leaves 1.
    let product = number.bytes().take(9).fold(10, |product, b| {
        let sum = (product + u32::from(b - b'0')) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    let last = number.bytes().last().map_or(0, |b| u32::from(b - b'0'));
    if (product + last) % 10 == 1 { Ok(number) } else { Err(Reason::NumberCheck) }
}
