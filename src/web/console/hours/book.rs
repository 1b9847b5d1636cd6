//! The record book and the proof of record.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use super::super::page::{self, Shell};
use super::super::{ConsoleForm, PageError, Signed};
use super::Errors;
use super::list::{numbered, person_page};
use crate::service::desk::hours::{BookOrder, UnitChoice};
use crate::service::desk::{Desk, DeskError, FieldError};

const PDF: &str = "application/pdf";

/// The form of a book.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct BookForm {
    #[serde(default)]
    unit: Option<i64>,
    #[serde(default)]
    q: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    by: String,
}

#[derive(Template)]
#[template(path = "console/hours/book.html")]
struct BookPage {
    shell: Shell,
    tab: &'static str,
    unit: Option<UnitChoice>,
    of_unit: bool,
    search: String,
    units: Vec<UnitChoice>,
    form: BookForm,
    errors: Errors,
}

/// Which unit, from when to when.
pub(super) async fn page(signed: Signed, Query(form): Query<BookForm>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    shown(&desk, shell, form, Errors::default(), StatusCode::OK).await
}

/// The book.
pub(super) async fn pdf(signed: Signed, Query(form): Query<BookForm>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let made = async {
        let unit = form.unit.ok_or(DeskError::NotFound)?;
        let days = days(&form.from, &form.to)?;
        let order = if form.by == "activity" { BookOrder::Activities } else { BookOrder::People };
        desk.record_book(unit, days, order).await
    };
    match made.await {
        Ok((name, bytes)) => Ok(page::download(PDF, &name, bytes)),
        Err(DeskError::Invalid(wrong)) => {
            shown(&desk, shell, form, Errors(wrong), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ProofForm {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// A proof of record.
pub(super) async fn proof(
    signed: Signed,
    Path(number): Path<String>,
    ConsoleForm(form): ConsoleForm<ProofForm>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let number = numbered(&number)?;
    let made = async { desk.issue_proof(number, days(&form.from, &form.to)?).await };
    match made.await {
        Ok((name, bytes)) => Ok(page::download(PDF, &name, bytes)),
        Err(DeskError::Invalid(wrong)) => {
            let page = person_page(&desk, shell, number, Errors(wrong), (form.from, form.to)).await?;
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

async fn shown(
    desk: &Desk,
    shell: Shell,
    form: BookForm,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let own = desk.hours_own_unit().await?;
    let of_unit = own.is_some();
    let unit = match (form.unit, own) {
        (Some(unit), _) => Some(desk.hours_unit(unit).await?),
        (None, own) => own,
    };
    let search = form.q.trim().to_owned();
    let units = if unit.is_none() { desk.hours_find_units(&search).await? } else { Vec::new() };
    let today = crate::clock::beijing_date(desk.office().now());
    let or = |text: &str, day: Date| if text.is_empty() { day.to_string() } else { text.to_owned() };
    let form = BookForm { from: or(&form.from, today.first_of_year()), to: or(&form.to, today), ..form };
    page::render_as(status, &BookPage { shell, tab: "book", unit, of_unit, search, units, form, errors })
}

fn days(from: &str, to: &str) -> Result<(Date, Date), DeskError> {
    let mut wrong = Vec::new();
    let mut day = |field: &'static str, text: &str| -> Date {
        text.trim().parse().unwrap_or_else(|_| {
            wrong.push(FieldError { field, message: "请填写日期，如 2026-11-20".into() });
            Date::ZERO
        })
    };
    let days = (day("from", from), day("to", to));
    if wrong.is_empty() { Ok(days) } else { Err(DeskError::Invalid(wrong)) }
}
