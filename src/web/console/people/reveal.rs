//! Identity and telephone numbers in the clear: asked for with a reason, shown once, kept by nobody.

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use super::super::error::PageError;
use super::super::page::{Shell, render, render_as};
use super::super::{ConsoleForm, Signed};
use super::{Errors, number};
use crate::domain::correction::Fact;
use crate::service::desk::DeskError;
use crate::service::desk::people::Revealed;

/// What can be asked for.
const OFFERED: [Fact; 4] = [Fact::Identity, Fact::Phone, Fact::Email, Fact::Address];

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    what: Vec<String>,
    #[serde(default)]
    reason: String,
}

#[derive(Template)]
#[template(path = "console/people/reveal.html")]
struct AskPage {
    shell: Shell,
    number: String,
    grouped: String,
    name: String,
    /// Word, label, whether ticked.
    offered: Vec<(&'static str, &'static str, bool)>,
    reason: String,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/people/revealed.html")]
struct ShownPage {
    shell: Shell,
    number: String,
    revealed: Revealed,
}

/// The page that asks for a reason.
pub(super) async fn ask(signed: Signed, Path(text): Path<String>) -> Result<Response, PageError> {
    let asked = Asked { what: vec!["identity".into(), "phone".into()], reason: String::new() };
    ask_again(signed, &text, asked, Errors::default(), StatusCode::OK).await
}

/// The page that shows what was asked for.
pub(super) async fn show(
    signed: Signed,
    Path(text): Path<String>,
    ConsoleForm(asked): ConsoleForm<Asked>,
) -> Result<Response, PageError> {
    let what: Vec<Fact> = asked.what.iter().filter_map(|word| Fact::parse(word)).collect();
    match signed.desk.reveal(number(&text)?, &what, &asked.reason).await {
        Ok(revealed) => {
            let mut answer = render(&ShownPage { shell: signed.shell, number: text, revealed })?;
            answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(answer)
        }
        Err(DeskError::Invalid(fields)) => {
            ask_again(signed, &text, asked, Errors(fields), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn ask_again(
    signed: Signed,
    text: &str,
    asked: Asked,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let person = signed.desk.person(number(text)?).await?;
    let offered =
        OFFERED.map(|fact| (fact.as_str(), fact.label(), asked.what.iter().any(|word| word == fact.as_str()))).to_vec();
    let page = AskPage {
        shell: signed.shell,
        number: person.number,
        grouped: person.grouped,
        name: person.name,
        offered,
        reason: asked.reason,
        errors,
    };
    render_as(status, &page)
}
