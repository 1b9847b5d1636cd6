//! The room's first page; finding one person; the calibration page.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::error_of;
use crate::domain::staff::Permission;
use crate::render::Layout;
use crate::service::desk::DeskError;
use crate::service::desk::cards::{CardLine, CardSummary};
use crate::web::console::page::{self, Shell};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Template)]
#[template(path = "console/cards/home.html")]
struct Home {
    shell: Shell,
    summary: CardSummary,
    /// Whether the caller signs and prints.
    makes: bool,
    edits: bool,
    layouts: Vec<(&'static str, &'static str)>,
}

pub(super) async fn page(signed: Signed) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let summary = desk.card_summary().await?;
    let makes = desk.may(Permission::PrintCards);
    page::render(&Home { shell, summary, makes, edits: desk.may(Permission::EditPeople), layouts: layouts() })
}

#[derive(Deserialize)]
pub(super) struct Find {
    #[serde(default)]
    text: String,
}

#[derive(Template)]
#[template(path = "console/cards/found.html")]
struct FoundPage {
    shell: Shell,
    text: String,
    error: String,
    rows: Vec<CardLine>,
    makes: bool,
    edits: bool,
}

/// By number or whole name. A form, so that no name stands in an address.
pub(super) async fn find(signed: Signed, form: ConsoleForm<Find>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let text = form.0.text;
    let (rows, error) = match desk.find_cards(&text).await {
        Ok(rows) => (rows, String::new()),
        Err(DeskError::Invalid(errors)) => (Vec::new(), error_of(&errors, "text")),
        Err(error) => return Err(error.into()),
    };
    if let [one] = &rows[..] {
        return Ok(page::go(&shell, &format!("/cards/of/{}", one.number), None));
    }
    let (makes, edits) = (desk.may(Permission::PrintCards), desk.may(Permission::EditPeople));
    page::render(&FoundPage { shell, text, error, rows, makes, edits })
}

#[derive(Deserialize)]
pub(super) struct Calibration {
    #[serde(default)]
    layout: String,
}

pub(super) async fn calibration(signed: Signed, query: Query<Calibration>) -> Result<Response, PageError> {
    let bytes = signed.desk.calibration(&query.layout)?;
    Ok(page::download("application/pdf", "校准页.pdf", bytes))
}

/// Names and words of the layouts.
pub(super) fn layouts() -> Vec<(&'static str, &'static str)> {
    let words = |layout| match layout {
        Layout::A4EightUp => "A4，每页 8 张，带出血和裁切线",
        Layout::A4TenUp => "A4，每页 10 张，无出血",
        Layout::Cr80 => "证卡打印机，每页 1 张",
    };
    Layout::ALL.into_iter().map(|layout| (layout.name(), words(layout))).collect()
}
