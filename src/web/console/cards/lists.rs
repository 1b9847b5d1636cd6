//! A frozen list: counted, named, looked at; then signed or printed.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::home::layouts;
use super::{error_of, key};
use crate::domain::certificate::Reason;
use crate::domain::choice::CardChoice;
use crate::domain::division::County;
use crate::domain::staff::Permission;
use crate::service::desk::cards::{Asked, ListPage, ListView, REPRINT_REASONS};
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::web::console::page::{self, Shell};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    from: String,
}

#[derive(Template)]
#[template(path = "console/cards/list.html")]
struct ListTemplate {
    shell: Shell,
    list: ListView,
    units: Vec<(String, &'static str, u64)>,
    page: ListPage,
    last: usize,
    /// What the one main action is: sign, print, or nothing for who only looks.
    signs: bool,
    prints: bool,
    mixed: bool,
    reprint: bool,
    reasons: [Reason; 3],
    layouts: Vec<(&'static str, &'static str)>,
    typed: Typed,
    errors: Errors,
}

/// What was typed into the forms.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    count: String,
    reason: String,
    layout: String,
    photos: String,
}

#[derive(Default)]
struct Errors {
    count: String,
    again: String,
    reason: String,
    layout: String,
}

pub(super) async fn page(signed: Signed, path: Path<String>, query: Query<From>) -> Result<Response, PageError> {
    let from = query.from.parse().unwrap_or(0);
    let list = key(&path)?;
    let shown = show(&signed.desk, signed.shell, list, from, Typed::default(), Errors::default()).await?;
    page::render(&shown)
}

pub(super) async fn issue(signed: Signed, path: Path<String>, form: ConsoleForm<Typed>) -> Result<Response, PageError> {
    let list = key(&path)?;
    let asked = signed.desk.ask_issue(list, &form.0.count).await;
    let wrong = |errors: &[FieldError]| Errors { count: error_of(errors, "count"), ..Errors::default() };
    answer(signed, list, asked, form.0, wrong).await
}

pub(super) async fn reprint(
    signed: Signed,
    path: Path<String>,
    form: ConsoleForm<Typed>,
) -> Result<Response, PageError> {
    let list = key(&path)?;
    let asked = signed.desk.ask_reprint(list, &form.0.reason, &form.0.count).await;
    let wrong = |errors: &[FieldError]| Errors {
        again: error_of(errors, "count"),
        reason: error_of(errors, "reason"),
        ..Errors::default()
    };
    answer(signed, list, asked, form.0, wrong).await
}

pub(super) async fn print(signed: Signed, path: Path<String>, form: ConsoleForm<Typed>) -> Result<Response, PageError> {
    let list = key(&path)?;
    let asked = signed.desk.ask_print(list, &form.0.layout, !form.0.photos.is_empty()).await.map(Asked::Job);
    let wrong = |errors: &[FieldError]| Errors { layout: error_of(errors, "layout"), ..Errors::default() };
    answer(signed, list, asked, form.0, wrong).await
}

#[derive(Deserialize)]
pub(super) struct Again {
    #[serde(default)]
    keep: String,
}

/// The same people anew, or some of them.
pub(super) async fn again(signed: Signed, path: Path<String>, form: ConsoleForm<Again>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let list = desk.freeze_again(key(&path)?, &form.0.keep).await?;
    Ok(page::done(&shell, &format!("/cards/lists/{list}"), "已按现在的情况重新生成名单，请再核对一次"))
}

async fn answer(
    signed: Signed,
    list: i64,
    asked: Result<Asked, DeskError>,
    typed: Typed,
    wrong: impl Fn(&[FieldError]) -> Errors,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match asked {
        Ok(Asked::Job(job)) => {
            let text = "已开始办理。可以关闭浏览器，回来后在“任务”中查看";
            Ok(page::done(&shell, &format!("/cards/jobs/{job}"), text))
        }
        Ok(Asked::Review(_)) => {
            let text = "已提交复核。另一位有复核权限的同事通过后自动开始签发";
            Ok(page::done(&shell, &format!("/cards/lists/{list}"), text))
        }
        Err(DeskError::Invalid(errors)) => {
            let shown = show(&desk, shell, list, 0, typed, wrong(&errors)).await?;
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(
    desk: &Desk,
    shell: Shell,
    id: i64,
    from: usize,
    typed: Typed,
    errors: Errors,
) -> Result<ListTemplate, PageError> {
    let list = desk.card_list(id).await?;
    let page = desk.card_list_page(id, from).await?;
    let detail = &list.detail;
    let choice = CardChoice::parse(&detail.choice);
    let open = list.job.is_none() && list.review.is_none();
    let fresh = choice.map_or(detail.without_card > 0 && detail.with_card == 0, CardChoice::is_for_signing);
    let mixed = choice.is_none() && detail.without_card > 0 && detail.with_card > 0;
    let makes = desk.may(Permission::PrintCards);
    let units = detail
        .units
        .iter()
        .map(|unit| (unit.name.clone(), County::from_code(unit.county).map_or("", County::name), unit.people))
        .collect();
    Ok(ListTemplate {
        signs: desk.may(Permission::IssueCards) && fresh && open,
        prints: makes && !fresh && !mixed && detail.with_card > 0,
        reprint: desk.may(Permission::IssueCards) && !fresh && !mixed && open && detail.with_card > 0,
        mixed: mixed && makes,
        units,
        last: page.first + page.rows.len().max(1) - 1,
        page,
        reasons: REPRINT_REASONS,
        layouts: layouts(),
        shell,
        list,
        typed,
        errors,
    })
}
