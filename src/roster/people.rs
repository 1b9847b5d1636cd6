//! The roster 《普洱市志愿者统计表》 (附件2): each row judged by itself and against the rows before it.

use std::collections::HashMap;

use jiff::civil::Date;

use super::dates;
use super::problem::{Checked, Problem, Reason, RowCheck, Skip, Skipped, Warning};
use super::sheet::{Cell, CellKind, Header, Row, Sheet, column_letters};
use super::{Field, HeaderError};
use crate::domain::codes::{Ethnicity, Political};
use crate::domain::identity::{IdentityError, IdentityNumber};
use crate::domain::person::{self, PersonName, Phone, PhoneError, Sex, age_on, bare, half_width, is_blank};

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
    let columns = Columns::find(sheet)?;
    let rows: Vec<Row<'_>> = sheet.data_rows().collect();
    let mut result = RosterCheck::default();
    result.rows.reserve(rows.len());
    let mut seen: HashMap<IdentityNumber, u32> = HashMap::with_capacity(rows.len());
    for (row, judged) in judge_all(sheet, &columns, &rows, today) {
        match judged {
            Judged::PassedOver(why) => result.skipped.push(Skipped { row, why }),
            Judged::Person { identity, mut check } => {
                if let Some(&first) = identity.as_ref().and_then(|number| seen.get(number)) {
                    let reason = Reason::Duplicate { row: first };
                    let problem = Problem::in_column(sheet, row, Some(columns.identity), reason);
                    check = check.with(problem);
                } else if let Some(number) = identity {
                    seen.insert(number, row);
                }
                result.rows.push(Checked { row, check });
            }
        }
    }
    result.warnings = warnings(sheet, &result);
    Ok(result)
}

/// A row judged by itself.
#[expect(clippy::large_enum_variant, reason = "nearly all are people, and a box for each would cost more")]
enum Judged {
    PassedOver(Skip),
    Person { identity: Option<IdentityNumber>, check: RowCheck<PersonRow> },
}

/// Judges the rows on all cores, in their order.
fn judge_all(sheet: &Sheet, columns: &Columns, rows: &[Row<'_>], today: Date) -> Vec<(u32, Judged)> {
    let judge = |row: &Row<'_>| {
        let is_data = |row: &Row<'_>| holds_number(row.cell(columns.identity).text);
        let judged = match passed_over(row, sheet.header(), is_data) {
            Some(why) => Judged::PassedOver(why),
            None => Judge { sheet, columns, row: *row, today, problems: Vec::new() }.judge(),
        };
        (row.number(), judged)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores == 1 || rows.len() < WORTH_A_THREAD {
        return rows.iter().map(judge).collect();
    }
    std::thread::scope(|scope| {
        let judge = &judge;
        let share = rows.len().div_ceil(cores);
        let threads: Vec<_> =
            rows.chunks(share).map(|share| scope.spawn(move || share.iter().map(judge).collect::<Vec<_>>())).collect();
        let mut all = Vec::with_capacity(rows.len());
        for thread in threads {
            match thread.join() {
                Ok(judged) => all.extend(judged),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// Rows below which a thread costs more than it gains.
const WORTH_A_THREAD: usize = 2_000;

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
    fn judge(mut self) -> Judged {
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
        Judged::Person { identity, check }
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

/// A spreadsheet program's error value is nobody's data.
pub(super) fn error_value(cell: Cell<'_>) -> Result<(), Reason> {
    match cell.kind {
        CellKind::Error => Err(Reason::ErrorValue(cell.text.to_owned())),
        _ => Ok(()),
    }
}

/// Free text without control and direction characters, inner blanks made single spaces.
pub(super) fn free_text(text: &str, limit: usize) -> Result<String, Reason> {
    let clean = plain(text);
    if clean.chars().nth(limit).is_some() { Err(Reason::TooLong { limit }) } else { Ok(clean) }
}

/// `text` fit to be shown on one line: blanks single, no control, direction or invisible characters.
pub(super) fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !clean.ends_with(' ') {
                clean.push(' ');
            }
        } else if !c.is_control() && !is_blank(c) && !matches!(c, '\u{2066}'..='\u{2069}') {
            clean.push(c);
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// What was written, short enough for a message.
pub(super) fn quote(text: &str) -> String {
    let clean = plain(text);
    match clean.char_indices().nth(20) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

/// Whether a row is nobody's: only a serial number, a sum, the header again, the foot. A row with `is_data` is somebody's.
pub(super) fn passed_over(row: &Row<'_>, header: &Header, is_data: impl Fn(&Row<'_>) -> bool) -> Option<Skip> {
    if is_data(row) {
        return None;
    }
    let mut cells = row.cells();
    // Nothing left of it: a remark about passwords, dropped while reading.
    let Some((first_column, first)) = cells.next() else { return Some(Skip::Footer) };
    if cells.next().is_none() && header.column_of(Field::Serial) == Some(first_column) {
        let counts = first.text.len() <= 9 && first.text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '…'));
        if counts {
            return Some(Skip::SerialOnly);
        }
    }
    let headings = row.cells().filter(|(_, cell)| cell.text.len() <= 60 && Field::of(cell.text).is_some()).count();
    let who = [Field::Name, Field::Identity, Field::CertificateNumber];
    if headings >= 2 && row.cells().any(|(_, cell)| Field::of(cell.text).is_some_and(|field| who.contains(&field))) {
        return Some(Skip::RepeatedHeader);
    }
    let starts = bare(first.text);
    let name = header.column_of(Field::Name).map(|column| bare(row.cell(column).text)).unwrap_or_default();
    let begins = |words: &[&str]| words.iter().any(|word| starts.starts_with(word) || name.starts_with(word));
    if begins(&["合计", "小计", "总计", "共计", "累计"]) {
        return Some(Skip::Total);
    }
    begins(FOOT).then_some(Skip::Footer)
}

/// Whether a cell holds what was meant as an identity number, good or not. A telephone number is too short.
pub(super) fn holds_number(text: &str) -> bool {
    (15..=40).contains(&text.len()) && text.chars().filter(|&c| half_width(c).is_ascii_digit()).count() >= 12
}

/// How the lines at the foot of the forms begin.
const FOOT: &[&str] = &[
    "本单位志愿服务",
    "单位志愿服务工作负责人",
    "志愿服务工作负责人",
    "负责人:",
    "负责人",
    "办公电话",
    "手机号码:",
    "邮箱:",
    "备注",
    "注:",
    "注1",
    "说明:",
    "填表",
    "制表",
    "填报",
    "审核",
    "联系人",
    "联系电话:",
    "单位名称",
    "单位(盖章)",
    "单位负责人",
    "分管领导",
    "日期:",
    "(公章)",
    "(盖章)",
    "盖章",
    "经办人",
    "导入结果",
    "以上",
    "填写说明",
];

/// Refuses a header without one column of each group.
pub(super) fn require(header: &Header, groups: &[&[Field]]) -> Result<(), HeaderError> {
    let missing: Vec<&'static str> = groups
        .iter()
        .filter(|group| group.iter().all(|&field| header.column_of(field).is_none()))
        .map(|group| group[0].name())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found = header.headings().map(str::to_owned).collect();
    Err(HeaderError::Missing { row: header.row(), columns: missing, found })
}

/// The one column that means `field`.
pub(super) fn only(header: &Header, field: Field) -> Result<Option<u16>, HeaderError> {
    let mut columns = header.columns_of(field);
    let first = columns.next();
    match (first, columns.next()) {
        (Some(first), Some(second)) => {
            let cell = |column| format!("{}{}", column_letters(column), header.row());
            Err(HeaderError::Twice { field, cells: (cell(first), cell(second)) })
        }
        _ => Ok(first),
    }
}

/// What is to be said about any sheet: passwords, rows passed over, other sheets, columns of one meaning.
pub(super) fn sheet_warnings(sheet: &Sheet, skipped: &[Skipped]) -> Vec<Warning> {
    let header = sheet.header();
    let mut warnings = Vec::new();
    if header.column_of(Field::Password).is_some() {
        warnings.push(Warning::PasswordDropped);
    }
    if !sheet.other_sheets().is_empty() {
        let others = sheet.other_sheets().to_vec();
        warnings.push(Warning::OtherSheets { read: sheet.name().to_owned(), others });
    }
    for field in [Field::Sex, Field::Ethnicity, Field::Political, Field::Phone, Field::Unit, Field::Date, Field::Hours]
    {
        let count = header.columns_of(field).count();
        if count > 1 {
            warnings.push(Warning::SameMeaning { name: field.name(), count });
        }
    }
    for why in [Skip::SerialOnly, Skip::Total, Skip::RepeatedHeader, Skip::Footer] {
        let rows: Vec<u32> = skipped.iter().filter(|s| s.why == why).map(|s| s.row).collect();
        if !rows.is_empty() {
            warnings.push(Warning::Skipped { why, count: rows.len(), rows: rows.into_iter().take(10).collect() });
        }
    }
    warnings
}

fn warnings(sheet: &Sheet, result: &RosterCheck) -> Vec<Warning> {
    let mut warnings = sheet_warnings(sheet, &result.skipped);
    let header = sheet.header();
    let without: Vec<u32> = result.accepted().filter(|p| p.phone.is_none()).map(|p| p.row).collect();
    if header.column_of(Field::Phone).or(header.column_of(Field::OfficePhone)).is_none() {
        warnings.push(Warning::NoPhoneColumn);
    } else if let Some(&first) = without.first() {
        warnings.push(Warning::NoPhone { count: without.len(), first });
    }
    if result.rows.is_empty() {
        warnings.push(Warning::NoRows);
    }
    warnings
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
