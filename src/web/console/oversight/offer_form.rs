//! The form of an offer, with a preview of what a cashier will see.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use zyz_credential::{OfferLimits, Weekdays};

use super::partners::Errors;
use crate::domain::offer::{kind_label, parse_hours, parse_kind, weekdays_label};
use crate::service::desk::DeskError;
use crate::service::offers::{OfferDraft, OfferLine};
use crate::web::console::error::PageError;
use crate::web::console::form::ConsoleForm;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, done, render_as};

/// What the form holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    kind: String,
    title: String,
    terms: String,
    min_star: String,
    from: String,
    to: String,
    weekday: Vec<String>,
    hours: String,
    per_day: String,
    per_month: String,
    in_all: String,
    identity_check: String,
    max_age: String,
    step: String,
}

#[derive(Template)]
#[template(path = "console/oversight/offer_new.html")]
struct Page {
    shell: Shell,
    partner: i64,
    name: String,
    agreement: String,
    form: Form,
    errors: Errors,
    kinds: [(&'static str, &'static str); 3],
    stars: [(&'static str, &'static str); 6],
    days: Vec<(&'static str, &'static str, bool)>,
    preview: Vec<String>,
    what: String,
}

const KINDS: [(&str, &str); 3] = [("discount", "优惠"), ("priority", "优先"), ("free", "免费")];
const STARS: [(&str, &str); 6] = [
    ("0", "所有志愿者"),
    ("1", "一星级以上"),
    ("2", "二星级以上"),
    ("3", "三星级以上"),
    ("4", "四星级以上"),
    ("5", "五星级"),
];
const DAYS: [(&str, &str); 7] =
    [("0", "周一"), ("1", "周二"), ("2", "周三"), ("3", "周四"), ("4", "周五"), ("5", "周六"), ("6", "周日")];

pub(super) async fn new(signed: Signed, Path(partner): Path<i64>) -> Result<Response, PageError> {
    let form = Form {
        kind: "discount".into(),
        weekday: DAYS.iter().map(|(day, _)| (*day).to_owned()).collect(),
        ..Form::default()
    };
    page(signed, partner, form, Errors::default(), None, StatusCode::OK).await
}

/// Shows the preview, or adds the offer that was previewed.
pub(super) async fn add(
    signed: Signed,
    Path(partner): Path<i64>,
    ConsoleForm(form): ConsoleForm<Form>,
) -> Result<Response, PageError> {
    let draft = match read(&form) {
        Ok(draft) => draft,
        Err(errors) => return page(signed, partner, form, errors, None, StatusCode::UNPROCESSABLE_ENTITY).await,
    };
    if form.step != "add" {
        return page(signed, partner, form, Errors::default(), Some(&draft), StatusCode::OK).await;
    }
    match signed.desk.add_offer(partner, draft).await {
        Ok(line) => {
            let said = format!("已新增优惠项目“{}”，下一次数据包起对设备生效", line.title);
            Ok(done(&signed.shell, &format!("/partners/{partner}"), said))
        }
        Err(DeskError::Invalid(wrong)) => {
            page(signed, partner, form, Errors(wrong), None, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(other) => Err(other.into()),
    }
}

async fn page(
    signed: Signed,
    partner: i64,
    form: Form,
    errors: Errors,
    preview: Option<&OfferDraft>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let line = signed.desk.partner(partner, None).await?.detail.partner;
    if line.state == "ended" {
        return Err(DeskError::Refused(format!("“{}”的协议已终止，不能再增加优惠项目", line.name)).into());
    }
    let days = DAYS.iter().map(|(day, label)| (*day, *label, form.weekday.iter().any(|chosen| chosen == day)));
    let page = Page {
        partner,
        agreement: format!("{} 至 {}", line.agreement_from, line.agreement_to),
        name: line.name,
        kinds: KINDS,
        stars: STARS,
        days: days.collect(),
        preview: preview.map_or(Vec::new(), draft_as_shown),
        what: preview.map_or(String::new(), |draft| format!("{}：{}", kind_label(draft.kind), draft.title.trim())),
        form,
        errors,
        shell: signed.shell,
    };
    render_as(status, &page)
}

/// The offer that the form describes, or what is wrong with its fields.
fn read(form: &Form) -> Result<OfferDraft, Errors> {
    let mut errors = Errors::default();
    let kind = parse_kind(&form.kind).map_err(|error| errors.add("kind", error.to_string())).ok();
    let title = form.title.trim();
    if title.is_empty() {
        errors.add("title", "请填写标题，如 体检费八折");
    }
    let (from, to) = (errors.day("from", &form.from, false), errors.day("to", &form.to, false));
    let bits = form.weekday.iter().filter_map(|day| day.parse::<u8>().ok()).filter(|day| *day < 7);
    let weekdays = Weekdays::from_bits(bits.fold(0, |bits, day| bits | 1 << day));
    let weekdays = weekdays.map_err(|_| errors.add("weekday", "至少选一天")).ok();
    let hours = match form.hours.trim() {
        "" => Vec::new(),
        text => parse_hours(text).map_err(|error| errors.add("hours", error.to_string())).unwrap_or_default(),
    };
    let mut number = |field: &'static str, text: &str| -> Option<u32> {
        match text.trim() {
            "" => None,
            text => match text.parse() {
                Ok(number) if (1..=10_000).contains(&number) => Some(number),
                _ => {
                    errors.add(field, "应为 1 到 10000 的整数；不限就留空");
                    None
                }
            },
        }
    };
    let limits = OfferLimits {
        per_day: number("per_day", &form.per_day),
        per_month: number("per_month", &form.per_month),
        in_all: number("in_all", &form.in_all),
    };
    let max_status_age = number("max_age", &form.max_age).map(|hours| u64::from(hours) * 3600);
    let (Some(kind), Some(weekdays), true) = (kind, weekdays, errors.0.is_empty()) else { return Err(errors) };
    Ok(OfferDraft {
        kind,
        title: title.to_owned(),
        terms: form.terms.clone(),
        min_star: form.min_star.parse().ok().filter(|star| *star <= 5).unwrap_or(0),
        from,
        to,
        weekdays,
        hours,
        limits,
        identity_check: form.identity_check == "yes",
        max_status_age,
    })
}

/// What a cashier is told of an offer, a line a rule.
pub(super) fn as_shown(offer: &OfferLine) -> Vec<String> {
    rules(&Rules {
        terms: &offer.terms,
        min_star: offer.min_star,
        days: &offer.weekdays_label,
        hours: &offer.hours,
        from: offer.from.map(|day| day.to_string()),
        to: offer.to.map(|day| day.to_string()),
        limits: [offer.per_day, offer.per_month, offer.in_all],
        identity_check: offer.identity_check,
        max_status_age: offer.max_status_age,
    })
}

fn draft_as_shown(draft: &OfferDraft) -> Vec<String> {
    rules(&Rules {
        terms: draft.terms.trim(),
        min_star: draft.min_star,
        days: &weekdays_label(draft.weekdays),
        hours: &crate::domain::offer::hours_text(&draft.hours),
        from: draft.from.map(|day| day.to_string()),
        to: draft.to.map(|day| day.to_string()),
        limits: [draft.limits.per_day, draft.limits.per_month, draft.limits.in_all],
        identity_check: draft.identity_check,
        max_status_age: draft.max_status_age,
    })
}

struct Rules<'a> {
    terms: &'a str,
    min_star: u8,
    days: &'a str,
    hours: &'a str,
    from: Option<String>,
    to: Option<String>,
    limits: [Option<u32>; 3],
    identity_check: bool,
    max_status_age: Option<u64>,
}

fn rules(of: &Rules<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if !of.terms.is_empty() {
        lines.push(of.terms.to_owned());
    }
    lines.push(STARS.get(usize::from(of.min_star)).map_or(String::new(), |(_, label)| format!("适用：{label}")));
    let hours =
        if of.hours.is_empty() { "全天".to_owned() } else { of.hours.replace('-', " 至 ").replace(',', "，") };
    lines.push(format!("时间：{}，{hours}", of.days));
    lines.push(match (&of.from, &of.to) {
        (None, None) => "有效期：与协议相同".to_owned(),
        (from, to) => {
            format!("有效期：{} 至 {}", from.as_deref().unwrap_or("协议开始"), to.as_deref().unwrap_or("协议截止"))
        }
    });
    let names = ["每人每天", "每人每月", "每人总共"];
    let limits: Vec<_> = names
        .iter()
        .zip(of.limits)
        .filter_map(|(name, limit)| limit.map(|limit| format!("{name} {limit} 次")))
        .collect();
    lines.push(if limits.is_empty() { "次数：不限".into() } else { format!("次数：{}", limits.join("，")) });
    if of.identity_check {
        lines.push("须核对持证人的身份证件".into());
    }
    if let Some(seconds) = of.max_status_age {
        lines.push(format!("设备的数据时间超过 {} 小时就不能给", seconds / 3600));
    }
    lines
}
