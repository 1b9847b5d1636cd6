//! Choosing whose cards: by what is due, by unit, by list of numbers.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::units::UnitFilter;
use super::{error_of, unit_key};
use crate::domain::choice::{CardChoice, LIST_MOST};
use crate::domain::staff::Permission;
use crate::service::desk::DeskError;
use crate::service::desk::cards::{Capped, ChoicePage};
use crate::web::console::page::{self, Shell};
use crate::web::console::{ConsoleForm, PageError, Signed, Upload};

#[derive(Deserialize, Default)]
pub(super) struct Filter {
    #[serde(default)]
    kind: String,
    /// Key of a unit, in links and hidden.
    unit: Option<String>,
    /// What stands in the field for the unit.
    q: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "console/cards/choose.html")]
struct ChooseTemplate {
    shell: Shell,
    choice: CardChoice,
    choices: [CardChoice; 7],
    unit: UnitFilter,
    page: ChoicePage,
    first: bool,
    makes: bool,
    edits: bool,
}

pub(super) async fn page(signed: Signed, query: Query<Filter>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let choice = choice(&query);
    let unit = UnitFilter::of(&desk, query.unit.as_deref(), query.q.as_deref()).await?;
    let page = match unit.understood() {
        true => desk.choice(choice, unit.key, query.after.as_deref()).await?,
        false => ChoicePage { rows: Vec::new(), count: Capped::default(), next: None },
    };
    page::render(&ChooseTemplate {
        shell,
        choice,
        choices: CardChoice::ALL,
        unit,
        page,
        first: query.after.is_none(),
        makes: desk.may(Permission::PrintCards),
        edits: desk.may(Permission::EditPeople),
    })
}

pub(super) async fn export(signed: Signed, query: Query<Filter>) -> Result<Response, PageError> {
    let choice = choice(&query);
    let bytes = signed.desk.choice_workbook(choice, unit_key(query.unit.as_deref())?).await?;
    Ok(page::workbook(&format!("制证-{}.xlsx", choice.label()), bytes))
}

pub(super) async fn freeze(signed: Signed, form: ConsoleForm<Filter>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let list = desk.freeze_choice(choice(&form.0), unit_key(form.0.unit.as_deref())?).await?;
    Ok(page::go(&shell, &format!("/cards/lists/{list}"), None))
}

#[derive(Deserialize)]
pub(super) struct Numbers {
    #[serde(default)]
    numbers: String,
}

#[derive(Template)]
#[template(path = "console/cards/numbers.html")]
struct NumbersTemplate {
    shell: Shell,
    numbers: String,
    error: String,
    file_error: String,
    most: u32,
    edits: bool,
}

pub(super) async fn numbers(signed: Signed) -> Result<Response, PageError> {
    let edits = signed.desk.may(Permission::EditPeople);
    let (numbers, error, file_error) = Default::default();
    page::render(&NumbersTemplate { shell: signed.shell, numbers, error, file_error, most: LIST_MOST, edits })
}

pub(super) async fn take_numbers(signed: Signed, form: ConsoleForm<Numbers>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let edits = desk.may(Permission::EditPeople);
    match desk.freeze_numbers(&form.0.numbers).await {
        Ok(list) => Ok(page::go(&shell, &format!("/cards/lists/{list}"), None)),
        Err(DeskError::Invalid(errors)) => {
            let error = error_of(&errors, "numbers");
            let (numbers, file_error) = (form.0.numbers, String::new());
            let again = NumbersTemplate { shell, numbers, error, file_error, most: LIST_MOST, edits };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn take_file(signed: Signed, upload: Upload) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let edits = desk.may(Permission::EditPeople);
    match desk.freeze_numbers_file(upload.path()).await {
        Ok(list) => Ok(page::go(&shell, &format!("/cards/lists/{list}"), None)),
        Err(DeskError::Invalid(errors)) => {
            let file_error = error_of(&errors, "numbers");
            let (numbers, error) = Default::default();
            let again = NumbersTemplate { shell, numbers, error, file_error, most: LIST_MOST, edits };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

/// What an address or form asks for; the first choice where it asks for none of ours.
fn choice(filter: &Filter) -> CardChoice {
    CardChoice::parse(&filter.kind).unwrap_or(CardChoice::New)
}
