//! The queues of forms, search, export, the blank form.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::error::PageError;
use super::super::form::ConsoleForm;
use super::super::guard::Signed;
use super::super::page::{self, Shell, download, render, workbook};
use super::mark;
use crate::clock::{beijing, beijing_date};
use crate::domain::division::County;
use crate::domain::staff::{Permission, Scope};
use crate::roster::export::{self, Cell};
use crate::service::desk::forms::{COUNTED, FormCursor, FormLine, Queue, approver_name};

/// Lines on a page.
const PAGE: u32 = 50;
/// Lines of a search.
const FOUND: u32 = 100;

/// What the list's address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    queue: Option<String>,
    after: Option<String>,
}

/// What is searched for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    words: String,
}

#[derive(Template)]
#[template(path = "console/forms/list.html")]
struct List {
    shell: Shell,
    tabs: Vec<Tab>,
    queue: Queue,
    searched: Option<String>,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
    may_write: bool,
    may_choose: bool,
    counties: bool,
    advice: &'static str,
}

struct Tab {
    queue: Queue,
    count: String,
    here: bool,
}

struct Row {
    id: i64,
    revision: i64,
    name: String,
    unit: String,
    county: &'static str,
    state: &'static str,
    mark: &'static str,
    approver: String,
    changed: String,
    national: bool,
}

pub(super) async fn list(signed: Signed, Query(wanted): Query<Wanted>) -> Result<Response, PageError> {
    let queues = signed.desk.form_queues().await?;
    let first = queues.first().map_or(Queue::All, |(queue, _)| *queue);
    let first = if first == Queue::Mine { first } else { Queue::All };
    let queue = wanted.queue.as_deref().and_then(Queue::parse).unwrap_or(first);
    let after = wanted.after.as_deref().and_then(cursor);
    let (lines, next) = signed.desk.form_list(queue, after, PAGE).await?;
    let next = next.map(|next| format!("?queue={}&after={}.{}", queue.as_str(), next.changed_at, next.id));
    render(&List { next, first: after.is_none(), ..frame(signed, queues, queue, lines) })
}

pub(super) async fn search(signed: Signed, form: ConsoleForm<Search>) -> Result<Response, PageError> {
    let ConsoleForm(Search { words }) = form;
    let words: String = words.trim().chars().take(40).collect();
    if words.is_empty() {
        return Ok(page::go(&signed.shell, "/forms?queue=all", None));
    }
    let lines = signed.desk.form_search(&words, FOUND).await?;
    let queues = signed.desk.form_queues().await?;
    render(&List { searched: Some(words), ..frame(signed, queues, Queue::All, lines) })
}

/// The result of a search has no address; reloading leads back.
pub(super) async fn to_list(signed: Signed) -> Response {
    page::go(&signed.shell, "/forms?queue=all", None)
}

pub(super) async fn export(signed: Signed, Query(wanted): Query<Wanted>) -> Result<Response, PageError> {
    let queue = wanted.queue.as_deref().and_then(Queue::parse).unwrap_or(Queue::All);
    let today = beijing_date(signed.desk.office().now());
    let lines = signed.desk.form_export(queue).await?;
    let rows = lines.into_iter().map(|line| {
        let moment = |at: Option<jiff::Timestamp>| at.map(shown).unwrap_or_default();
        vec![
            Cell::from(line.name.as_str()),
            line.unit_name.as_str().into(),
            county(line.county).into(),
            line.state.label().into(),
            approver_name(line.county).into(),
            if line.national { "已注册" } else { "" }.into(),
            moment(line.submitted_at).into(),
            moment(line.decided_at).into(),
            line.reason.unwrap_or_default().into(),
            line.volunteer.unwrap_or_default().into(),
        ]
    });
    let headers =
        ["姓名", "单位", "县（区）", "状态", "审批机构", "全国系统", "提交时间", "审批时间", "审批意见", "证书编号"];
    let title = format!("注册登记表（{}）", queue.label());
    let book = export::table(&title, &headers, rows, today)
        .map_err(|error| PageError::Desk(crate::service::desk::DeskError::Refused(error.to_string())))?;
    Ok(workbook(&format!("注册登记表-{}-{today}.xlsx", queue.label()), book))
}

pub(super) async fn blank(signed: Signed) -> Result<Response, PageError> {
    Ok(download("application/pdf", "附件1-普洱市个人志愿者注册登记表（空白）.pdf", signed.desk.blank_form()?))
}

/// A moment as pages show it, Beijing time.
pub(super) fn shown(at: jiff::Timestamp) -> String {
    beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A county's name.
pub(super) fn county(code: u8) -> &'static str {
    County::from_code(code).map_or("", County::name)
}

fn frame(signed: Signed, queues: Vec<(Queue, u64)>, queue: Queue, lines: Vec<FormLine>) -> List {
    let tabs = queues
        .into_iter()
        .map(|(tab, count)| {
            let count = if count >= u64::from(COUNTED) { "10000+".to_owned() } else { count.to_string() };
            Tab { queue: tab, count, here: tab == queue }
        })
        .collect();
    let may_write = signed.desk.may(Permission::WriteForms);
    List {
        tabs,
        queue,
        searched: None,
        rows: lines.into_iter().map(row).collect(),
        next: None,
        first: true,
        may_write,
        may_choose: queue == Queue::Mine,
        counties: signed.desk.staff().scope == Scope::All,
        advice: match (queue, may_write) {
            (Queue::Mine, _) => "单位提交后会出现在这里。",
            (Queue::All, true) => "点“新登记表”开始填写，可随时存为草稿。",
            _ => "换一个分类看看，或用姓名、身份证号查找。",
        },
        shell: signed.shell,
    }
}

fn row(line: FormLine) -> Row {
    Row {
        id: line.id.0,
        revision: line.revision,
        name: if line.name.is_empty() { "（未填姓名）".into() } else { line.name },
        unit: line.unit_name,
        county: county(line.county),
        state: line.state.label(),
        mark: mark(line.state),
        approver: approver_name(line.county),
        changed: shown(line.changed_at),
        national: line.national,
    }
}

fn cursor(text: &str) -> Option<FormCursor> {
    let (changed_at, id) = text.split_once('.')?;
    Some(FormCursor { changed_at: changed_at.parse().ok()?, id: id.parse().ok()? })
}
