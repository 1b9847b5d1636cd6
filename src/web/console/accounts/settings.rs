//! Switches of the console.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::Faults;
use crate::domain::review::Settings;
use crate::service::desk::accounts::settings::SettingsView;
use crate::service::desk::{DeskError, FieldError};
use crate::web::console::page::{self, Shell, render_as};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Deserialize)]
pub(super) struct SettingsForm {
    #[serde(default)]
    two_person: String,
    #[serde(default)]
    issue_over: String,
    revision: i64,
}

#[derive(Template)]
#[template(path = "console/accounts/settings.html")]
struct SettingsPage {
    shell: Shell,
    now: SettingsView,
    two_person: bool,
    issue_over: String,
    second_factor: bool,
    idle_minutes: u32,
    session_hours: u32,
    faults: Faults,
    conflict: Option<String>,
}

/// The page.
pub(super) async fn page(signed: Signed) -> Result<Response, PageError> {
    let now = signed.desk.settings_view().await?;
    let typed = (now.settings.two_person, now.settings.issue_over.to_string());
    show(signed, now, typed, Faults::default(), None, StatusCode::OK)
}

/// Changes them.
pub(super) async fn change(
    signed: Signed,
    ConsoleForm(form): ConsoleForm<SettingsForm>,
) -> Result<Response, PageError> {
    let typed = (!form.two_person.is_empty(), form.issue_over.clone());
    let changed = match form.issue_over.trim().parse() {
        Ok(issue_over) => {
            signed.desk.change_settings(Settings { two_person: typed.0, issue_over }, form.revision).await
        }
        Err(_) => {
            let message = format!("请填写 0 到 {} 之间的整数", Settings::MOST);
            Err(DeskError::Invalid(vec![FieldError { field: "issue_over", message }]))
        }
    };
    let (faults, conflict, status) = match changed {
        Ok(()) => return Ok(page::done(&signed.shell, "/settings", "设置已保存，并记入审计")),
        Err(DeskError::Invalid(faults)) => (Faults(faults), None, StatusCode::UNPROCESSABLE_ENTITY),
        Err(error @ DeskError::Conflict { .. }) => (Faults::default(), Some(error.to_string()), StatusCode::CONFLICT),
        Err(error) => return Err(error.into()),
    };
    let now = signed.desk.settings_view().await?;
    show(signed, now, typed, faults, conflict, status)
}

fn show(
    signed: Signed,
    now: SettingsView,
    (two_person, issue_over): (bool, String),
    faults: Faults,
    conflict: Option<String>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let console = &signed.desk.office().config().console;
    let page = SettingsPage {
        now,
        two_person,
        issue_over,
        second_factor: console.second_factor,
        idle_minutes: console.idle_minutes,
        session_hours: console.session_hours,
        faults,
        conflict,
        shell: signed.shell,
    };
    render_as(status, &page)
}
