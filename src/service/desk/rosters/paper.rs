//! Annex 2 and annex 3 on paper and as workbooks.

use jiff::Timestamp;
use jiff::civil::Date;

use super::unit_within_reach;
use crate::clock::beijing_date;
use crate::domain::codes::{Ethnicity, Political};
use crate::domain::person::Sex;
use crate::domain::staff::Permission;
use crate::render::RenderError;
use crate::render::paper::{Align, Cell, Paper, Style, Table};
use crate::roster::form::{self, Foot2, Person2};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{ReceiptOf, RosterPerson, UnitId};

/// People on paper at most: more are for a workbook.
const ON_PAPER: usize = 5_000;
/// People in a workbook at most.
const IN_WORKBOOK: usize = 100_000;
/// People read at a time.
const PART: u32 = 2_000;

/// A file for the person to keep.
#[derive(Debug)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub kind: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Annex 2 of a unit, to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RosterPaper<'a> {
    /// Key of the unit.
    pub unit: i64,
    /// As a workbook instead of on paper.
    pub workbook: bool,
    /// Why identity numbers and telephones are wanted in the clear.
    pub reason: &'a str,
}

impl Desk {
    /// Annex 2 of a unit, of everybody registered there who has not left. Who made it, and why, is noted.
    ///
    /// # Errors
    /// No unit within reach, no reason, nobody registered, more people than fit, a character that no font has.
    pub async fn roster_paper(&self, asked: RosterPaper<'_>) -> Result<Document, DeskError> {
        self.need(Permission::RevealPersonal)?;
        let reason = reason(asked.reason)?;
        let mut tx = self.office().begin().await?;
        let unit = unit_within_reach(self, &mut tx, UnitId(asked.unit)).await?;
        let most = if asked.workbook { IN_WORKBOOK } else { ON_PAPER };
        let mut people: Vec<RosterPerson> = Vec::new();
        loop {
            let after = people.last().map(|person| person.number.clone()).unwrap_or_default();
            let part = tx.roster_people(unit.id, &after, PART).await?;
            let full = part.len() == PART as usize;
            people.extend(part);
            if people.len() > most {
                let other = if asked.workbook {
                    "请联系联合会管理员分批导出"
                } else {
                    "请改为导出 Excel 表格"
                };
                return Err(DeskError::Refused(format!("{}的志愿者超过 {most} 人：{other}", unit.name)));
            }
            if !full {
                break;
            }
        }
        if people.is_empty() {
            return Err(DeskError::Refused(format!("{}还没有已注册的志愿者，没有可打印的名册", unit.name)));
        }
        let receipt = tx.receipt(ReceiptOf::Unit { unit: unit.id, county: unit.county }).await?;
        let foot = receipt.map_or_else(Foot2::default, |receipt| {
            let manager = receipt.leaders.manager;
            [manager.name, manager.office_phone, manager.mobile, String::new()]
        });
        tx.note_roster_printed(unit.id, people.len(), &reason);
        let now = tx.now();
        tx.commit().await?;
        let issuer = self.office().config().card.issuer.clone();
        let (workbook, name) = (asked.workbook, unit.name);
        tokio::task::spawn_blocking(move || {
            let rows: Vec<Person2> = people.iter().map(row).collect();
            let date = beijing_date(now);
            if workbook {
                let bytes = form::annex_2(&name, &rows, &foot, date).map_err(ServiceError::from)?;
                return Ok(document(&format!("附件2-{name}"), true, bytes));
            }
            let bytes = annex_2(&name, &issuer, &rows, &foot, now).map_err(ServiceError::from)?;
            Ok(document(&format!("附件2-{name}"), false, bytes))
        })
        .await
        .map_err(|_| ServiceError::Aborted)?
    }
}

/// Annex 3 as a file.
pub(super) fn receipt(
    owner: &str,
    rows: &[[String; 7]; 2],
    workbook: bool,
    now: Timestamp,
) -> Result<Document, DeskError> {
    let name = format!("附件3-{owner}");
    if workbook {
        let bytes = form::annex_3(owner, rows, beijing_date(now)).map_err(ServiceError::from)?;
        return Ok(document(&name, true, bytes));
    }
    let bytes = annex_3(owner, rows, now).map_err(ServiceError::from)?;
    Ok(document(&name, false, bytes))
}

/// A reason as it is noted: some words, one line.
pub(super) fn reason(text: &str) -> Result<String, DeskError> {
    let reason = text.trim();
    if (2..=100).contains(&reason.chars().count()) && !reason.chars().any(char::is_control) {
        return Ok(reason.to_owned());
    }
    let message = "请写明用途（2 到 100 个字），如：盖章后报联合会存档".into();
    Err(DeskError::Invalid(vec![FieldError { field: "reason", message }]))
}

fn document(stem: &str, workbook: bool, bytes: Vec<u8>) -> Document {
    let (ending, kind) = if workbook {
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    } else {
        ("pdf", "application/pdf")
    };
    Document { name: format!("{stem}.{ending}"), kind, bytes }
}

fn row(person: &RosterPerson) -> Person2 {
    [
        person.name.clone(),
        Sex::from_code(person.sex).map_or("", Sex::name).to_owned(),
        Ethnicity::from_code(person.ethnicity).map(|people| people.name().to_string()).unwrap_or_default(),
        month(person.birth_date),
        person
            .political
            .and_then(Political::from_code)
            .map(|political| political.name().to_string())
            .unwrap_or_default(),
        person.identity.to_string(),
        person.phone.as_ref().map(|phone| phone.to_string()).unwrap_or_default(),
        person.user_name.clone().unwrap_or_default(),
    ]
}

fn month(date: Date) -> String {
    date.strftime("%Y.%m").to_string()
}

/// Shares of the width, for the form's ten columns.
const SHARES_2: [f32; 10] = [1.1, 2.2, 1.0, 1.8, 1.8, 2.4, 3.9, 2.7, 3.0, 1.4];

fn annex_2(unit: &str, issuer: &str, people: &[Person2], foot: &Foot2, now: Timestamp) -> Result<Vec<u8>, RenderError> {
    let mut paper = Paper::new(form::ANNEX_2, issuer, now).landscape();
    paper.about(unit);
    paper.paragraph("附件2", Style { after: 0.0, ..Style::default() })?;
    paper.title(form::ANNEX_2)?;
    let [unit_line, date_line] = form::head_2(unit, beijing_date(now));
    paper.line(&[&unit_line, &date_line], 11.0)?;
    let mut table = Table::new(&SHARES_2).head(form::COLUMNS_2.map(Cell::new)).size(10.0);
    for (serial, person) in (1..).zip(people) {
        let mut cells = vec![Cell::new(serial.to_string()).centred()];
        cells.extend(person.iter().map(|text| Cell::new(text.as_str()).centred()));
        cells.push(Cell::new(""));
        table.tall_row(8.0, cells);
    }
    paper.table(&table)?;
    paper.space(3.0);
    let foot = form::foot_2(foot);
    // Blanks to be filled in by hand keep their width.
    let foot: Vec<String> =
        foot.into_iter().map(|text| if text.ends_with('：') { text + "　　　　　　" } else { text }).collect();
    let texts: Vec<&str> = foot.iter().map(String::as_str).collect();
    paper.line(&texts, 10.5)?;
    paper.paragraph(form::REMARK_2, Style { size: 9.0, ..Style::default() })?;
    paper.finish()
}

fn annex_3(owner: &str, rows: &[[String; 7]; 2], now: Timestamp) -> Result<Vec<u8>, RenderError> {
    let mut paper = Paper::new(form::ANNEX_3, owner, now).landscape().unnumbered();
    paper.about(owner);
    paper.paragraph("附件3", Style { after: 0.0, ..Style::default() })?;
    paper.title(form::ANNEX_3)?;
    paper.space(4.0);
    paper.paragraph(&format!("单位名称（盖章）：{owner}"), Style { size: 12.0, after: 3.0, ..Style::default() })?;
    let mut table = Table::new(&[2.0, 2.8, 2.6, 2.6, 2.2, 2.2, 2.8]).head(form::COLUMNS_3.map(Cell::new)).size(11.0);
    for row in form::remarked(rows) {
        table.tall_row(16.0, row.map(|text| Cell::new(text).centred()));
    }
    paper.table(&table)?;
    paper.space(6.0);
    let date = beijing_date(now);
    let words = format!("{} 年 {} 月 {} 日", date.year(), date.month(), date.day());
    paper.paragraph(&words, Style { size: 11.0, align: Align::Right, ..Style::default() })?;
    paper.finish()
}
