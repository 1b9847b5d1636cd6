//! Writing a form: the page of all its fields, checks while typing, handing in, taking back, printing.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::error::PageError;
use super::super::form::ConsoleForm;
use super::super::guard::Signed;
use super::super::page::{self, Shell, done, download, render, render_as};
use super::{Errors, form_id};
use crate::clock::beijing_date;
use crate::domain::application::{ApplicationText, EDUCATION, FIELDS, Nature};
use crate::domain::codes::{Ethnicity, Political};
use crate::domain::division::County;
use crate::domain::hours::ServiceItem;
use crate::domain::staff::Scope;
use crate::service::desk::DeskError;
use crate::service::desk::forms::{Begun, FormCheck, FormId, FormUnit, Written, approver_name};

/// The page's form. The fields of 附件1 have their own names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    revision: String,
    form: String,
    /// Birth date and sex as [`check`] filled them in.
    filled: String,
    unit_county: String,
    unit_name: String,
    step: String,
    applied_on: String,
    name: String,
    position: String,
    political: String,
    sex: String,
    birth_date: String,
    ethnicity: String,
    identity: String,
    education: String,
    school: String,
    major: String,
    workplace: String,
    work_position: String,
    nature: String,
    address: String,
    postcode: String,
    email: String,
    mobile: String,
    qq: String,
    office_phone: String,
    resume: String,
    items: Vec<String>,
    national_number: String,
    guardian_name: String,
    guardian_relation: String,
    guardian_phone: String,
    guardian_consent: String,
}

/// Which revision a step is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Revision {
    revision: String,
}

#[derive(Template)]
#[template(path = "console/forms/edit.html")]
struct Edit {
    shell: Shell,
    id: Option<i64>,
    revision: i64,
    text: ApplicationText,
    unit: FormUnit,
    unit_fixed: bool,
    counties: Vec<(String, &'static str)>,
    units: Vec<String>,
    errors: Errors,
    conflict: Option<Conflict>,
    returned: Option<String>,
    sexes: Vec<(&'static str, &'static str)>,
    politicals: Vec<(&'static str, &'static str)>,
    ethnicities: Vec<(String, String)>,
    natures: Vec<(&'static str, &'static str)>,
    educations: Vec<(&'static str, &'static str)>,
    items: Vec<(u8, &'static str, bool)>,
}

struct Conflict {
    who: String,
    when: String,
    differences: Vec<(&'static str, String, String)>,
}

#[derive(Template)]
#[template(path = "console/forms/check.html")]
struct Checked {
    errors: Vec<(&'static str, String)>,
    check: FormCheck,
    birth: Option<String>,
    sex: Option<&'static str>,
    filled: Option<String>,
}

#[derive(Template)]
#[template(path = "console/forms/submit.html")]
struct AskSubmit {
    shell: Shell,
    id: i64,
    revision: i64,
    name: String,
    unit: String,
    approver: String,
    age: i32,
    minor: bool,
    national: bool,
}

#[derive(Template)]
#[template(path = "console/forms/withdraw.html")]
struct AskWithdraw {
    shell: Shell,
    id: i64,
    revision: i64,
    name: String,
    unit: String,
}

pub(super) async fn new(signed: Signed) -> Result<Response, PageError> {
    let today = beijing_date(signed.desk.office().now());
    let text = ApplicationText { applied_on: today.to_string(), ..ApplicationText::default() };
    let (unit, _) = signed.desk.form_units(None).await?;
    render(&edit_page(signed, None, 0, unit, text, Errors::default()).await?)
}

pub(super) async fn begin(signed: Signed, ConsoleForm(typed): ConsoleForm<Typed>) -> Result<Response, PageError> {
    let (unit, step, text) = typed.parts();
    match signed.desk.begin_form(&unit, &text).await {
        Ok(Begun { id, handed_in: true }) => {
            let text = "这份登记表刚才已经提交，没有再登记一份。";
            Ok(done(&signed.shell, &format!("/forms/{id}"), text))
        }
        Ok(Begun { id, .. }) => after_save(signed, id, 1, &step, unit, text).await,
        Err(DeskError::Invalid(errors)) => {
            let page = edit_page(signed, None, 0, unit, text, Errors(errors)).await?;
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn edit(signed: Signed, Path(form): Path<String>) -> Result<Response, PageError> {
    let (line, text) = signed.desk.open_form(form_id(&form)?).await?;
    let unit = FormUnit { county: format!("{:02}", line.county), name: line.unit_name };
    let mut page = edit_page(signed, Some(line.id), line.revision, unit, text, Errors::default()).await?;
    page.returned = line.reason;
    render(&page)
}

pub(super) async fn save(
    signed: Signed,
    Path(form): Path<String>,
    ConsoleForm(typed): ConsoleForm<Typed>,
) -> Result<Response, PageError> {
    let id = form_id(&form)?;
    let shown = typed.revision.parse().unwrap_or(0);
    let (unit, step, text) = typed.parts();
    match signed.desk.save_form(id, shown, &unit, &text).await {
        Ok(Written::Saved { id, revision }) => after_save(signed, id, revision, &step, unit, text).await,
        Ok(Written::Conflict { who, when, revision, differences }) => {
            let mut page = edit_page(signed, Some(id), revision, unit, text, Errors::default()).await?;
            page.conflict = Some(Conflict { who, when, differences });
            render_as(StatusCode::CONFLICT, &page)
        }
        Err(DeskError::Invalid(errors)) => {
            let page = edit_page(signed, Some(id), shown, unit, text, Errors(errors)).await?;
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn check(signed: Signed, ConsoleForm(typed): ConsoleForm<Typed>) -> Result<Response, PageError> {
    let id = typed.form.parse().ok().map(FormId);
    let before = typed.filled.clone();
    let (_, _, mut text) = typed.parts();
    // What the number before this one filled in is not what anybody typed.
    if before == format!("{}|{}", text.birth_date, text.sex) {
        text.birth_date.clear();
        text.sex.clear();
    }
    let check = signed.desk.check_form(id, &text).await?;
    let number = check.from_number.as_ref();
    let birth = number.filter(|_| text.birth_date.trim().is_empty()).map(|(birth, _, _)| birth.clone());
    let sex = number.filter(|_| text.sex.trim().is_empty()).map(|(_, sex, _)| *sex);
    // What stands there already is left alone: the caret may be in it.
    let filled = birth.as_ref().zip(sex).map(|(birth, sex)| format!("{birth}|{sex}")).filter(|new| *new != before);
    let (birth, sex) = match (&filled, before.is_empty()) {
        (None, false) => (None, None),
        _ => (birth, sex),
    };
    let errors = FIELDS
        .iter()
        .map(|(field, _)| {
            let error = check.faults.iter().find(|error| error.field == *field);
            (*field, error.map(|error| error.message.clone()).unwrap_or_default())
        })
        .collect();
    render(&Checked { errors, birth, sex, filled, check })
}

pub(super) async fn ask_submit(signed: Signed, Path(form): Path<String>) -> Result<Response, PageError> {
    let id = form_id(&form)?;
    match signed.desk.ready_form(id).await {
        Ok((line, form)) => render(&AskSubmit {
            id: line.id.0,
            revision: line.revision,
            approver: approver_name(line.county),
            name: line.name,
            unit: line.unit_name,
            age: form.age,
            minor: form.guardian.is_some(),
            national: form.national_number.is_some(),
            shell: signed.shell,
        }),
        Err(DeskError::Invalid(errors)) => wrong(signed, id, errors).await,
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn submit(
    signed: Signed,
    Path(form): Path<String>,
    ConsoleForm(step): ConsoleForm<Revision>,
) -> Result<Response, PageError> {
    let id = form_id(&form)?;
    match signed.desk.submit_form(id, step.revision.parse().unwrap_or(0)).await {
        Ok(()) => {
            let text = "登记表已提交。审批结果会显示在这一页；退回更正时也在这里修改后再提交。";
            Ok(done(&signed.shell, &format!("/forms/{id}"), text))
        }
        Err(DeskError::Invalid(errors)) => wrong(signed, id, errors).await,
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn ask_withdraw(signed: Signed, Path(form): Path<String>) -> Result<Response, PageError> {
    let view = signed.desk.form(form_id(&form)?).await?;
    if !view.may_withdraw {
        let refusal = crate::service::desk::forms::FormRefusal::NotWithdrawable(view.line.state);
        return Err(DeskError::from(refusal).into());
    }
    let line = view.line;
    let (id, revision) = (line.id.0, line.revision);
    render(&AskWithdraw { shell: signed.shell, id, revision, name: line.name, unit: line.unit_name })
}

pub(super) async fn withdraw(
    signed: Signed,
    Path(form): Path<String>,
    ConsoleForm(step): ConsoleForm<Revision>,
) -> Result<Response, PageError> {
    let id = form_id(&form)?;
    signed.desk.withdraw_form(id, step.revision.parse().unwrap_or(0)).await?;
    Ok(done(&signed.shell, &format!("/forms/{id}"), "登记表已撤回，填写的内容已删除。"))
}

pub(super) async fn print(signed: Signed, Path(form): Path<String>) -> Result<Response, PageError> {
    let (name, bytes) = signed.desk.print_form(form_id(&form)?).await?;
    let name = if name.is_empty() { "草稿".to_owned() } else { name };
    Ok(download("application/pdf", &format!("附件1-{name}.pdf"), bytes))
}

/// The form with what is wrong at its fields.
async fn wrong(
    signed: Signed,
    id: FormId,
    errors: Vec<crate::service::desk::FieldError>,
) -> Result<Response, PageError> {
    let (line, text) = signed.desk.open_form(id).await?;
    let unit = FormUnit { county: format!("{:02}", line.county), name: line.unit_name };
    let page = edit_page(signed, Some(id), line.revision, unit, text, Errors(errors)).await?;
    render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// What was typed is kept; now either it is to be handed in, or written on.
async fn after_save(
    signed: Signed,
    id: FormId,
    revision: i64,
    step: &str,
    unit: FormUnit,
    text: ApplicationText,
) -> Result<Response, PageError> {
    if step != "submit" {
        return Ok(done(&signed.shell, &format!("/forms/{id}/edit"), "草稿已保存，可以继续填写或稍后再来。"));
    }
    match signed.desk.ready_form(id).await {
        Ok(_) => Ok(page::go(&signed.shell, &format!("/forms/{id}/submit"), None)),
        Err(DeskError::Invalid(errors)) => {
            let page = edit_page(signed, Some(id), revision, unit, text, Errors(errors)).await?;
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

async fn edit_page(
    signed: Signed,
    id: Option<FormId>,
    revision: i64,
    unit: FormUnit,
    text: ApplicationText,
    errors: Errors,
) -> Result<Edit, PageError> {
    let county = County::parse(&unit.county).map(County::code).ok();
    let (own, units) = signed.desk.form_units(county).await?;
    let unit_fixed = matches!(signed.desk.staff().scope, Scope::Unit { .. });
    let own_county = County::parse(&own.county).ok();
    let counties = match signed.desk.staff().scope {
        Scope::All => County::all().collect(),
        _ => own_county.into_iter().collect::<Vec<_>>(),
    };
    const CHOOSE: (&str, &str) = ("", "请选择");
    let choose = || std::iter::once(CHOOSE);
    Ok(Edit {
        id: id.map(|id| id.0),
        revision,
        unit: if unit_fixed { own } else { unit },
        unit_fixed,
        counties: counties.into_iter().map(|county| (format!("{:02}", county.code()), county.name())).collect(),
        units,
        errors,
        conflict: None,
        returned: None,
        sexes: choose().chain([("男", "男"), ("女", "女")]).collect(),
        politicals: choose()
            .chain((1..=13).filter_map(Political::from_code).map(|political| (political.name(), political.name())))
            .collect(),
        ethnicities: std::iter::once((String::new(), "请选择".to_owned()))
            .chain((1..=98).filter_map(Ethnicity::from_code).map(|people| (people.name(), people.name())))
            .collect(),
        natures: choose().chain(Nature::ALL.map(|nature| (nature.name(), nature.name()))).collect(),
        educations: choose().chain(EDUCATION.map(|education| (education, education))).collect(),
        items: {
            let chosen: Vec<ServiceItem> = text.chosen().collect();
            ServiceItem::all().map(|item| (item.code(), item.name(), chosen.contains(&item))).collect()
        },
        text: normal(text),
        shell: signed.shell,
    })
}

/// Everyday words (党员, 汉) are shown as the choice that they mean.
fn normal(mut text: ApplicationText) -> ApplicationText {
    if let Some(political) = Political::parse(&text.political) {
        text.political = political.name().into();
    }
    if let Some(ethnicity) = Ethnicity::parse(&text.ethnicity) {
        text.ethnicity = ethnicity.name();
    }
    text
}

impl Typed {
    fn parts(self) -> (FormUnit, String, ApplicationText) {
        let unit = FormUnit { county: self.unit_county, name: self.unit_name };
        let text = ApplicationText {
            applied_on: self.applied_on,
            name: self.name,
            position: self.position,
            political: self.political,
            sex: self.sex,
            birth_date: self.birth_date,
            ethnicity: self.ethnicity,
            identity: self.identity,
            education: self.education,
            school: self.school,
            major: self.major,
            workplace: self.workplace,
            work_position: self.work_position,
            nature: self.nature,
            address: self.address,
            postcode: self.postcode,
            email: self.email,
            mobile: self.mobile,
            qq: self.qq,
            office_phone: self.office_phone,
            resume: self.resume.replace("\r\n", "\n"),
            items: self.items,
            national_number: self.national_number,
            guardian_name: self.guardian_name,
            guardian_relation: self.guardian_relation,
            guardian_phone: self.guardian_phone,
            guardian_consent: self.guardian_consent,
        };
        (unit, self.step, text)
    }
}
