//! Handing out: who still waits for a printed card, what was recorded, taking a record back.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::units::UnitFilter;
use super::{error_of, key, unit_key};
use crate::clock::beijing_date;
use crate::domain::choice::CardChoice;
use crate::domain::staff::Permission;
use crate::service::desk::cards::{Capped, CardLine, ChoicePage, HandoutDraft, HandoutLine, HandoutPage};
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::web::console::page::{self, Shell};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Deserialize, Default)]
pub(super) struct Filter {
    /// Key of a unit, in links and hidden.
    unit: Option<String>,
    /// What stands in the field for the unit.
    q: Option<String>,
    after: Option<String>,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "console/cards/handout.html")]
struct Waiting {
    shell: Shell,
    unit: UnitFilter,
    rows: Vec<CardLine>,
    count: Capped,
    next: Option<String>,
    draft: HandoutDraft,
    errors: Vec<FieldError>,
    hands: bool,
    makes: bool,
    edits: bool,
}

impl Waiting {
    fn error(&self, field: &str) -> String {
        error_of(&self.errors, field)
    }

    fn ticked(&self, card: &i64) -> bool {
        self.draft.cards.contains(card)
    }
}

pub(super) async fn page(signed: Signed, query: Query<Filter>) -> Result<Response, PageError> {
    let draft =
        HandoutDraft { handed_on: beijing_date(signed.desk.office().now()).to_string(), ..HandoutDraft::default() };
    page::render(&show(&signed.desk, signed.shell, &query, draft, Vec::new()).await?)
}

/// The form of handing out, with the filter it stood under.
#[derive(Deserialize)]
pub(super) struct Record {
    #[serde(default)]
    card: Vec<String>,
    #[serde(default)]
    handed_on: String,
    #[serde(default)]
    received_by: String,
    unit: Option<String>,
    after: Option<String>,
}

pub(super) async fn record(signed: Signed, form: ConsoleForm<Record>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let Record { card, handed_on, received_by, unit, after } = form.0;
    let cards = card.iter().map(|text| key(text)).collect::<Result<Vec<_>, _>>()?;
    let draft = HandoutDraft { cards, handed_on, received_by };
    match desk.hand_out(&draft).await {
        Ok((recorded, left)) => {
            let unit = unit_key(unit.as_deref())?.map(|unit| format!("?unit={unit}")).unwrap_or_default();
            let mut text = format!("已登记发放 {recorded} 张");
            if left > 0 {
                text.push_str(&format!("；另有 {left} 张已发放过或不再有效，没有登记"));
            }
            Ok(page::done(&shell, &format!("/cards/handout{unit}"), text))
        }
        Err(DeskError::Invalid(errors)) => {
            let filter = Filter { unit, after, ..Filter::default() };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &show(&desk, shell, &filter, draft, errors).await?)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "console/cards/handed_out.html")]
struct Done {
    shell: Shell,
    unit: UnitFilter,
    rows: Vec<HandoutLine>,
    next: Option<i64>,
    hands: bool,
    makes: bool,
    edits: bool,
}

pub(super) async fn done_page(signed: Signed, query: Query<Filter>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let unit = UnitFilter::of(&desk, query.unit.as_deref(), query.q.as_deref()).await?;
    let page = match unit.understood() {
        true => desk.handouts(unit.key, query.before.as_deref().map(key).transpose()?).await?,
        false => HandoutPage { rows: Vec::new(), next: None },
    };
    page::render(&Done {
        shell,
        unit,
        rows: page.rows,
        next: page.next,
        hands: desk.may(Permission::HandOut),
        makes: desk.may(Permission::PrintCards),
        edits: desk.may(Permission::EditPeople),
    })
}

pub(super) async fn export(signed: Signed, query: Query<Filter>) -> Result<Response, PageError> {
    let bytes = signed.desk.handout_workbook(unit_key(query.unit.as_deref())?).await?;
    Ok(page::workbook("证件发放登记.xlsx", bytes))
}

#[derive(Template)]
#[template(path = "console/cards/handout_undo.html")]
struct Undo {
    shell: Shell,
    record: HandoutLine,
    reason: String,
    error: String,
}

pub(super) async fn ask_undo(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let record = signed.desk.handout(key(&path)?).await?;
    page::render(&Undo { shell: signed.shell, record, reason: String::new(), error: String::new() })
}

#[derive(Deserialize)]
pub(super) struct UndoForm {
    #[serde(default)]
    reason: String,
}

pub(super) async fn undo(
    signed: Signed,
    path: Path<String>,
    form: ConsoleForm<UndoForm>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let card = key(&path)?;
    let record = desk.handout(card).await?;
    match desk.undo_handout(card, &form.0.reason).await {
        Ok(()) => Ok(page::done(&shell, "/cards/handout/done", format!("已撤销 {} 的发放登记", record.grouped))),
        Err(DeskError::Invalid(errors)) => {
            let error = error_of(&errors, "reason");
            let again = Undo { shell, record, reason: form.0.reason, error };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(
    desk: &Desk,
    shell: Shell,
    filter: &Filter,
    draft: HandoutDraft,
    errors: Vec<FieldError>,
) -> Result<Waiting, PageError> {
    let unit = UnitFilter::of(desk, filter.unit.as_deref(), filter.q.as_deref()).await?;
    let page = match unit.understood() {
        true => desk.choice(CardChoice::Waiting, unit.key, filter.after.as_deref()).await?,
        false => ChoicePage { rows: Vec::new(), count: Capped::default(), next: None },
    };
    Ok(Waiting {
        shell,
        unit,
        rows: page.rows,
        count: page.count,
        next: page.next,
        draft,
        errors,
        hands: desk.may(Permission::HandOut),
        makes: desk.may(Permission::PrintCards),
        edits: desk.may(Permission::EditPeople),
    })
}
