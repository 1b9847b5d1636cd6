//! The verdict for people at a counter: the word first, then why and what to do, then what to look at.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::Offset;
use zyz_credential::{Certificate, Ineligible, Offer, OfferKind, OfferVerdict, Outcome, StatusAge, Verdict};

/// Whether colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With the terminal's colours (ANSI).
    Colour,
}

/// The whole report, several lines.
pub fn human(verdict: &Verdict, style: Style) -> String {
    let mut out = String::new();
    headline(&mut out, verdict.verdict, style);
    paragraph(&mut out, &verdict.message);
    out.push('\n');
    if let Some(certificate) = &verdict.certificate {
        card(&mut out, certificate);
    }
    if let Some(check) = verdict.holder_check {
        line(&mut out, "请核对", check.trim_start_matches("请核对"));
    }
    for offer in verdict.offers.iter().flatten() {
        line(&mut out, kind(offer.offer.kind), &offer_text(offer));
    }
    if let Some(status) = &verdict.status {
        line(&mut out, "数据时间", &data_time(status));
    }
    out
}

fn headline(out: &mut String, outcome: Outcome, style: Style) {
    let (words, colour) = match outcome {
        Outcome::Accept => ("✓  可 用", "1;97;42"),
        Outcome::Caution => ("!  请 核 实", "1;30;43"),
        Outcome::Reject => ("✕  不 可 用", "1;97;41"),
    };
    let rule = "━".repeat(HEADLINE_WIDTH);
    let _ = match style {
        Style::Plain => writeln!(out, "{rule}\n   {words}\n{rule}"),
        Style::Colour => {
            let padding = HEADLINE_WIDTH - 3 - columns(words);
            let band = format!("\x1b[{colour}m{:HEADLINE_WIDTH$}\x1b[0m", "");
            writeln!(out, "{band}\n\x1b[{colour}m   {words}{:padding$}\x1b[0m\n{band}", "")
        }
    };
}

/// How wide a terminal shows `text`: Han characters take two columns.
fn columns(text: &str) -> usize {
    text.chars().map(|character| if ('\u{4e00}'..='\u{9fff}').contains(&character) { 2 } else { 1 }).sum()
}

fn paragraph(out: &mut String, message: &str) {
    // One sentence a line: what is so, then what to do.
    for sentence in message.split_inclusive('。') {
        let _ = writeln!(out, "{sentence}");
    }
}

fn card(out: &mut String, certificate: &Certificate) {
    let star = usize::from(certificate.star.min(5));
    let stars = format!("{}{} {}", "★".repeat(star), "☆".repeat(5 - star), STARS[star]);
    line(out, "星级", &stars);
    if let Some(holder) = &certificate.holder {
        line(out, "持证人", &holder.to_string());
    }
    line(out, "证书编号", &certificate.number.grouped());
    line(out, "有效期至", &beijing(certificate.expires_at, "%Y-%m-%d"));
}

fn offer_text(offer: &OfferVerdict) -> String {
    let mut text = offer.offer.title.clone();
    if let Err(reason) = offer.eligibility {
        let _ = write!(text, "（不适用：{}）", ineligible(reason, offer.offer.min_star));
    } else if let conditions = conditions(&offer.offer)
        && !conditions.is_empty()
    {
        let _ = write!(text, "（{}）", conditions.join("，"));
    }
    if !offer.offer.terms.is_empty() {
        let terms = offer.offer.terms.replace(char::is_control, " ");
        let _ = write!(text, "。{terms}");
    }
    text
}

/// What to look at before giving it. `zyz-verify check` keeps no ledger, so the limits are shown.
fn conditions(offer: &Offer) -> Vec<String> {
    let limits = [("每天", offer.limits.per_day), ("每月", offer.limits.per_month), ("总共", offer.limits.in_all)];
    let limits = limits.iter().filter_map(|(span, most)| most.map(|most| format!("{span}限 {most} 次")));
    let identity = offer.identity_check.then(|| "须查看身份证件".to_owned());
    identity.into_iter().chain(limits).collect()
}

fn kind(kind: OfferKind) -> &'static str {
    match kind {
        OfferKind::Priority => "优先",
        OfferKind::Discount => "优惠",
        OfferKind::Free => "免费",
    }
}

pub(crate) fn ineligible(reason: Ineligible, min_star: u8) -> String {
    match reason {
        Ineligible::StarTooLow => format!("须{}及以上", STARS[usize::from(min_star.min(5))]),
        Ineligible::NotYet => "还没有开始".into(),
        Ineligible::Over => "已经结束".into(),
        Ineligible::NotToday => "今天不适用".into(),
        Ineligible::NotInHours => "不在适用时段".into(),
        Ineligible::StatusTooOld => "本机数据过旧，请先同步".into(),
        Ineligible::UsedToday => "今日已享受".into(),
        Ineligible::UsedThisMonth => "本月已享受".into(),
        Ineligible::UsedUp => "次数已用完".into(),
    }
}

fn data_time(status: &StatusAge) -> String {
    let as_of = beijing(status.as_of, "%Y-%m-%d %H:%M");
    format!("{}（{as_of}，第 {} 版）", age(status.age_seconds), status.bundle_version)
}

/// An age in words, in its largest unit, rounded down.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => "刚刚".into(),
        60..3600 => format!("{} 分钟前", seconds / 60),
        3600..86_400 => format!("{} 小时前", seconds / 3600),
        _ => format!("{} 天前", seconds / 86_400),
    }
}

fn beijing(at: u64, format: &str) -> String {
    let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_second(at).ok()).unwrap_or(Timestamp::MAX);
    Offset::constant(8).to_datetime(at).strftime(format).to_string()
}

/// A label of four columns of Han characters, then the text.
fn line(out: &mut String, label: &str, text: &str) {
    let padding = 10_usize.saturating_sub(columns(label));
    let _ = writeln!(out, "{label}{:padding$}{text}", "");
}

const HEADLINE_WIDTH: usize = 24;

const STARS: [&str; 6] = ["注册志愿者", "一星级志愿者", "二星级志愿者", "三星级志愿者", "四星级志愿者", "五星级志愿者"];
