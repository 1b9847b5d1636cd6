//! A form's own page, and deciding: one with its reason, many at once, where the copies are kept.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::error::PageError;
use super::super::form::ConsoleForm;
use super::super::guard::Signed;
use super::super::page::{Shell, done, failed, render, render_as};
use super::list::{county, shown};
use super::{Errors, form_id, mark};
use crate::clock::beijing_date;
use crate::domain::application::{ApplicationState, ApplicationText, FIELDS};
use crate::domain::staff::Permission;
use crate::service::desk::DeskError;
use crate::service::desk::forms::{Decision, FormCopy, FormId, FormLine, FormView, Outcome, approver_name};

/// Forms decided in one step.
const AT_ONCE: usize = 100;

/// A decision about one form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Decided {
    revision: String,
    reason: String,
}

/// Forms ticked in the queue, as `id:revision`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    form: Vec<String>,
    reason: String,
}

/// Where a copy is kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Archived {
    copy: String,
    place: String,
    archived_on: String,
}

#[derive(Template)]
#[template(path = "console/forms/show.html")]
struct Show {
    shell: Shell,
    id: i64,
    line: FormLine,
    mark: &'static str,
    county: &'static str,
    approver: String,
    whole: bool,
    facts: Vec<(&'static str, String)>,
    history: Vec<(String, String, String, &'static str)>,
    copies: Vec<Copy>,
    may_write: bool,
    may_withdraw: bool,
    may_print: bool,
    may_reveal: bool,
    may_decide: bool,
    why_not: String,
    erased: bool,
    number: String,
    today: String,
    errors: Errors,
    archived: Archived,
}

struct Copy {
    word: &'static str,
    label: &'static str,
    kept: Option<(String, String, String)>,
    may_note: bool,
}

#[derive(Template)]
#[template(path = "console/forms/decide.html")]
struct Decide {
    shell: Shell,
    id: i64,
    revision: i64,
    name: String,
    unit: String,
    national: bool,
    verb: Verb,
    reason: String,
    errors: Errors,
}

#[derive(Clone, PartialEq)]
enum Verb {
    Approve,
    Return,
    Reject,
}

#[derive(Template)]
#[template(path = "console/forms/choose.html")]
struct Choose {
    shell: Shell,
    able: Vec<(i64, i64, String, String)>,
    unable: Vec<(i64, String)>,
    reason: String,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/forms/approved.html")]
struct Approved {
    shell: Shell,
    good: usize,
    outcomes: Vec<Outcome>,
}

pub(super) async fn show(signed: Signed, Path(form): Path<String>) -> Result<Response, PageError> {
    let view = signed.desk.form(form_id(&form)?).await?;
    render(&page_of(signed, view, None, Errors::default(), Archived::default()))
}

pub(super) async fn reveal(
    signed: Signed,
    Path(form): Path<String>,
    ConsoleForm(asked): ConsoleForm<Decided>,
) -> Result<Response, PageError> {
    let id = form_id(&form)?;
    match signed.desk.reveal_form(id, &asked.reason).await {
        Ok(text) => {
            let view = signed.desk.form(id).await?;
            render(&page_of(signed, view, Some(text), Errors::default(), Archived::default()))
        }
        Err(DeskError::Invalid(errors)) => {
            let view = signed.desk.form(id).await?;
            let page = page_of(signed, view, None, Errors(errors), Archived::default());
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn ask_approve(signed: Signed, Path(form): Path<String>) -> Result<Response, PageError> {
    ask(signed, &form, Verb::Approve).await
}

pub(super) async fn ask_return(signed: Signed, Path(form): Path<String>) -> Result<Response, PageError> {
    ask(signed, &form, Verb::Return).await
}

pub(super) async fn ask_reject(signed: Signed, Path(form): Path<String>) -> Result<Response, PageError> {
    ask(signed, &form, Verb::Reject).await
}

pub(super) async fn approve(
    signed: Signed,
    Path(form): Path<String>,
    ConsoleForm(decided): ConsoleForm<Decided>,
) -> Result<Response, PageError> {
    decide(signed, &form, Verb::Approve, decided).await
}

pub(super) async fn send_back(
    signed: Signed,
    Path(form): Path<String>,
    ConsoleForm(decided): ConsoleForm<Decided>,
) -> Result<Response, PageError> {
    decide(signed, &form, Verb::Return, decided).await
}

pub(super) async fn reject(
    signed: Signed,
    Path(form): Path<String>,
    ConsoleForm(decided): ConsoleForm<Decided>,
) -> Result<Response, PageError> {
    decide(signed, &form, Verb::Reject, decided).await
}

/// The page before many are approved: whom it is about, and whom not, with why.
pub(super) async fn choose(signed: Signed, ConsoleForm(chosen): ConsoleForm<Chosen>) -> Result<Response, PageError> {
    choose_page(signed, &chosen, Errors::default(), StatusCode::OK).await
}

pub(super) async fn approve_chosen(
    signed: Signed,
    ConsoleForm(chosen): ConsoleForm<Chosen>,
) -> Result<Response, PageError> {
    let forms: Vec<(FormId, i64)> = picked(&chosen);
    if forms.is_empty() {
        return Ok(failed(&signed.shell, "/forms?queue=mine", "没有选择登记表：请在列表中勾选后再审批。"));
    }
    match signed.desk.approve_forms(&forms, &chosen.reason).await {
        Ok(outcomes) => {
            let good = outcomes.iter().filter(|outcome| outcome.done.is_ok()).count();
            render(&Approved { shell: signed.shell, good, outcomes })
        }
        Err(DeskError::Invalid(errors)) => {
            choose_page(signed, &chosen, Errors(errors), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn archive(
    signed: Signed,
    Path(form): Path<String>,
    ConsoleForm(typed): ConsoleForm<Archived>,
) -> Result<Response, PageError> {
    let id = form_id(&form)?;
    let copy = FormCopy::parse(&typed.copy).ok_or_else(|| PageError::Malformed("份别不对，请刷新页面后重试".into()))?;
    match signed.desk.archive_form(id, copy, &typed.place, &typed.archived_on).await {
        Ok(()) => Ok(done(&signed.shell, &format!("/forms/{id}"), format!("{}：存放地点已登记。", copy.label()))),
        Err(DeskError::Invalid(errors)) => {
            let view = signed.desk.form(id).await?;
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page_of(signed, view, None, Errors(errors), typed))
        }
        Err(error) => Err(error.into()),
    }
}

async fn ask(signed: Signed, form: &str, verb: Verb) -> Result<Response, PageError> {
    let line = signed.desk.decidable_form(form_id(form)?).await?;
    let reason = if verb == Verb::Approve { "同意注册。" } else { "" };
    render(&question(signed, line, verb, reason.into(), Errors::default()))
}

async fn decide(signed: Signed, form: &str, verb: Verb, decided: Decided) -> Result<Response, PageError> {
    let id = form_id(form)?;
    let said = decided.reason.clone();
    let decision = match verb {
        Verb::Approve => Decision::Approve(said),
        Verb::Return => Decision::Return(said),
        Verb::Reject => Decision::Reject(said),
    };
    let revision = decided.revision.parse().unwrap_or(0);
    match signed.desk.decide_form(id, revision, &decision).await {
        Ok(Some(number)) => {
            let text = format!("已审批通过并注册，证书编号 {number}。请打印附件1 存档；该志愿者可以制证了。");
            Ok(done(&signed.shell, &format!("/forms/{id}"), text))
        }
        Ok(None) if verb == Verb::Return => Ok(done(&signed.shell, &format!("/forms/{id}"), "已退回单位更正。")),
        Ok(None) => Ok(done(&signed.shell, &format!("/forms/{id}"), "已审批为不予通过。")),
        Err(DeskError::Invalid(errors)) => {
            let line = signed.desk.decidable_form(id).await?;
            let page = question(signed, line, verb, decided.reason, Errors(errors));
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

fn question(signed: Signed, line: FormLine, verb: Verb, reason: String, errors: Errors) -> Decide {
    Decide {
        shell: signed.shell,
        id: line.id.0,
        revision: line.revision,
        name: line.name,
        unit: line.unit_name,
        national: line.national,
        verb,
        reason,
        errors,
    }
}

async fn choose_page(
    signed: Signed,
    chosen: &Chosen,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let forms = picked(chosen);
    if forms.is_empty() {
        return Ok(failed(&signed.shell, "/forms?queue=mine", "没有选择登记表：请在列表中勾选后再审批。"));
    }
    let (mut able, mut unable) = (Vec::new(), Vec::new());
    for (id, revision) in forms {
        match signed.desk.decidable_form(id).await {
            Ok(line) => able.push((id.0, revision, line.name, line.unit_name)),
            Err(DeskError::Service(error)) => return Err(error.into()),
            Err(refusal) => unable.push((id.0, refusal.to_string())),
        }
    }
    let reason = if chosen.reason.is_empty() && errors.0.is_empty() { "同意注册。" } else { &chosen.reason };
    render_as(status, &Choose { shell: signed.shell, able, unable, reason: reason.to_owned(), errors })
}

fn picked(chosen: &Chosen) -> Vec<(FormId, i64)> {
    let mut forms: Vec<(FormId, i64)> = chosen
        .form
        .iter()
        .filter_map(|text| {
            let (id, revision) = text.split_once(':')?;
            Some((FormId(id.parse().ok()?), revision.parse().ok()?))
        })
        .collect();
    forms.dedup();
    forms.truncate(AT_ONCE);
    forms
}

fn page_of(signed: Signed, view: FormView, whole: Option<ApplicationText>, errors: Errors, archived: Archived) -> Show {
    let is_whole = whole.is_some();
    let text = whole.or(view.text);
    let erased = text.is_none();
    let name = |login: &str| view.names.get(login).cloned().unwrap_or_else(|| login.to_owned());
    let facts = text.map(|text| {
        FIELDS
            .iter()
            .map(|(field, label)| (*label, text.field(field)))
            .filter(|(_, value)| !value.trim().is_empty())
            .collect()
    });
    let copies = FormCopy::ALL.map(|copy| {
        let kept = view.copies.iter().find(|kept| kept.copy == copy);
        Copy {
            word: copy.as_str(),
            label: copy.label(),
            kept: kept.map(|kept| (kept.place.clone(), kept.archived_on.to_string(), name(&kept.noted_by))),
            may_note: signed.desk.may_archive(&view.line, copy),
        }
    });
    let why_not = match &view.decision {
        Err(refusal) if view.line.state == ApplicationState::Submitted && signed.desk.may(Permission::ApproveForms) => {
            refusal.to_string()
        }
        _ => String::new(),
    };
    let history = view
        .history
        .iter()
        .map(|event| (shown(event.at), name(&event.actor), event.actor.clone(), action(&event.action)))
        .collect();
    let number =
        view.line.volunteer.as_deref().and_then(|number| zyz_credential::CertificateNumber::parse(number).ok());
    Show {
        id: view.line.id.0,
        mark: mark(view.line.state),
        county: county(view.line.county),
        approver: approver_name(view.line.county),
        whole: is_whole,
        facts: facts.unwrap_or_default(),
        history,
        copies: copies.into(),
        may_write: view.may_write,
        // Whoever decides returns or rejects; taking back is the unit's.
        may_withdraw: view.may_withdraw && view.decision.is_err(),
        may_print: signed.desk.may(Permission::WriteForms) && !erased,
        may_reveal: view.may_reveal && !is_whole,
        may_decide: view.decision.is_ok(),
        why_not,
        erased,
        number: number.map(|number| number.grouped()).unwrap_or_default(),
        today: beijing_date(signed.desk.office().now()).to_string(),
        errors,
        archived,
        line: view.line,
        shell: signed.shell,
    }
}

/// What happened, in words.
fn action(word: &str) -> &'static str {
    match word {
        "application.create" => "建立草稿",
        "application.save" => "修改内容",
        "application.submit" => "提交审批",
        "application.approve" => "审批通过",
        "application.return" => "退回更正",
        "application.reject" => "不予通过",
        "application.withdraw" => "撤回",
        "application.erase_contact" => "本人退出，删除联系方式",
        "application.archive" => "登记存档",
        "application.reveal" => "查看完整内容",
        "application.print" => "打印附件1",
        _ => "其他",
    }
}
