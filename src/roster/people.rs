//! The roster 《普洱市志愿者统计表》 (附件2): each row judged by itself and against the rows before it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::civil::Date;

use super::dates;
use super::problem::{Checked, Problem, Reason, RowCheck, Skipped, Warning};
use super::shared::{error_value, free_text, holds_number, only, passed_over, quote, require, sheet_warnings};
use super::sheet::{Cell, CellKind, KeptRow, Row, Sheet};
use super::{Field, HeaderError};
use crate::domain::codes::{Ethnicity, Political};
use crate::domain::identity::{IdentityError, IdentityNumber};
use crate::domain::person::{self, PersonName, Phone, PhoneError, Sex, age_on, bare};

/// A person as a roster gives them, every field in its type. Sex and birth date are the identity number's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The row as the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// 姓名
    pub name: PersonName,
    /// 性别
    pub sex: Sex,
    /// 民族, where given.
    pub ethnicity: Option<Ethnicity>,
    /// 出生日期
    pub birth_date: Date,
    /// 政治面貌, where given.
    pub political: Option<Political>,
    /// 身份证号码
    pub identity: IdentityNumber,
    /// 联系电话, where given.
    pub phone: Option<Phone>,
    /// 电子邮箱, where given.
    pub email: Option<String>,
    /// 通讯地址, where given.
    pub address: Option<String>,
    /// 用户名 in the national system, where given.
    pub user_name: Option<String>,
    /// 全国志愿者编号: registered there already, so taken straight to issuing.
    pub national_number: Option<String>,
    /// 单位, where the roster has such a column.
    pub unit: Option<String>,
}

/// What a roster holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RosterCheck {
    /// Every row that is a person's, in the sheet's order.
    pub rows: Vec<Checked<PersonRow>>,
    /// Rows that are nobody's.
    pub skipped: Vec<Skipped>,
    /// What the unit should know about the sheet as a whole.
    pub warnings: Vec<Warning>,
}

impl RosterCheck {
    /// The people accepted, in the sheet's order.
    pub fn accepted(&self) -> impl Iterator<Item = &PersonRow> {
        self.rows.iter().filter_map(|row| match &row.check {
            RowCheck::Accepted(person) => Some(person),
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

/// Judges every row of a roster handed in on `today` (the day of application, Beijing time).
///
/// # Errors
/// [`HeaderError`] if the columns 姓名 or 身份证号码 are missing or stand there twice.
pub fn check(sheet: &Sheet, today: Date) -> Result<RosterCheck, HeaderError> {
    let mut checker = Checker::new(sheet, today)?;
    let rows = checker.part(sheet);
    let (skipped, warnings) = checker.finish(sheet);
    Ok(RosterCheck { rows, skipped, warnings })
}

/// Judges a roster part by part, as [`super::sheet::read_in_parts`] hands it over: the same as [`check`] on the whole.
pub struct Checker {
    today: Date,
    columns: Columns,
    /// Where each identity number stood first.
    seen: HashMap<IdentityNumber, u32>,
    skipped: Vec<Skipped>,
    people: usize,
    /// People accepted without a telephone, and where the first stands.
    without_phone: usize,
    first_without: Option<u32>,
}

impl Checker {
    /// Begins with the first part, of which only the header is looked at.
    ///
    /// # Errors
    /// As [`check`].
    pub fn new(first: &Sheet, today: Date) -> Result<Self, HeaderError> {
        Ok(Self {
            today,
            columns: Columns::find(first)?,
            seen: HashMap::new(),
            skipped: Vec::new(),
            people: 0,
            without_phone: 0,
            first_without: None,
        })
    }

    /// Judges every row of the next part, each by itself and against all rows before it.
    pub fn part(&mut self, sheet: &Sheet) -> Vec<Checked<PersonRow>> {
        let mut rows = Vec::with_capacity(sheet.data_rows().size_hint().0);
        for row in sheet.data_rows() {
            let number = row.number();
            let is_data = |row: &Row<'_>| holds_number(row.cell(self.columns.identity).text);
            if let Some(why) = passed_over(&row, sheet.header(), is_data) {
                self.skipped.push(Skipped { row: number, why });
                continue;
            }
            let judge = Judge { sheet, columns: &self.columns, row, today: self.today, problems: Vec::new() };
            let (identity, mut check) = judge.judge();
            if let Some(identity) = identity {
                match self.seen.entry(identity) {
                    Entry::Occupied(first) => {
                        let reason = Reason::Duplicate { row: *first.get() };
                        check = check.with(Problem::in_column(sheet, number, Some(self.columns.identity), reason));
                    }
                    Entry::Vacant(place) => {
                        place.insert(number);
                    }
                }
            }
            if let RowCheck::Accepted(PersonRow { phone: None, .. }) = &check {
                self.without_phone += 1;
                self.first_without.get_or_insert(number);
            }
            rows.push(Checked { row: number, check });
        }
        self.people += rows.len();
        rows
    }

    /// The identity number in a row, if it is one, whatever else is wrong with the row: what [`Self::part`] compares rows by.
    pub fn identity_of(&self, row: &KeptRow) -> Option<IdentityNumber> {
        let cell = row.cell(self.columns.identity);
        error_value(cell).and_then(|()| identity(cell)).ok()
    }

    /// The rows that were nobody's, and what the unit should know. `last` is the last part, already judged, which names
    /// the other worksheets.
    pub fn finish(self, last: &Sheet) -> (Vec<Skipped>, Vec<Warning>) {
        let mut warnings = sheet_warnings(last, &self.skipped);
        let header = last.header();
        if header.column_of(Field::Phone).or(header.column_of(Field::OfficePhone)).is_none() {
            warnings.push(Warning::NoPhoneColumn);
        } else if let Some(first) = self.first_without {
            warnings.push(Warning::NoPhone { count: self.without_phone, first });
        }
        if self.people == 0 {
            warnings.push(Warning::NoRows);
        }
        (self.skipped, warnings)
    }
}

impl std::fmt::Debug for Checker {
    /// Its figures only: what it has seen are people's identity numbers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker").field("people", &self.people).finish_non_exhaustive()
    }
}

/// The columns of a roster, looked up once.
struct Columns {
    name: u16,
    identity: u16,
    sex: Vec<u16>,
    ethnicity: Vec<u16>,
    birth: Vec<u16>,
    political: Vec<u16>,
    phone: Vec<u16>,
    email: Vec<u16>,
    address: Vec<u16>,
    user_name: Vec<u16>,
    national_number: Vec<u16>,
    unit: Vec<u16>,
}

impl Columns {
    fn find(sheet: &Sheet) -> Result<Self, HeaderError> {
        let header = sheet.header();
        require(header, &[&[Field::Name], &[Field::Identity]])?;
        let all = |field| header.columns_of(field).collect::<Vec<_>>();
        Ok(Self {
            name: only(header, Field::Name)?.unwrap_or_default(),
            identity: only(header, Field::Identity)?.unwrap_or_default(),
            sex: all(Field::Sex),
            ethnicity: all(Field::Ethnicity),
            birth: all(Field::Birth),
            political: all(Field::Political),
            // A mobile number before an office's.
            phone: header.columns_of(Field::Phone).chain(header.columns_of(Field::OfficePhone)).collect(),
            email: all(Field::Email),
            address: all(Field::Address),
            user_name: all(Field::UserName),
            national_number: all(Field::NationalNumber),
            unit: all(Field::Unit),
        })
    }
}

/// One row on its way to a judgement.
struct Judge<'a> {
    sheet: &'a Sheet,
    columns: &'a Columns,
    row: Row<'a>,
    today: Date,
    problems: Vec<Problem>,
}

impl Judge<'_> {
    /// The identity number, if it is one, and the judgement.
    fn judge(mut self) -> (Option<IdentityNumber>, RowCheck<PersonRow>) {
        let columns = self.columns;
        let name = self.required(columns.name, |cell| PersonName::parse(cell.text).map_err(Reason::Name));
        let sex =
            self.optional(&columns.sex, |cell| Sex::parse(cell.text).ok_or_else(|| Reason::Sex(quote(cell.text))));
        let ethnicity = self.optional(&columns.ethnicity, |cell| {
            Ethnicity::parse(cell.text).ok_or_else(|| Reason::Ethnicity(quote(cell.text)))
        });
        let political = self.optional(&columns.political, |cell| {
            Political::parse(cell.text).ok_or_else(|| Reason::Political(quote(cell.text)))
        });
        let identity = self.required(columns.identity, identity);
        if let Some(number) = identity {
            self.against_number(number, sex);
        }
        let phone = self.phone();
        let email = self.optional(&columns.email, |cell| email(cell.text));
        let address = self.optional(&columns.address, |cell| free_text(cell.text, 120));
        let user_name = self.optional(&columns.user_name, |cell| free_text(cell.text, 64));
        let national_number = self.optional(&columns.national_number, |cell| national_number(cell.text));
        let unit = self.optional(&columns.unit, |cell| free_text(cell.text, 80));
        let check = match (name, identity) {
            (Some(name), Some(identity)) if self.problems.is_empty() => RowCheck::Accepted(PersonRow {
                row: self.row.number(),
                name,
                sex: identity.sex(),
                ethnicity,
                birth_date: identity.birth_date(),
                political,
                identity,
                phone,
                email,
                address,
                user_name,
                national_number,
                unit,
            }),
            _ => {
                self.problems.sort_by_key(|problem| problem.column);
                RowCheck::Refused(self.problems)
            }
        };
        (identity, check)
    }

    /// Age, sex and birth date against the identity number.
    fn against_number(&mut self, number: IdentityNumber, sex: Option<Sex>) {
        let age = age_on(number.birth_date(), self.today);
        if !person::AGES.contains(&age) {
            self.problem(self.columns.identity, Reason::Age { age });
        }
        if let (Some(written), Some(&column)) = (sex, self.columns.sex.first())
            && written != number.sex()
        {
            self.problem(column, Reason::SexDiffers { written, number: number.sex() });
        }
        for &column in &self.columns.birth {
            let cell = self.row.cell(column);
            if cell.kind == CellKind::Empty {
                continue;
            }
            match dates::written(cell, self.sheet.epoch_1904()) {
                None => self.problem(column, Reason::Date(quote(cell.text))),
                Some(written) if written.agrees(number.birth_date()) => {}
                Some(_) => self.problem(column, Reason::BirthDiffers(quote(cell.text))),
            }
        }
    }

    /// The first telephone number that is one; a problem only if something is written and none is.
    fn phone(&mut self) -> Option<Phone> {
        let columns = self.columns;
        let mut problem = None;
        for &column in &columns.phone {
            let cell = self.row.cell(column);
            match error_value(cell).and_then(|()| Phone::parse(cell.text).map_err(Reason::Phone)) {
                Ok(phone) => return Some(phone),
                Err(Reason::Phone(PhoneError::Missing)) => {}
                // 无 is how some leave it empty.
                Err(_) if matches!(cell.text, "无" | "/" | "-" | "—") => {}
                Err(reason) => problem = problem.or(Some((column, reason))),
            }
        }
        if let Some((column, reason)) = problem {
            self.problem(column, reason);
        }
        None
    }

    fn required<T>(&mut self, column: u16, read: impl FnOnce(Cell<'_>) -> Result<T, Reason>) -> Option<T> {
        let cell = self.row.cell(column);
        match error_value(cell).and_then(|()| read(cell)) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.problem(column, reason);
                None
            }
        }
    }

    /// The first of `columns` with something in it.
    fn optional<T>(&mut self, columns: &[u16], read: impl FnOnce(Cell<'_>) -> Result<T, Reason>) -> Option<T> {
        let row = self.row;
        let column = *columns.iter().find(|&&column| row.cell(column).kind != CellKind::Empty)?;
        self.required(column, read)
    }

    fn problem(&mut self, column: u16, reason: Reason) {
        self.problems.push(Problem::in_column(self.sheet, self.row.number(), Some(column), reason));
    }
}

/// Reads an identity number; a cell that holds it as a number has lost digits, whatever it shows.
pub(super) fn identity(cell: Cell<'_>) -> Result<IdentityNumber, Reason> {
    let as_number = cell.kind == CellKind::Number && cell.text.bytes().filter(u8::is_ascii_digit).count() > 15;
    if as_number || (cell.kind == CellKind::Number && cell.text.contains('e')) {
        return Err(Reason::Identity(IdentityError::DigitsLost));
    }
    IdentityNumber::parse(cell.text).map_err(Reason::Identity)
}

fn email(text: &str) -> Result<String, Reason> {
    let email = bare(text).into_owned();
    let good = email.is_ascii()
        && email.len() <= 254
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        })
        && email.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b',' | b';'));
    if good { Ok(email) } else { Err(Reason::Email) }
}

fn national_number(text: &str) -> Result<String, Reason> {
    let number = bare(text).to_ascii_uppercase();
    let good = (1..=32).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if good { Ok(number) } else { Err(Reason::NationalNumber) }
}
