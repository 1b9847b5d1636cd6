//! One person's cards and photo.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::{error_of, files, number};
use crate::domain::staff::Permission;
use crate::service::desk::cards::{CardSide, PersonCards};
use crate::service::desk::{Desk, DeskError};
use crate::web::console::page::{self, Shell};
use crate::web::console::{PageError, Signed};
use files::Sent;

#[derive(Template)]
#[template(path = "console/cards/person.html")]
struct PersonPage {
    shell: Shell,
    person: PersonCards,
    error: String,
    makes: bool,
    edits: bool,
}

pub(super) async fn page(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    page::render(&show(&signed.desk, signed.shell, &path, String::new()).await?)
}

pub(super) async fn face(signed: Signed, path: Path<(String, String)>) -> Result<Response, PageError> {
    let side = match path.0.1.as_str() {
        "front" => CardSide::Front,
        "back" => CardSide::Back,
        _ => return Err(DeskError::NotFound.into()),
    };
    let bytes = signed.desk.card_picture(number(&path.0.0)?, side).await?;
    Ok(files::picture("image/png", bytes))
}

pub(super) async fn photo(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    Ok(files::picture("image/jpeg", signed.desk.photo(number(&path)?).await?))
}

pub(super) async fn set_photo(signed: Signed, path: Path<String>, sent: Sent) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let whose = number(&path)?;
    let Some(file) = sent.0.into_iter().next() else {
        let shown = show(&desk, shell, &path, "没有选择照片，请先选择再上传".into()).await?;
        return page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    match desk.set_photo(whose, file.bytes).await {
        Ok(()) => Ok(page::done(&shell, &format!("/cards/of/{whose}"), "照片已保存，下次打印时印在证上")),
        Err(DeskError::Invalid(errors)) => {
            let shown = show(&desk, shell, &path, error_of(&errors, "file")).await?;
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "console/cards/photo_erase.html")]
struct Erase {
    shell: Shell,
    person: PersonCards,
}

pub(super) async fn ask_erase(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let person = signed.desk.person_cards(number(&path)?).await?;
    page::render(&Erase { shell: signed.shell, person })
}

pub(super) async fn erase(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let whose = number(&path)?;
    signed.desk.erase_photo(whose).await?;
    Ok(page::done(&signed.shell, &format!("/cards/of/{whose}"), "照片已删除"))
}

/// A list of this one person, to sign, print or replace their card.
pub(super) async fn to_list(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let whose = number(&path)?;
    let list = signed.desk.freeze_numbers(whose.as_str()).await?;
    Ok(page::go(&signed.shell, &format!("/cards/lists/{list}"), None))
}

async fn show(desk: &Desk, shell: Shell, path: &str, error: String) -> Result<PersonPage, PageError> {
    let person = desk.person_cards(number(path)?).await?;
    let (makes, edits) = (desk.may(Permission::PrintCards), desk.may(Permission::EditPeople));
    Ok(PersonPage { shell, person, error, makes, edits })
}
