//! Corrections.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::error::PageError;
use super::super::page::{Shell, done, render_as};
use super::super::{ConsoleForm, Signed};
use super::{Errors, number};
use crate::domain::codes::{Ethnicity, Political};
use crate::domain::division::County;
use crate::service::desk::DeskError;
use crate::service::desk::people::{CorrectionForm, CorrectionInput, IdentityInput};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    revision: i64,
    name: String,
    sex: String,
    ethnicity: String,
    birth_date: String,
    political: String,
    phone: String,
    email: String,
    address: String,
    erase: Vec<String>,
    user_name: String,
    national_number: String,
    unit_name: String,
    county: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "console/people/edit.html")]
struct EditPage {
    shell: Shell,
    number: String,
    form: CorrectionForm,
    input: CorrectionInput,
    errors: Errors,
    /// Who changed what meanwhile; empty for nobody.
    conflict: String,
    /// Fields that hold something else now: what each is called, what it is now.
    differs: Vec<(&'static str, String)>,
    sexes: Vec<(String, &'static str)>,
    ethnicities: Vec<(String, String)>,
    politicals: Vec<(String, &'static str)>,
    counties: Vec<(String, &'static str)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct IdentityFields {
    revision: i64,
    identity: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "console/people/identity.html")]
struct IdentityPage {
    shell: Shell,
    number: String,
    form: CorrectionForm,
    masked: String,
    revision: i64,
    identity: String,
    reason: String,
    errors: Errors,
    conflict: String,
}

/// The form.
pub(super) async fn form(signed: Signed, Path(text): Path<String>) -> Result<Response, PageError> {
    let form = signed.desk.correction_form(number(&text)?).await?;
    let input = form.input.clone();
    render_as(StatusCode::OK, &page(signed.shell, text, form, input, Errors::default(), String::new()))
}

/// Saves it.
pub(super) async fn save(
    signed: Signed,
    Path(text): Path<String>,
    ConsoleForm(fields): ConsoleForm<Fields>,
) -> Result<Response, PageError> {
    let of = number(&text)?;
    let input = CorrectionInput::from(fields);
    let refused = match signed.desk.correct(of, &input).await {
        Ok(corrected) => {
            let said = match (corrected.changed.as_slice(), corrected.replace_card) {
                ([], _) => "没有改动，资料与原来相同。".to_owned(),
                (changed, false) => format!("已更正：{}。原值保留在更正记录中。", changed.join("、")),
                (changed, true) => format!(
                    "已更正：{}。原值保留在更正记录中。证面内容已变，请为其换发新证（在“制证”中重新签发）。",
                    changed.join("、")
                ),
            };
            return Ok(done(&signed.shell, &format!("/people/{of}"), said));
        }
        Err(refused) => refused,
    };
    let form = match refused.now {
        Some(form) => form,
        None => match signed.desk.correction_form(of).await {
            Ok(form) => form,
            Err(error) => return Err(error.into()),
        },
    };
    match refused.error {
        DeskError::Invalid(fields) => {
            let page = page(signed.shell, text, form, input, Errors(fields), String::new());
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        conflict @ DeskError::Conflict { .. } => {
            let said = conflict.to_string();
            let page = page(signed.shell, text, form, input, Errors::default(), said);
            render_as(StatusCode::CONFLICT, &page)
        }
        error => Err(error.into()),
    }
}

/// The form for an identity number.
pub(super) async fn identity_form(signed: Signed, Path(text): Path<String>) -> Result<Response, PageError> {
    identity_page(signed, text, None, Errors::default(), String::new(), StatusCode::OK).await
}

/// Saves an identity number.
pub(super) async fn save_identity(
    signed: Signed,
    Path(text): Path<String>,
    ConsoleForm(fields): ConsoleForm<IdentityFields>,
) -> Result<Response, PageError> {
    let of = number(&text)?;
    let IdentityFields { revision, identity, reason } = fields;
    let input = IdentityInput { revision, identity, reason };
    match signed.desk.correct_identity(of, &input).await {
        Ok(()) => {
            let said = "身份证号码已更正，出生日期随之更新。原号码加密保存在更正记录中。";
            Ok(done(&signed.shell, &format!("/people/{of}"), said))
        }
        Err(DeskError::Invalid(fields)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            identity_page(signed, text, Some(input), Errors(fields), String::new(), status).await
        }
        Err(conflict @ DeskError::Conflict { .. }) => {
            let said = conflict.to_string();
            identity_page(signed, text, Some(input), Errors::default(), said, StatusCode::CONFLICT).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn identity_page(
    signed: Signed,
    text: String,
    input: Option<IdentityInput>,
    errors: Errors,
    conflict: String,
    status: StatusCode,
) -> Result<Response, PageError> {
    let of = number(&text)?;
    let form = signed.desk.correction_form(of).await?;
    let person = signed.desk.person(of).await?;
    let masked = person.facts.iter().find(|(label, _)| *label == "身份证号码").map(|(_, value)| value.clone());
    // What was typed stays in the form of the one who typed it; it is neither stored nor logged.
    let input = input.unwrap_or_default();
    let page = IdentityPage {
        shell: signed.shell,
        number: text,
        revision: form.input.revision,
        form,
        masked: masked.unwrap_or_default(),
        identity: input.identity,
        reason: input.reason,
        errors,
        conflict,
    };
    render_as(status, &page)
}

fn page(
    shell: Shell,
    number: String,
    form: CorrectionForm,
    input: CorrectionInput,
    errors: Errors,
    conflict: String,
) -> EditPage {
    let mut input = input;
    let mut differs = Vec::new();
    if !conflict.is_empty() {
        let now = &form.input;
        let politics =
            |code: &str| code.parse().ok().and_then(Political::from_code).map_or("", Political::name).to_owned();
        let people =
            |code: &str| code.parse().ok().and_then(Ethnicity::from_code).map(Ethnicity::name).unwrap_or_default();
        let pairs = [
            ("姓名", &input.name, &now.name, now.name.clone()),
            ("民族", &input.ethnicity, &now.ethnicity, people(&now.ethnicity)),
            ("出生日期", &input.birth_date, &now.birth_date, now.birth_date.clone()),
            ("政治面貌", &input.political, &now.political, politics(&now.political)),
            ("用户名", &input.user_name, &now.user_name, now.user_name.clone()),
            ("全国系统编号", &input.national_number, &now.national_number, now.national_number.clone()),
            ("单位", &input.unit_name, &now.unit_name, now.unit_name.clone()),
        ];
        differs = pairs
            .into_iter()
            .filter(|(_, typed, stored, _)| typed != stored)
            .map(|(label, _, _, words)| (label, words))
            .collect();
        // Saved again, it is on purpose: she has seen what the other one wrote.
        input.revision = now.revision;
    }
    EditPage {
        shell,
        number,
        sexes: [("1", "男"), ("2", "女"), ("9", "未说明"), ("0", "未知")]
            .map(|(code, name)| (code.to_owned(), name))
            .to_vec(),
        ethnicities: (1..=98).filter_map(|code| Some((code.to_string(), Ethnicity::from_code(code)?.name()))).collect(),
        politicals: std::iter::once((String::new(), "未登记"))
            .chain((1..=13).filter_map(|code| Some((code.to_string(), Political::from_code(code)?.name()))))
            .collect(),
        counties: County::all().map(|county| (format!("{:02}", county.code()), county.name())).collect(),
        form,
        input,
        errors,
        conflict,
        differs,
    }
}

impl From<Fields> for CorrectionInput {
    fn from(fields: Fields) -> Self {
        Self {
            revision: fields.revision,
            name: fields.name,
            sex: fields.sex,
            ethnicity: fields.ethnicity,
            birth_date: fields.birth_date,
            political: fields.political,
            phone: fields.phone,
            email: fields.email,
            address: fields.address,
            erase: fields.erase,
            user_name: fields.user_name,
            national_number: fields.national_number,
            unit_name: fields.unit_name,
            county: fields.county,
            reason: fields.reason,
        }
    }
}
