//! Rules, and what a changed one would do.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::hours::Errors;
use super::super::page::{self, Shell};
use super::super::{ConsoleForm, PageError, Signed};
use crate::domain::staff::Permission;
use crate::domain::star::{Window, label};
use crate::service::desk::DeskError;
use crate::service::desk::stars::{PolicyForm, PolicyRow, WhatIf};

/// People shown below a trial; a workbook holds all.
const SHOWN: usize = 200;

/// A rule as a browser sends it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    from: String,
    #[serde(default)]
    hours1: String,
    #[serde(default)]
    hours2: String,
    #[serde(default)]
    hours3: String,
    #[serde(default)]
    hours4: String,
    #[serde(default)]
    hours5: String,
    #[serde(default)]
    window: String,
    #[serde(default)]
    keep: String,
    #[serde(default)]
    year: String,
    #[serde(default)]
    step: String,
}

#[derive(Template)]
#[template(path = "console/stars/policies.html")]
struct ListPage {
    shell: Shell,
    tab: &'static str,
    rows: Vec<PolicyRow>,
    may_add: bool,
    may_try: bool,
}

#[derive(Template)]
#[template(path = "console/stars/policy.html")]
struct FormPage {
    shell: Shell,
    form: PolicyForm,
    errors: Errors,
    windows: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "console/stars/whatif.html")]
struct WhatIfPage {
    shell: Shell,
    tab: &'static str,
    form: PolicyForm,
    year: String,
    errors: Errors,
    windows: Vec<(&'static str, &'static str)>,
    found: Option<WhatIf>,
}

impl From<Sent> for PolicyForm {
    fn from(sent: Sent) -> Self {
        let hours = [sent.hours1, sent.hours2, sent.hours3, sent.hours4, sent.hours5];
        Self { from: sent.from, hours, window: sent.window, keep: sent.keep == "1" }
    }
}

/// All rules.
pub(super) async fn list(signed: Signed) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let rows = desk.policy_rows().await?;
    let (may_add, may_try) = (desk.may(Permission::StarPolicy), desk.may(Permission::StarDraft));
    page::render(&ListPage { shell, tab: "policies", rows, may_add, may_try })
}

/// A new one.
pub(super) async fn form(signed: Signed) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let form = desk.policy_form().await?;
    page::render(&FormPage { shell, form, errors: Errors::default(), windows: windows() })
}

/// Adds it.
pub(super) async fn add(signed: Signed, ConsoleForm(sent): ConsoleForm<Sent>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let form = PolicyForm::from(sent);
    match desk.add_policy(&form).await {
        Ok(from) => {
            Ok(page::done(&shell, "/stars/policies", format!("已添加规则，自 {from} 起施行；已认定的批次不受影响")))
        }
        Err(DeskError::Invalid(wrong)) => {
            let page = FormPage { shell, form, errors: Errors(wrong), windows: windows() };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// The form of a trial, filled in with the rule in force.
pub(super) async fn what_if(signed: Signed) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let form = desk.policy_form().await?;
    let year = crate::clock::beijing_date(desk.office().now()).year().to_string();
    let (errors, found) = (Errors::default(), None);
    page::render(&WhatIfPage { shell, tab: "what-if", form, year, errors, windows: windows(), found })
}

/// The trial. It writes nothing.
pub(super) async fn compute(signed: Signed, ConsoleForm(sent): ConsoleForm<Sent>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (year, step) = (sent.year.clone(), sent.step.clone());
    let form = PolicyForm::from(sent);
    let (errors, found) = match step.as_str() {
        "export" => match desk.what_if_workbook(&year, &form).await {
            Ok(bytes) => return Ok(page::workbook("星级规则试算.xlsx", bytes)),
            Err(DeskError::Invalid(wrong)) => (Errors(wrong), None),
            Err(error) => return Err(error.into()),
        },
        _ => match desk.what_if(&year, &form).await {
            Ok(found) => (Errors::default(), Some(found)),
            Err(DeskError::Invalid(wrong)) => (Errors(wrong), None),
            Err(error) => return Err(error.into()),
        },
    };
    let status = if errors.count() > 0 { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = WhatIfPage { shell, tab: "what-if", form, year, errors, windows: windows(), found };
    page::render_as(status, &page)
}

fn windows() -> Vec<(&'static str, &'static str)> {
    [Window::CalendarYear, Window::Lifetime, Window::Rolling12Months]
        .map(|window| (window.as_str(), window.label()))
        .into()
}
