//! The audit trail: looking things up, one event, the workbook, the check of the chain.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use super::words::{encoded, figure, moment};
use crate::roster::export::{self, Cell};
use crate::service::desk::oversight::actions::Group;
use crate::service::desk::oversight::audit::{AuditLine, AuditQuery, ChainWalk, Comparison, EXPORT};
use crate::web::console::error::PageError;
use crate::web::console::form::ConsoleForm;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, done, failed, render, workbook};

/// What an address of the list says. What cannot be read counts as not said, except days.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    actor: String,
    group: String,
    action: String,
    object: String,
    from: String,
    to: String,
    before: String,
}

#[derive(Template)]
#[template(path = "console/oversight/audit.html")]
struct List {
    shell: Shell,
    asked: Asked,
    wrong_day: &'static str,
    actors: Vec<(String, String)>,
    groups: Vec<(&'static str, &'static str)>,
    lines: Vec<AuditLine>,
    next: String,
    query: String,
    filtered: bool,
    head_seq: String,
    head_hash: String,
    check: Option<CheckView>,
}

/// How a check of the chain stands, in words.
struct CheckView {
    id: i64,
    by: String,
    to: String,
    checked: String,
    permille: i64,
    running: bool,
    broken: String,
    ended: String,
    hash: String,
}

#[derive(Template)]
#[template(path = "console/oversight/check.html")]
struct CheckPart {
    shell: Shell,
    check: Option<CheckView>,
}

#[derive(Template)]
#[template(path = "console/oversight/event.html")]
struct Event {
    shell: Shell,
    line: AuditLine,
}

pub(super) async fn list(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (query, wrong_day) = read(&asked);
    let page = desk.audit_trail(&query).await?;
    let actors = desk.audit_actors().await?;
    let said = address(&asked);
    let next = page.next.map_or(String::new(), |(at, seq)| format!("/audit?{said}&before={at}.{seq}"));
    let list = List {
        groups: Group::ALL.iter().map(|group| (group.as_str(), group.label())).collect(),
        filtered: [&asked.actor, &asked.group, &asked.action, &asked.object, &asked.from, &asked.to]
            .iter()
            .any(|text| !text.trim().is_empty()),
        query: said,
        head_seq: figure(page.head_seq.unsigned_abs()),
        head_hash: in_groups(&page.head_hash),
        check: page.check.as_ref().map(view),
        lines: page.lines,
        next,
        actors,
        wrong_day,
        asked,
        shell,
    };
    render(&list)
}

pub(super) async fn event(signed: Signed, Path(seq): Path<i64>) -> Result<Response, PageError> {
    let mut line = signed.desk.audit_event(seq).await?;
    (line.hash, line.previous_hash) = (in_groups(&line.hash), in_groups(&line.previous_hash));
    render(&Event { line, shell: signed.shell })
}

pub(super) async fn export(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let desk = &signed.desk;
    let (query, _) = read(&asked);
    let (lines, more) = desk.audit_export(&query).await?;
    let today = crate::clock::beijing_date(desk.office().now());
    let title = if more {
        format!("审计记录（只含最近 {} 条，更早的请缩小日期范围后再导出）", figure(EXPORT.into()))
    } else {
        format!("审计记录（共 {} 条）", figure(lines.len() as u64))
    };
    let headers = ["序号", "时间（北京）", "登录名", "姓名", "事项", "对象", "内容", "摘要"];
    let rows = lines.into_iter().map(|line| {
        let detail: Vec<String> = line.detail.iter().map(|(name, value)| format!("{name}：{value}")).collect();
        vec![
            Cell::from(line.seq),
            line.at.into(),
            line.actor.into(),
            line.actor_name.into(),
            line.action_label.into(),
            line.object_label.into(),
            detail.join("；").into(),
            line.hash.into(),
        ]
    });
    let bytes = export::table(&title, &headers, rows, today).map_err(crate::service::ServiceError::from)?;
    Ok(workbook(&format!("审计记录-{today}.xlsx"), bytes))
}

/// A head that somebody noted outside of the system.
#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Noted {
    seq: String,
    hash: String,
}

pub(super) async fn compare(signed: Signed, ConsoleForm(noted): ConsoleForm<Noted>) -> Result<Response, PageError> {
    let seq = noted.seq.replace([',', ' '], "").parse::<i64>().unwrap_or(0);
    if seq < 1 {
        return Ok(failed(&signed.shell, "/audit", "记下的序号应为正整数，请核对后重新输入"));
    }
    Ok(match signed.desk.compare_audit_hash(seq, &noted.hash).await {
        Ok(Comparison::Same) => done(
            &signed.shell,
            "/audit",
            format!("第 {seq} 条的摘要与记下的一致：记下之后，到这一条为止的记录没有被改动（前提是核对结果完整）"),
        ),
        Ok(Comparison::Differs { found }) => failed(
            &signed.shell,
            "/audit",
            format!(
                "第 {seq} 条的摘要与记下的不一致（现为 {}…）。请先核对抄写，仍不一致请立即保全数据库并追查",
                &found[..16]
            ),
        ),
        Ok(Comparison::Missing) => failed(
            &signed.shell,
            "/audit",
            format!("没有第 {seq} 条记录。若当时确有，说明末尾被删除，请立即保全数据库并追查"),
        ),
        Err(error) => failed(&signed.shell, "/audit", error.to_string()),
    })
}

pub(super) async fn begin_check(signed: Signed) -> Result<Response, PageError> {
    let walk = signed.desk.begin_audit_check().await?;
    Ok(said(&signed.shell, &walk))
}

/// One step of a check: as a part of the page for htmx, else as a page.
pub(super) async fn step(
    signed: Signed,
    Path(check): Path<i64>,
    headers: axum::http::HeaderMap,
) -> Result<Response, PageError> {
    let walk = signed.desk.continue_audit_check(check).await?;
    if headers.contains_key("hx-request") {
        return render(&CheckPart { shell: signed.shell, check: Some(view(&walk)) });
    }
    Ok(said(&signed.shell, &walk))
}

fn said(shell: &Shell, walk: &ChainWalk) -> Response {
    match (walk.broken_at, walk.ended_at) {
        (Some(seq), _) => {
            failed(shell, "/audit", format!("审计链在第 {seq} 条断开：这一条缺失或被改动过。请立即保全数据库并追查"))
        }
        (None, Some(_)) => done(shell, "/audit", format!("审计链完整：第 1 条到第 {} 条逐条核对无误", walk.head_seq)),
        (None, None) => done(shell, "/audit", format!("已核对到第 {} 条，还没有核对完，请继续", walk.checked)),
    }
}

fn view(walk: &ChainWalk) -> CheckView {
    CheckView {
        id: walk.id,
        by: walk.begun_by.clone(),
        to: figure(walk.head_seq.unsigned_abs()),
        checked: figure(walk.checked.unsigned_abs()),
        permille: if walk.head_seq > 0 { walk.checked.saturating_mul(1000) / walk.head_seq } else { 1000 },
        running: walk.ended_at.is_none(),
        broken: walk.broken_at.map_or(String::new(), |seq| figure(seq.unsigned_abs())),
        ended: walk.ended_at.map_or(String::new(), moment),
        hash: in_groups(&hex::encode(walk.hash)),
    }
}

/// Hexadecimal digits in groups of eight, to be read out and noted down.
fn in_groups(hex: &str) -> String {
    let groups: Vec<_> = hex.as_bytes().chunks(8).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(" ")
}

fn read(asked: &Asked) -> (AuditQuery, &'static str) {
    let mut wrong = "";
    let mut day = |text: &str| match text.trim() {
        "" => None,
        text => text.parse().map_err(|_| wrong = "日期应写作 2026-11-23，没有按它筛选").ok(),
    };
    let (from, to) = (day(&asked.from), day(&asked.to));
    let before = asked.before.split_once('.').and_then(|(at, seq)| Some((at.parse().ok()?, seq.parse().ok()?)));
    let query = AuditQuery {
        actor: asked.actor.clone(),
        group: Group::parse(&asked.group),
        action: asked.action.clone(),
        object: asked.object.clone(),
        from,
        to,
        before,
    };
    (query, wrong)
}

/// The filters as they stand in an address.
fn address(asked: &Asked) -> String {
    let fields = [
        ("actor", &asked.actor),
        ("group", &asked.group),
        ("action", &asked.action),
        ("object", &asked.object),
        ("from", &asked.from),
        ("to", &asked.to),
    ];
    let said = fields.iter().filter(|(_, value)| !value.trim().is_empty());
    said.map(|(name, value)| format!("{name}={}", encoded(value.trim()))).collect::<Vec<_>>().join("&")
}
