//! Changes of keys.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::Typed;
use super::reviews::passphrase;
use crate::clock::beijing_date;
use crate::service::desk::DeskError;
use crate::service::desk::accounts::keys::{KeyStep, KeyStepDone};
use crate::service::keys::KeyLine;
use crate::web::console::page::{self, Shell, render};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Deserialize)]
pub(super) struct StepForm {
    step: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    root: Typed,
}

#[derive(Template)]
#[template(path = "console/accounts/keys.html")]
struct KeysPage {
    shell: Shell,
    keys: Vec<KeyLine>,
    two_person: bool,
}

#[derive(Template)]
#[template(path = "console/accounts/key_step.html")]
struct StepPage {
    shell: Shell,
    summary: String,
    effects: Vec<String>,
    step: String,
    kid: String,
    two_person: bool,
    grave: bool,
}

/// All keys, and what can be done with them.
pub(super) async fn list(signed: Signed) -> Result<Response, PageError> {
    let keys = signed.desk.keys().await?;
    let two_person = signed.desk.settings().await?.two_person;
    render(&KeysPage { shell: signed.shell, keys, two_person })
}

/// What a step means, before it is asked for.
pub(super) async fn confirm(signed: Signed, Query(form): Query<StepForm>) -> Result<Response, PageError> {
    let step = form.read()?;
    let two_person = signed.desk.settings().await?.two_person;
    render(&StepPage {
        shell: signed.shell,
        summary: step.summary(),
        effects: step.effects(),
        grave: matches!(step, KeyStep::Compromise { .. }),
        step: form.step,
        kid: form.kid,
        two_person,
    })
}

/// Asks for a step, or does it where the two-person rule is off.
pub(super) async fn change(signed: Signed, ConsoleForm(form): ConsoleForm<StepForm>) -> Result<Response, PageError> {
    let step = form.read()?;
    match signed.desk.change_keys(&step, passphrase(&form.root)?).await {
        Ok(KeyStepDone::Waits(id)) => {
            let said = "已提交复核。由另一位有复核权限的同事通过后自动办理";
            Ok(page::done(&signed.shell, &format!("/reviews/{id}"), said))
        }
        Ok(KeyStepDone::Done(said)) => Ok(page::done(&signed.shell, "/settings/keys", said)),
        Err(DeskError::Refused(why)) => Ok(page::failed(&signed.shell, "/settings/keys", why)),
        Err(DeskError::Service(error)) if !error.is_internal() => {
            Ok(page::failed(&signed.shell, "/settings/keys", error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

impl KeysPage {
    /// The day in a moment as RFC 3339 writes it, in Beijing.
    fn day(&self, moment: &str) -> String {
        moment.parse().map_or_else(|_| moment.to_owned(), |at| beijing_date(at).to_string())
    }
}

impl StepForm {
    fn read(&self) -> Result<KeyStep, PageError> {
        let kid = self.kid.clone();
        match self.step.as_str() {
            "rotate_issuing" => Ok(KeyStep::RotateIssuing),
            "rotate_bundle" => Ok(KeyStep::RotateBundle),
            "retire" => Ok(KeyStep::Retire { kid }),
            "compromise" => Ok(KeyStep::Compromise { kid }),
            "renew" => Ok(KeyStep::Renew),
            _ => Err(PageError::Malformed("没有这种密钥变更，请从密钥页面重新选择".into())),
        }
    }
}
