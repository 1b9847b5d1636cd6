//! Annex 3 (回执): filling in, printing, who returned it.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::page::{Shell, done, download, render, render_as, workbook};
use super::super::{ConsoleForm, PageError, Signed};
use super::units::Paper;
use super::{Wrong, again, key};
use crate::domain::staff::Permission;
use crate::service::desk::Desk;
use crate::service::desk::rosters::{CountyReceipts, FIELDS, ReceiptForm, ReceiptView};

/// What the list of a county is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    show: String,
    after: String,
}

#[derive(Template)]
#[template(path = "console/rosters/receipt_form.html")]
struct Edit {
    shell: Shell,
    receipt: ReceiptView,
    /// Each person: prefix, title, help, fields with name, label, value and error.
    people: Vec<Person>,
    conflict: String,
    /// What stands there now, if somebody was quicker.
    now: Option<ReceiptView>,
    to: String,
    back: String,
    revision: i64,
}

struct Person {
    title: &'static str,
    help: &'static str,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    label: &'static str,
    value: String,
    error: String,
    required: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/annex3.html")]
struct Ask {
    shell: Shell,
    receipt: ReceiptView,
    form: Paper,
    wrong: Wrong,
    refused: String,
    to: String,
    back: String,
}

#[derive(Template)]
#[template(path = "console/rosters/receipts.html")]
struct Counties {
    shell: Shell,
    counties: Vec<CountyReceipts>,
}

#[derive(Template)]
#[template(path = "console/rosters/receipts_county.html")]
struct County {
    shell: Shell,
    county: CountyReceipts,
    show: String,
    may_edit: bool,
}

pub(super) async fn counties(signed: Signed) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let counties = desk.receipt_counties().await?;
    render(&Counties { shell, counties })
}

pub(super) async fn counties_export(signed: Signed) -> Result<Response, PageError> {
    let bytes = signed.desk.receipts_workbook(None, false).await?;
    Ok(workbook("回执情况.xlsx", bytes))
}

pub(super) async fn county_export(
    signed: Signed,
    Path(county): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let bytes = signed.desk.receipts_workbook(Some(key(&county)?), asked.show == "missing").await?;
    Ok(workbook("回执情况.xlsx", bytes))
}

pub(super) async fn county(
    signed: Signed,
    Path(county): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let missing = asked.show == "missing";
    let county = desk.county_receipts(key(&county)?, missing, asked.after.parse().ok()).await?;
    let may_edit = desk.may(Permission::EditUnitContacts);
    render(&County { shell, county, show: asked.show, may_edit })
}

pub(super) async fn edit_unit(signed: Signed, Path(unit): Path<String>) -> Result<Response, PageError> {
    edit(signed, Whose::unit(&unit)?).await
}

pub(super) async fn edit_county(signed: Signed, Path(county): Path<String>) -> Result<Response, PageError> {
    edit(signed, Whose::county(&county)?).await
}

pub(super) async fn save_unit(
    signed: Signed,
    Path(unit): Path<String>,
    ConsoleForm(form): ConsoleForm<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    save(signed, Whose::unit(&unit)?, form).await
}

pub(super) async fn save_county(
    signed: Signed,
    Path(county): Path<String>,
    ConsoleForm(form): ConsoleForm<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    save(signed, Whose::county(&county)?, form).await
}

pub(super) async fn ask_unit(signed: Signed, Path(unit): Path<String>) -> Result<Response, PageError> {
    ask(signed, Whose::unit(&unit)?).await
}

pub(super) async fn ask_county(signed: Signed, Path(county): Path<String>) -> Result<Response, PageError> {
    ask(signed, Whose::county(&county)?).await
}

pub(super) async fn print_unit(
    signed: Signed,
    Path(unit): Path<String>,
    ConsoleForm(form): ConsoleForm<Paper>,
) -> Result<Response, PageError> {
    print(signed, Whose::unit(&unit)?, form).await
}

pub(super) async fn print_county(
    signed: Signed,
    Path(county): Path<String>,
    ConsoleForm(form): ConsoleForm<Paper>,
) -> Result<Response, PageError> {
    print(signed, Whose::county(&county)?, form).await
}

/// Whose annex 3 an address names.
struct Whose {
    unit: Option<i64>,
    county: u8,
    /// Its form's address.
    to: String,
    /// Where to go afterwards.
    back: String,
}

impl Whose {
    fn unit(text: &str) -> Result<Self, PageError> {
        let unit = key::<i64>(text)?;
        let (to, back) = (format!("/units/{unit}/receipt"), format!("/units/{unit}"));
        Ok(Self { unit: Some(unit), county: 0, to, back })
    }

    fn county(text: &str) -> Result<Self, PageError> {
        let county = key::<u8>(text)?;
        let back = format!("/units/receipts/{county}");
        Ok(Self { unit: None, county, to: format!("{back}/own"), back })
    }
}

async fn edit(signed: Signed, whose: Whose) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let receipt = desk.open_receipt(whose.unit, whose.county).await?;
    let (people, revision) = (people(&receipt.rows, &Wrong::default()), receipt.revision);
    let Whose { to, back, .. } = whose;
    render(&Edit { shell, receipt, people, conflict: String::new(), now: None, to, back, revision })
}

async fn save(signed: Signed, whose: Whose, form: Vec<(String, String)>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let value = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let row = |prefix: &str| FIELDS.map(|field| value(&format!("{prefix}_{field}")).unwrap_or_default());
    let rows: ReceiptForm = [row("leader"), row("manager")];
    let revision = value("revision").and_then(|text| text.parse().ok()).unwrap_or(0);
    match desk.return_receipt(whose.unit, whose.county, revision, &rows).await {
        Ok(()) => Ok(done(&shell, &whose.back, "回执已报送")),
        Err(error) => {
            let (status, wrong, conflict) = again(error)?;
            let receipt = current(&desk, &whose).await?;
            let late = status == StatusCode::CONFLICT;
            let revision = if late { receipt.revision } else { revision };
            let now = late.then(|| receipt.clone());
            let (people, Whose { to, back, .. }) = (people(&rows, &wrong), whose);
            render_as(status, &Edit { shell, receipt, people, conflict, now, to, back, revision })
        }
    }
}

async fn ask(signed: Signed, whose: Whose) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let receipt = current(&desk, &whose).await?;
    let Whose { to, back, .. } = whose;
    render(&Ask { shell, receipt, form: Paper::default(), wrong: Wrong::default(), refused: String::new(), to, back })
}

async fn print(signed: Signed, whose: Whose, form: Paper) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.print_receipt(whose.unit, whose.county, form.r#as == "xlsx", &form.reason).await {
        Ok(file) => Ok(download(file.kind, &file.name, file.bytes)),
        Err(error) => {
            let (status, wrong, refused) = again(error)?;
            let receipt = current(&desk, &whose).await?;
            let Whose { to, back, .. } = whose;
            render_as(status, &Ask { shell, receipt, form, wrong, refused, to, back })
        }
    }
}

/// What stands there, telephones masked.
async fn current(desk: &Desk, whose: &Whose) -> Result<ReceiptView, PageError> {
    Ok(desk.receipt(whose.unit, whose.county).await?)
}

const LABELS: [&str; 7] = ["姓名", "职务", "手机号码", "办公电话", "传真", "QQ号", "备注"];

fn people(rows: &ReceiptForm, wrong: &Wrong) -> Vec<Person> {
    let titles = [
        ("leader", "分管领导", "分管志愿服务工作的单位领导，一名"),
        ("manager", "负责人", "具体负责志愿服务工作的人，一名；名册下方的“负责人”就是此人"),
    ];
    let people = titles.iter().zip(rows).map(|((prefix, title, help), row)| {
        let fields = FIELDS.iter().zip(LABELS).zip(row).map(|((field, label), value)| {
            let name = format!("{prefix}_{field}");
            let error = wrong.of(&name).to_owned();
            let required = matches!(*field, "name" | "post" | "mobile");
            Field { name, label, value: value.clone(), error, required }
        });
        Person { title, help, fields: fields.collect() }
    });
    people.collect()
}
