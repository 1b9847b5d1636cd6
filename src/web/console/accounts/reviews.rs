//! Steps that wait for a second person.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::{Faults, Typed};
use crate::clock::beijing_date;
use crate::domain::review::{ReviewKind, ReviewState};
use crate::keystore::Passphrase;
use crate::roster::export::{self, Cell};
use crate::service::desk::DeskError;
use crate::service::desk::accounts::review::{ReviewList, ReviewView};
use crate::web::console::page::{self, Shell, render, render_as};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Deserialize, Default)]
pub(super) struct Filter {
    #[serde(default)]
    q: String,
    #[serde(default)]
    list: String,
    before: Option<i64>,
}

#[derive(Deserialize, Default)]
pub(super) struct DecisionForm {
    #[serde(default)]
    note: String,
    #[serde(default)]
    root: Typed,
}

#[derive(Template)]
#[template(path = "console/accounts/reviews.html")]
struct ListPage {
    shell: Shell,
    filter: Filter,
    decided: bool,
    rows: Vec<ReviewView>,
    next: Option<i64>,
}

#[derive(Template)]
#[template(path = "console/accounts/review.html")]
struct OnePage {
    shell: Shell,
    review: ReviewView,
    waits: bool,
    keys: bool,
    note: String,
    faults: Faults,
}

impl Filter {
    fn which(&self) -> ReviewList {
        if self.list == "decided" { ReviewList::Decided } else { ReviewList::Waiting }
    }
}

/// What waits, or what was decided.
pub(super) async fn list(signed: Signed, Query(filter): Query<Filter>) -> Result<Response, PageError> {
    let which = filter.which();
    let page = signed.desk.reviews(which, &filter.q, filter.before).await?;
    let decided = which == ReviewList::Decided;
    render(&ListPage { shell: signed.shell, filter, decided, rows: page.rows, next: page.next })
}

/// The same as a workbook, all pages of it.
pub(super) async fn export(signed: Signed, Query(filter): Query<Filter>) -> Result<Response, PageError> {
    let (mut rows, mut before) = (Vec::new(), filter.before);
    loop {
        let page = signed.desk.reviews(filter.which(), &filter.q, before).await?;
        rows.extend(page.rows);
        if page.next.is_none() {
            break;
        }
        before = page.next;
    }
    let cells = rows.into_iter().map(|row| {
        let text = |value: Option<String>| value.unwrap_or_default();
        [
            row.id.to_string(),
            row.kind.label().into(),
            row.summary,
            row.state.label().into(),
            row.asker,
            row.asked_at,
            text(row.decider),
            text(row.decided_at),
            text(row.note),
            text(row.outcome),
        ]
        .map(Cell::Text)
        .to_vec()
    });
    let head = ["编号", "事项", "内容", "状态", "申请人", "申请时间", "复核人", "复核时间", "意见", "办理结果"];
    let book = export::table("复核", &head, cells, beijing_date(signed.desk.office().now()))
        .map_err(|error| PageError::Desk(DeskError::Service(error.into())))?;
    Ok(page::workbook("复核.xlsx", book))
}

/// One step, with what exactly will happen.
pub(super) async fn one(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    show(signed, id, String::new(), Faults::default(), StatusCode::OK).await
}

/// Approves and carries out.
pub(super) async fn approve(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<DecisionForm>,
) -> Result<Response, PageError> {
    let root = passphrase(&form.root)?;
    let done = signed.desk.approve_review(id, &form.note, root).await;
    ended(signed, id, done, form.note).await
}

/// Refuses.
pub(super) async fn refuse(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<DecisionForm>,
) -> Result<Response, PageError> {
    let done = signed.desk.refuse_review(id, &form.note).await.map(|()| "已退回，申请人会看到您写的原因".to_owned());
    ended(signed, id, done, form.note).await
}

/// Takes one's own step back.
pub(super) async fn withdraw(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let done = signed.desk.withdraw_review(id).await.map(|()| "已撤回，没有办理".to_owned());
    ended(signed, id, done, String::new()).await
}

/// The root key's passphrase as typed; none if the field was left empty.
pub(super) fn passphrase(typed: &Typed) -> Result<Option<Passphrase>, PageError> {
    if typed.is_empty() {
        return Ok(None);
    }
    let read = Passphrase::new(typed.to_string());
    read.map(Some).map_err(|error| PageError::Desk(DeskError::Refused(error.to_string())))
}

async fn ended(signed: Signed, id: i64, done: Result<String, DeskError>, note: String) -> Result<Response, PageError> {
    let to = format!("/reviews/{id}");
    match done {
        Ok(said) => Ok(page::done(&signed.shell, &to, said)),
        Err(DeskError::Refused(why)) => Ok(page::failed(&signed.shell, &to, why)),
        Err(DeskError::Invalid(faults)) => {
            show(signed, id, note, Faults(faults), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(DeskError::Service(error)) if !error.is_internal() => {
            Ok(page::failed(&signed.shell, &to, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(
    signed: Signed,
    id: i64,
    note: String,
    faults: Faults,
    status: StatusCode,
) -> Result<Response, PageError> {
    let review = signed.desk.review(id).await?;
    let (waits, keys) = (review.state == ReviewState::Waiting, review.kind == ReviewKind::KeyChange);
    render_as(status, &OnePage { shell: signed.shell, review, waits, keys, note, faults })
}
