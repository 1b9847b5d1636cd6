//! One volunteer's page.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use super::super::Signed;
use super::super::error::PageError;
use super::super::page::{Shell, render};
use super::number;
use crate::service::desk::people::PersonPage;

#[derive(Template)]
#[template(path = "console/people/person.html")]
struct Page {
    shell: Shell,
    person: PersonPage,
}

/// The page.
pub(super) async fn page(signed: Signed, Path(text): Path<String>) -> Result<Response, PageError> {
    let person = signed.desk.person(number(&text)?).await?;
    render(&Page { shell: signed.shell, person })
}
