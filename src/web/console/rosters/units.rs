//! Units: list, page, making, editing; annex 2 on paper.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::page::{Shell, done, download, render, render_as, workbook};
use super::super::{ConsoleForm, PageError, Signed};
use super::{Wrong, again, key};
use crate::domain::staff::Permission;
use crate::domain::unit::TargetGroup;
use crate::service::desk::rosters::{
    DeliveredAsked, DeliveryView, DraftView, PAGE, ReceiptView, RosterPaper, UnitEdit, UnitPage, UnitsAsked,
};
use crate::service::desk::{Desk, DeskError};

/// What the list is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    county: String,
    group: String,
    after: String,
}

/// A unit's form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    name: String,
    group: String,
    head_count: String,
    county: String,
    revision: i64,
}

/// Why something is wanted in the clear, and as what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Paper {
    pub(super) reason: String,
    /// `pdf` or `xlsx`.
    pub(super) r#as: String,
}

#[derive(Template)]
#[template(path = "console/rosters/units.html")]
struct List {
    shell: Shell,
    asked: Asked,
    counties: Vec<(String, String)>,
    groups: Vec<(&'static str, &'static str)>,
    units: Vec<UnitPage>,
    next: Option<i64>,
    query: String,
    may_create: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/unit.html")]
struct One {
    shell: Shell,
    unit: UnitPage,
    receipt: ReceiptView,
    drafts: Vec<DraftView>,
    delivered: Vec<DeliveryView>,
    may_edit: bool,
    may_import: bool,
    may_print: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/unit_form.html")]
struct Edit {
    shell: Shell,
    /// None for a new one.
    unit: Option<UnitPage>,
    form: Form,
    wrong: Wrong,
    conflict: String,
    counties: Vec<(String, String)>,
    groups: Vec<(&'static str, &'static str)>,
    whole: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/annex2.html")]
struct AskRoster {
    shell: Shell,
    unit: UnitPage,
    form: Paper,
    wrong: Wrong,
    refused: String,
}

pub(super) async fn list(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let mut units = desk.units(&wanted(&asked)).await?;
    let more = units.len() > PAGE as usize;
    units.truncate(PAGE as usize);
    let next = units.last().filter(|_| more).map(|unit| unit.id);
    let query = serde_html_form::to_string([("q", &asked.q), ("county", &asked.county), ("group", &asked.group)]);
    let query = query.unwrap_or_default();
    let counties = choices(&desk, "全部县（区）")?;
    let may_create = desk.may(Permission::EditUnits);
    render(&List { shell, asked, counties, groups: groups("全部类别", true), units, next, query, may_create })
}

pub(super) async fn export(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let bytes = signed.desk.units_workbook(&wanted(&asked)).await?;
    Ok(workbook("单位一览表.xlsx", bytes))
}

pub(super) async fn one(signed: Signed, Path(unit): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let unit = desk.unit(key(&unit)?).await?;
    let receipt = desk.receipt(Some(unit.id), unit.county_code).await?;
    let may_import = desk.may(Permission::ImportRoster);
    let mut drafts = if may_import { desk.roster_drafts(Some(unit.id), "", None).await? } else { Vec::new() };
    drafts.retain(|draft| draft.open);
    let own = DeliveredAsked { unit: Some(unit.id), ..DeliveredAsked::default() };
    let mut delivered = desk.delivered_rosters(&own).await?;
    delivered.truncate(10);
    let may_edit = desk.may(Permission::EditUnitContacts);
    let may_print = desk.may(Permission::RevealPersonal);
    render(&One { shell, unit, receipt, drafts, delivered, may_edit, may_import, may_print })
}

pub(super) async fn new(signed: Signed) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    form_page(StatusCode::OK, &desk, shell, None, Form::default(), Wrong::default(), String::new())
}

pub(super) async fn create(signed: Signed, ConsoleForm(form): ConsoleForm<Form>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let made = match form.county.parse::<u8>() {
        Ok(county) => desk.create_unit(county, &edited(&form)).await,
        Err(_) => {
            let message = "请选择县（区）".to_owned();
            Err(DeskError::Invalid(vec![crate::service::desk::FieldError { field: "county", message }]))
        }
    };
    match made {
        Ok(id) => Ok(done(&shell, &format!("/units/{id}"), "单位已建立")),
        Err(error) => {
            let (status, wrong, conflict) = again(error)?;
            form_page(status, &desk, shell, None, form, wrong, conflict)
        }
    }
}

pub(super) async fn edit(signed: Signed, Path(unit): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let unit = desk.unit(key(&unit)?).await?;
    let form = Form {
        name: unit.name.clone(),
        group: unit.group.to_owned(),
        head_count: unit.head_count.clone(),
        county: String::new(),
        revision: unit.revision,
    };
    form_page(StatusCode::OK, &desk, shell, Some(unit), form, Wrong::default(), String::new())
}

pub(super) async fn save(
    signed: Signed,
    Path(unit): Path<String>,
    ConsoleForm(mut form): ConsoleForm<Form>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id = key(&unit)?;
    match desk.edit_unit(id, form.revision, &edited(&form)).await {
        Ok(()) => Ok(done(&shell, &format!("/units/{id}"), "单位资料已保存")),
        Err(error) => {
            let (status, wrong, conflict) = again(error)?;
            let unit = desk.unit(id).await?;
            if status == StatusCode::CONFLICT {
                // What she typed stays; saved again it goes over what stands there now, which is shown beside it.
                form.revision = unit.revision;
            }
            form_page(status, &desk, shell, Some(unit), form, wrong, conflict)
        }
    }
}

pub(super) async fn ask_roster(signed: Signed, Path(unit): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let unit = desk.unit(key(&unit)?).await?;
    let (form, wrong) = (Paper::default(), Wrong::default());
    render(&AskRoster { shell, unit, form, wrong, refused: String::new() })
}

pub(super) async fn print_roster(
    signed: Signed,
    Path(unit): Path<String>,
    ConsoleForm(form): ConsoleForm<Paper>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id = key(&unit)?;
    let asked = RosterPaper { unit: id, workbook: form.r#as == "xlsx", reason: &form.reason };
    match desk.roster_paper(asked).await {
        Ok(file) => Ok(download(file.kind, &file.name, file.bytes)),
        Err(error) => {
            let (status, wrong, refused) = again(error)?;
            render_as(status, &AskRoster { shell, unit: desk.unit(id).await?, form, wrong, refused })
        }
    }
}

fn form_page(
    status: StatusCode,
    desk: &Desk,
    shell: Shell,
    unit: Option<UnitPage>,
    form: Form,
    wrong: Wrong,
    conflict: String,
) -> Result<Response, PageError> {
    let counties = choices(desk, "请选择")?;
    let whole = desk.may(Permission::EditUnits);
    render_as(status, &Edit { shell, unit, form, wrong, conflict, counties, groups: groups("未确定", false), whole })
}

fn edited(form: &Form) -> UnitEdit {
    UnitEdit { name: form.name.clone(), group: form.group.clone(), head_count: form.head_count.clone() }
}

fn wanted(asked: &Asked) -> UnitsAsked {
    let group = match asked.group.as_str() {
        "none" => Some(None),
        word => TargetGroup::parse(word).map(Some),
    };
    UnitsAsked { name: asked.q.clone(), county: asked.county.parse().ok(), group, after: asked.after.parse().ok() }
}

/// Counties to choose from; with only one, that one.
pub(super) fn choices(desk: &Desk, none: &str) -> Result<Vec<(String, String)>, PageError> {
    let counties = desk.counties()?;
    let mut choices: Vec<(String, String)> =
        counties.iter().map(|(code, name)| (code.to_string(), (*name).to_owned())).collect();
    if choices.len() > 1 {
        choices.insert(0, (String::new(), none.to_owned()));
    }
    Ok(choices)
}

fn groups(none: &'static str, filter: bool) -> Vec<(&'static str, &'static str)> {
    let mut groups = vec![("", none)];
    groups.extend(TargetGroup::ALL.map(|group| (group.as_str(), group.label())));
    if filter {
        groups.push(("none", "未确定类别"));
    }
    groups
}
