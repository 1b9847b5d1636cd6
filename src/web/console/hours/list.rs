//! Lists of records, people and acts of entering.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zyz_credential::CertificateNumber;

use super::super::page::{self, Shell};
use super::super::{ConsoleForm, PageError, Signed};
use super::Errors;
use crate::domain::staff::Permission;
use crate::service::desk::hours::{EntryRow, PersonHours, PersonLine, ProofLine, RecordQuery, RecordsPage, UnitChoice};
use crate::service::desk::{Desk, DeskError, FieldError};

/// The filters as a browser sends them.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(super) struct Filters {
    /// Name of a unit, or part of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    from: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    to: String,
    /// Empty, `late` or `void`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    after: String,
}

#[derive(Template)]
#[template(path = "console/hours/list.html")]
struct ListPage {
    shell: Shell,
    tab: &'static str,
    filters: Filters,
    errors: Errors,
    units: Vec<UnitChoice>,
    of_unit: bool,
    may_write: bool,
    found: RecordsPage,
    query: String,
    next: String,
}

#[derive(Template)]
#[template(path = "console/hours/found.html")]
struct FoundPage {
    shell: Shell,
    tab: &'static str,
    text: String,
    people: Vec<PersonLine>,
}

#[derive(Template)]
#[template(path = "console/hours/person.html")]
pub(super) struct PersonPage {
    pub shell: Shell,
    pub person: PersonHours,
    pub proofs: Vec<ProofLine>,
    pub may_write: bool,
    pub from: String,
    pub to: String,
    pub errors: Errors,
}

#[derive(Template)]
#[template(path = "console/hours/entries.html")]
struct EntriesPage {
    shell: Shell,
    tab: &'static str,
    q: String,
    first: bool,
    rows: Vec<EntryRow>,
    next: Option<i64>,
}

#[derive(Template)]
#[template(path = "console/hours/entry.html")]
struct EntryPage {
    shell: Shell,
    entry: EntryRow,
    found: RecordsPage,
    may_write: bool,
    reason: String,
    errors: Errors,
}

/// Records within reach.
pub(super) async fn page(signed: Signed, Query(filters): Query<Filters>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let of_unit = desk.hours_own_unit().await?.is_some();
    let (query, errors, units) = understood(&desk, &filters).await?;
    // An unknown unit shows nothing rather than everything.
    let found = match &query {
        Some(query) => desk.records(query).await?,
        None => RecordsPage { rows: Vec::new(), next: None, count: "0".into(), hours: None },
    };
    let bare = Filters { after: String::new(), ..filters.clone() };
    let next = found.next.clone().map(|after| encoded(&Filters { after, ..bare.clone() })).unwrap_or_default();
    let may_write = desk.may(Permission::WriteHours);
    let query = encoded(&bare);
    page::render(&ListPage { shell, tab: "records", filters, errors, units, of_unit, may_write, found, query, next })
}

/// The same as a workbook.
pub(super) async fn export(signed: Signed, Query(filters): Query<Filters>) -> Result<Response, PageError> {
    let desk = signed.desk;
    let (query, errors, _) = understood(&desk, &filters).await?;
    let Some(query) = query else { return Err(DeskError::Invalid(errors.0).into()) };
    let bytes = desk.records_workbook(&RecordQuery { after: None, ..query }).await?;
    Ok(page::workbook("服务记录.xlsx", bytes))
}

#[derive(Debug, Deserialize)]
pub(super) struct Find {
    #[serde(default)]
    text: String,
}

/// Finds a person by name or number; by POST, because a name is nobody's address.
pub(super) async fn find(signed: Signed, ConsoleForm(find): ConsoleForm<Find>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let text = find.text.trim().to_owned();
    let people = if text.is_empty() { Vec::new() } else { desk.hours_find_people(&text).await? };
    if let [one] = people.as_slice() {
        return Ok(page::go(&shell, &format!("/hours/people/{}", one.number), None));
    }
    page::render(&FoundPage { shell, tab: "records", text, people })
}

/// One person's records.
pub(super) async fn person(signed: Signed, Path(number): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let number = numbered(&number)?;
    let person = person_page(&desk, shell, number, Errors::default(), (String::new(), String::new())).await?;
    page::render(&person)
}

pub(super) async fn person_page(
    desk: &Desk,
    shell: Shell,
    number: CertificateNumber,
    errors: Errors,
    (from, to): (String, String),
) -> Result<PersonPage, PageError> {
    let person = desk.person_hours(number).await?;
    let proofs = desk.proofs(number).await?;
    let today = crate::clock::beijing_date(desk.office().now());
    let or = |text: String, day: Date| if text.is_empty() { day.to_string() } else { text };
    let (from, to) = (or(from, today.first_of_year()), or(to, today));
    let may_write = desk.may(Permission::WriteHours);
    Ok(PersonPage { shell, person, proofs, may_write, from, to, errors })
}

/// A certificate number of an address.
pub(super) fn numbered(text: &str) -> Result<CertificateNumber, PageError> {
    CertificateNumber::parse(text).map_err(|_| DeskError::NotFound.into())
}

/// What the list of acts of entering is asked.
#[derive(Debug, Deserialize)]
pub(super) struct EntriesAsked {
    /// Part of a unit's, activity's, file's or login name.
    #[serde(default)]
    q: String,
    before: Option<i64>,
}

/// Acts of entering.
pub(super) async fn entries(signed: Signed, Query(asked): Query<EntriesAsked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (rows, next) = desk.entries(&asked.q, asked.before).await?;
    let (q, first) = (asked.q.trim().to_owned(), asked.before.is_none());
    page::render(&EntriesPage { shell, tab: "entries", q, first, rows, next })
}

/// The same as a workbook.
pub(super) async fn entries_export(signed: Signed, Query(asked): Query<EntriesAsked>) -> Result<Response, PageError> {
    Ok(page::workbook("录入批次.xlsx", signed.desk.entries_workbook(&asked.q).await?))
}

/// One act of entering.
pub(super) async fn entry(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let may_write = desk.may(Permission::WriteHours);
    let (entry, found) = desk.entry(id).await?;
    let errors = Errors::default();
    page::render(&EntryPage { shell, entry, found, may_write, reason: String::new(), errors })
}

#[derive(Debug, Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    pub reason: String,
}

/// Declares all of it void.
pub(super) async fn void_entry(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<Reason>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.void_entry(id, &form.reason).await {
        Ok(count) => {
            Ok(page::done(&shell, &format!("/hours/entries/{id}"), format!("已作废 {count} 条记录，不再计入任何合计")))
        }
        Err(DeskError::Invalid(wrong)) => {
            let (entry, found) = desk.entry(id).await?;
            let page = EntryPage { shell, entry, found, may_write: true, reason: form.reason, errors: Errors(wrong) };
            page::render_as(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// The filters, what is wrong with them, and units to choose from where the name is not one of a kind.
async fn understood(
    desk: &Desk,
    filters: &Filters,
) -> Result<(Option<RecordQuery>, Errors, Vec<UnitChoice>), PageError> {
    let mut errors = Vec::new();
    let mut day = |field: &'static str, text: &str| -> Option<Date> {
        let text = text.trim();
        let day = text.parse().ok();
        if day.is_none() && !text.is_empty() {
            errors.push(FieldError { field, message: "请写成 2026-11-20".into() });
        }
        day
    };
    let (from, to) = (day("from", &filters.from), day("to", &filters.to));
    let name = filters.unit.trim();
    let (mut unit, mut units) = (None, Vec::new());
    if !name.is_empty() {
        units = desk.hours_find_units(name).await?;
        let same: Vec<i64> = units.iter().filter(|unit| unit.name == name).map(|unit| unit.id).collect();
        unit = match (same.as_slice(), units.as_slice()) {
            ([id], _) => Some(*id),
            ([], [one]) => Some(one.id),
            _ => None,
        };
        match unit {
            Some(_) => units.clear(),
            None => errors.push(FieldError {
                field: "unit", message: "没有唯一对应的单位，请选择或改写全称".into()
            }),
        }
    }
    let known = name.is_empty() || unit.is_some();
    let after = (!filters.after.is_empty()).then(|| filters.after.clone());
    let query = RecordQuery {
        unit,
        from,
        to,
        late: filters.state == "late",
        void: filters.state == "void",
        entry: None,
        after,
    };
    Ok((known.then_some(query), Errors(errors), units))
}

fn encoded(filters: &Filters) -> String {
    serde_html_form::to_string(filters).unwrap_or_default()
}
