//! Partners: list, agreement, devices, use.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use super::statistics::use_table;
use super::words::{counted, encoded, figure, moment_of};
use crate::clock::beijing_date;
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::service::desk::oversight::partners::{FindingLine, PartnerState, PartnerView, SOON_DAYS, days_left};
use crate::service::desk::oversight::statistics::PartnerYear;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::enrol::DeviceLine;
use crate::service::offers::OfferLine;
use crate::service::partners::{PartnerDraft, PartnerLine};
use crate::web::console::chart::{self, Bar, Svg};
use crate::web::console::error::PageError;
use crate::web::console::form::ConsoleForm;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, done, failed, render, render_as, workbook};

/// What the list's address says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    q: String,
    after: String,
    pub year: String,
}

struct Row {
    line: PartnerLine,
    tone: &'static str,
    left: String,
}

#[derive(Template)]
#[template(path = "console/oversight/partners.html")]
struct List {
    shell: Shell,
    rows: Vec<Row>,
    count: usize,
    states: Vec<(&'static str, &'static str)>,
    state: &'static str,
    q: String,
    next: String,
    query: String,
    keeps: bool,
}

pub(super) async fn list(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let state = PartnerState::parse(&asked.state);
    let page = desk.partners(state, &asked.q, asked.after.parse().unwrap_or(0)).await?;
    let today = beijing_date(desk.office().now());
    let query = format!("state={}&q={}", state.as_str(), encoded(asked.q.trim()));
    let list = List {
        rows: page.lines.into_iter().map(|line| row(line, today)).collect(),
        count: page.count,
        states: PartnerState::ALL.iter().map(|state| (state.as_str(), state.label())).collect(),
        state: state.as_str(),
        q: asked.q.trim().to_owned(),
        next: page.next.map_or(String::new(), |key| format!("/partners?{query}&after={key}")),
        query,
        keeps: keeps(&desk),
        shell,
    };
    render(&list)
}

fn keeps(desk: &Desk) -> bool {
    desk.may(crate::domain::staff::Permission::Partners)
}

fn row(line: PartnerLine, today: Date) -> Row {
    let left = days_left(&line, today);
    let (tone, left) = match line.state {
        "ended" => ("bad", String::new()),
        "not_yet" => ("quiet", String::new()),
        _ if left <= SOON_DAYS => ("warn", format!("还有 {left} 天")),
        _ => ("good", String::new()),
    };
    Row { line, tone, left }
}

pub(super) async fn export(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let desk = &signed.desk;
    let lines = desk.all_partners(PartnerState::parse(&asked.state), &asked.q).await?;
    let today = beijing_date(desk.office().now());
    let headers = [
        "编号",
        "单位名称",
        "类别",
        "协议编号",
        "协议开始",
        "协议截止",
        "状态",
        "终止日期",
        "终止原因",
        "优惠项目",
        "设备",
    ];
    let rows = lines.into_iter().map(|line| {
        vec![
            Cell::from(line.id),
            line.name.into(),
            line.kind.into(),
            line.agreement_number.into(),
            line.agreement_from.to_string().into(),
            line.agreement_to.to_string().into(),
            line.state_label.into(),
            line.ended_from.map(|day| day.to_string()).into(),
            line.end_reason.into(),
            line.offers.into(),
            line.devices.into(),
        ]
    });
    let bytes = export::table("合作单位", &headers, rows, today).map_err(ServiceError::from)?;
    Ok(workbook(&format!("合作单位-{today}.xlsx"), bytes))
}

/// A partner's offers in use by month, for pages of partners and of the partner itself.
pub(super) struct UseRow {
    pub title: String,
    pub months: Vec<String>,
    pub uses: String,
    pub not_valid: String,
    pub over_limit: String,
    pub reversed: String,
}

pub(super) fn use_rows(view: &PartnerView) -> Vec<UseRow> {
    let row = |title: &str, year: &PartnerYear| UseRow {
        title: title.to_owned(),
        months: year.months.iter().map(|uses| figure(*uses)).collect(),
        uses: figure(year.uses),
        not_valid: figure(year.not_valid),
        over_limit: figure(year.over_limit),
        reversed: figure(year.reversed),
    };
    view.offers.iter().map(|used| row(&used.title, &used.year)).collect()
}

pub(super) fn use_charts(view: &PartnerView) -> Vec<(&'static str, Svg)> {
    let months = view.year.months.iter().enumerate();
    let months: Vec<Bar> =
        months.map(|(at, uses)| Bar::new((at + 1).to_string(), *uses, format!("{} 次", figure(*uses)))).collect();
    let offers: Vec<Bar> = view
        .offers
        .iter()
        .map(|used| Bar::new(&*used.title, used.year.uses, format!("{} 次", figure(used.year.uses))))
        .collect();
    vec![
        ("每月使用次数", chart::columns("c-months", "每月使用次数", &months)),
        ("各优惠项目使用次数", chart::bars("c-offers", "各优惠项目使用次数", &offers)),
    ]
}

struct DeviceRow {
    line: DeviceLine,
    enrolled: String,
    seen: String,
    revoked: String,
}

#[derive(Template)]
#[template(path = "console/oversight/partner.html")]
struct One {
    shell: Shell,
    row: Row,
    contact: String,
    offers: Vec<OfferLine>,
    devices: Vec<DeviceRow>,
    uses: Vec<UseRow>,
    charts: Vec<(&'static str, Svg)>,
    findings: Vec<FindingLine>,
    counted: String,
    year: i16,
    years: Vec<i16>,
    keeps: bool,
    ended: bool,
}

impl One {
    /// Address of this page.
    fn place(&self) -> String {
        format!("{}/partners/{}", self.shell.base, self.row.line.id)
    }
}

pub(super) async fn one(
    signed: Signed,
    Path(partner): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let view = desk.partner(partner, asked.year.parse().ok()).await?;
    let today = beijing_date(desk.office().now());
    let devices = view.detail.device_list.iter().map(|line| DeviceRow {
        enrolled: moment_of(&line.enrolled_at),
        seen: line.last_seen_at.as_deref().map_or_else(|| "从未".into(), moment_of),
        revoked: line.revoked_at.as_deref().map_or(String::new(), moment_of),
        line: line.clone(),
    });
    let page = One {
        contact: view.detail.contact.clone().unwrap_or_default(),
        devices: devices.collect(),
        uses: use_rows(&view),
        charts: use_charts(&view),
        counted: counted(&view.counted),
        year: view.of,
        years: (today.year() - 4..=today.year()).rev().collect(),
        keeps: keeps(&desk),
        ended: view.detail.partner.state == "ended",
        findings: view.findings,
        offers: view.detail.offer_list,
        row: row(view.detail.partner, today),
        shell,
    };
    render(&page)
}

pub(super) async fn export_use(
    signed: Signed,
    Path(partner): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let view = signed.desk.partner(partner, asked.year.parse().ok()).await?;
    use_workbook(&signed.desk, &view)
}

/// A workbook of a partner's uses by offer and month.
pub(super) fn use_workbook(desk: &Desk, view: &PartnerView) -> Result<Response, PageError> {
    let today = beijing_date(desk.office().now());
    let offers: Vec<PartnerYear> = view.offers.iter().map(|used| used.year.clone()).collect();
    let name = &view.detail.partner.name;
    let title = format!("{name} {} 年优惠使用（数据时间 {}）", view.of, counted(&view.counted));
    let bytes = use_table(&title, "优惠项目", &offers, today)?;
    Ok(workbook(&format!("{name}-优惠使用-{}.xlsx", view.of), bytes))
}

/// What the form of a new partner holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewForm {
    name: String,
    kind: String,
    contact: String,
    number: String,
    from: String,
    to: String,
}

#[derive(Template)]
#[template(path = "console/oversight/partner_new.html")]
struct New {
    shell: Shell,
    form: NewForm,
    errors: Errors,
}

/// Messages at their fields.
#[derive(Debug, Default)]
pub(super) struct Errors(pub Vec<FieldError>);

impl Errors {
    /// What stands below a field; empty for nothing.
    pub fn at(&self, field: &str) -> &str {
        self.0.iter().find(|error| error.field == field).map_or("", |error| &error.message)
    }

    pub fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(FieldError { field, message: message.into() });
    }

    /// A day, if one is written; complains if it is none, or missing and needed.
    pub fn day(&mut self, field: &'static str, text: &str, needed: bool) -> Option<Date> {
        match (text.trim(), text.trim().parse()) {
            ("", _) if needed => self.add(field, "请填写日期，如 2026-01-01"),
            ("", _) => {}
            (_, Ok(day)) => return Some(day),
            (_, Err(_)) => self.add(field, "日期应写作 2026-01-01"),
        }
        None
    }
}

pub(super) async fn new(signed: Signed) -> Result<Response, PageError> {
    let today = beijing_date(signed.desk.office().now());
    let form = NewForm { from: today.to_string(), ..NewForm::default() };
    render(&New { shell: signed.shell, form, errors: Errors::default() })
}

pub(super) async fn add(signed: Signed, ConsoleForm(form): ConsoleForm<NewForm>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let mut errors = Errors::default();
    let (from, to) = (errors.day("from", &form.from, true), errors.day("to", &form.to, true));
    if let (Some(from), Some(to)) = (from, to) {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let draft = PartnerDraft {
            name: form.name.clone(),
            kind: given(&form.kind),
            contact: given(&form.contact),
            agreement_number: form.number.clone(),
            from,
            to,
        };
        match desk.add_partner(draft).await {
            Ok(line) => {
                let said = format!("已登记合作单位“{}”。下一步：添加优惠项目，再生成设备登记链接", line.name);
                return Ok(done(&shell, &format!("/partners/{}", line.id), said));
            }
            Err(DeskError::Invalid(wrong)) => errors.0.extend(wrong),
            Err(other) => return Err(other.into()),
        }
    }
    render_as(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &New { shell, form, errors })
}

/// What the forms of renewing and ending hold. `seen` is the last day that the form showed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AgreementForm {
    number: String,
    to: String,
    on: String,
    reason: String,
    seen: String,
}

#[derive(Template)]
#[template(path = "console/oversight/partner_agreement.html")]
struct Agreement {
    shell: Shell,
    row: Row,
    form: AgreementForm,
    errors: Errors,
    conflict: String,
    ending: bool,
}

pub(super) async fn renew_form(signed: Signed, Path(partner): Path<i64>) -> Result<Response, PageError> {
    agreement(signed, partner, false, None, Errors::default(), String::new()).await
}

pub(super) async fn end_form(signed: Signed, Path(partner): Path<i64>) -> Result<Response, PageError> {
    agreement(signed, partner, true, None, Errors::default(), String::new()).await
}

pub(super) async fn renew(
    signed: Signed,
    Path(partner): Path<i64>,
    ConsoleForm(form): ConsoleForm<AgreementForm>,
) -> Result<Response, PageError> {
    let mut errors = Errors::default();
    let Some(to) = errors.day("to", &form.to, true) else {
        return agreement(signed, partner, false, Some(form), errors, String::new()).await;
    };
    match signed.desk.renew_partner(partner, &form.number, to, &form.seen).await {
        Ok(line) => {
            let said = format!("已续签：“{}”的协议到 {} 为止", line.name, line.agreement_to);
            Ok(done(&signed.shell, &format!("/partners/{partner}"), said))
        }
        Err(error) => again(signed, partner, false, form, error).await,
    }
}

pub(super) async fn end(
    signed: Signed,
    Path(partner): Path<i64>,
    ConsoleForm(form): ConsoleForm<AgreementForm>,
) -> Result<Response, PageError> {
    let mut errors = Errors::default();
    let on = errors.day("on", &form.on, false);
    if !errors.0.is_empty() {
        return agreement(signed, partner, true, Some(form), errors, String::new()).await;
    }
    match signed.desk.end_partner(partner, on, &form.reason, &form.seen).await {
        Ok(line) => {
            let day = line.ended_from.unwrap_or(line.agreement_to);
            let said = format!("“{}”的协议自 {day} 起终止", line.name);
            Ok(done(&signed.shell, &format!("/partners/{partner}"), said))
        }
        Err(error) => again(signed, partner, true, form, error).await,
    }
}

/// The form again, with what was typed and why it was refused.
async fn again(
    signed: Signed,
    partner: i64,
    ending: bool,
    form: AgreementForm,
    error: DeskError,
) -> Result<Response, PageError> {
    match error {
        DeskError::Invalid(wrong) => agreement(signed, partner, ending, Some(form), Errors(wrong), String::new()).await,
        conflict @ DeskError::Conflict { .. } => {
            agreement(signed, partner, ending, Some(form), Errors::default(), conflict.to_string()).await
        }
        other => Err(other.into()),
    }
}

async fn agreement(
    signed: Signed,
    partner: i64,
    ending: bool,
    form: Option<AgreementForm>,
    errors: Errors,
    conflict: String,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let line = desk.partner(partner, None).await?.detail.partner;
    if line.ended_from.is_some() || (ending && line.state == "ended") {
        let day = line.ended_from.unwrap_or(line.agreement_to);
        return Err(DeskError::Refused(format!("“{}”的协议已于 {day} 终止，不能再续签或终止", line.name)).into());
    }
    let today = beijing_date(desk.office().now());
    let fresh = form.is_none();
    let mut form = form.unwrap_or_else(|| AgreementForm { on: today.to_string(), ..AgreementForm::default() });
    form.seen = line.ended_from.unwrap_or(line.agreement_to).to_string();
    let page = Agreement { row: row(line, today), form, ending, shell, errors, conflict };
    let status = match (fresh, page.conflict.is_empty()) {
        (true, _) => axum::http::StatusCode::OK,
        (false, true) => axum::http::StatusCode::UNPROCESSABLE_ENTITY,
        (false, false) => axum::http::StatusCode::CONFLICT,
    };
    render_as(status, &page)
}

/// A page that says what a step will do, before it is done.
#[derive(Template)]
#[template(path = "console/oversight/confirm.html")]
struct Confirm {
    shell: Shell,
    title: String,
    effects: Vec<String>,
    action: String,
    button: &'static str,
    back: String,
}

pub(super) async fn revoke_form(
    signed: Signed,
    Path((partner, device)): Path<(i64, i64)>,
) -> Result<Response, PageError> {
    let view = signed.desk.partner(partner, None).await?;
    let line = view.detail.device_list.iter().find(|line| line.id == device).ok_or(DeskError::NotFound)?;
    let confirm = Confirm {
        title: format!("停用“{}”的设备“{}”", view.detail.partner.name, line.name),
        effects: vec![
            "这台设备不能再更新数据，也不能再上报使用，立即生效。".into(),
            "它手上的旧数据到期以前，断网时仍可能显示“可用”。请同时收回或清空设备。".into(),
            "停用后不能恢复；要再用，请重新生成登记链接。".into(),
        ],
        action: format!("/partners/{partner}/devices/{device}/revoke"),
        button: "停用这台设备",
        back: format!("/partners/{partner}"),
        shell: signed.shell,
    };
    render(&confirm)
}

pub(super) async fn revoke(signed: Signed, Path((partner, device)): Path<(i64, i64)>) -> Result<Response, PageError> {
    signed.desk.revoke_partner_device(partner, device).await?;
    Ok(done(&signed.shell, &format!("/partners/{partner}"), "设备已停用"))
}

#[derive(Template)]
#[template(path = "console/oversight/offer.html")]
pub(super) struct OfferPage {
    pub shell: Shell,
    pub offer: OfferLine,
    pub lines: Vec<String>,
    pub back: String,
    pub back_label: String,
    pub ended: String,
    pub keeps: bool,
}

pub(super) async fn offer(signed: Signed, Path((partner, offer)): Path<(i64, i64)>) -> Result<Response, PageError> {
    let offer = signed.desk.offer(partner, offer).await?;
    let page = OfferPage {
        lines: super::offer_form::as_shown(&offer),
        back: format!("/partners/{partner}"),
        back_label: offer.partner_name.clone(),
        ended: offer.ended_at.as_deref().map_or(String::new(), moment_of),
        keeps: keeps(&signed.desk),
        offer,
        shell: signed.shell,
    };
    render(&page)
}

pub(super) async fn end_offer_form(
    signed: Signed,
    Path((partner, offer)): Path<(i64, i64)>,
) -> Result<Response, PageError> {
    let offer = signed.desk.offer(partner, offer).await?;
    let confirm = Confirm {
        title: format!("终止“{}”的优惠项目“{}”", offer.partner_name, offer.title),
        effects: vec![
            "下一次数据包起，合作单位的设备不再显示这个项目；断网的设备要联网后才会更新。".into(),
            "已经发生的使用记录保留，统计不变。".into(),
            "终止后不能恢复；要再提供，请新增一个优惠项目。".into(),
        ],
        action: format!("/partners/{partner}/offers/{}/end", offer.id),
        button: "终止这个优惠项目",
        back: format!("/partners/{partner}"),
        shell: signed.shell,
    };
    render(&confirm)
}

pub(super) async fn end_offer(signed: Signed, Path((partner, offer)): Path<(i64, i64)>) -> Result<Response, PageError> {
    let to = format!("/partners/{partner}");
    match signed.desk.end_offer(partner, offer).await {
        Ok(line) => Ok(done(&signed.shell, &to, format!("优惠项目“{}”已终止", line.title))),
        Err(DeskError::Refused(why)) => Ok(failed(&signed.shell, &to, why)),
        Err(other) => Err(other.into()),
    }
}
