//! `zyz offer …`.

use clap::{Args, Subcommand};
use jiff::civil::Date;
use zyz_credential::{HourWindow, OfferKind, OfferLimits, Weekdays};

use super::Out;
use crate::app::{App, AppError};
use crate::domain::offer::{OfferId, OfferTextError, parse_hours, parse_kind, parse_weekdays};
use crate::domain::partner::PartnerId;
use crate::service::offers::{OfferDraft, OfferLine};

/// What can be done with offers.
#[derive(Debug, Subcommand)]
pub enum OfferCommand {
    /// Add an offer to a partner
    Add(AddArgs),
    /// List offers
    List {
        /// Only this partner's
        #[arg(long, value_name = "ID")]
        partner: Option<PartnerId>,
        /// Also those that were ended
        #[arg(long)]
        all: bool,
    },
    /// End an offer; it leaves the next bundle
    End {
        /// Offer
        id: OfferId,
    },
}

/// Arguments of `zyz offer add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Partner
    partner: PartnerId,
    /// 优先, 优惠 or 免费 (priority, discount, free)
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: OfferKind,
    /// Title for people, up to 80 characters
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// Terms for people, up to 1,000 characters
    #[arg(long, value_name = "TEXT", default_value = "")]
    terms: String,
    /// Least star, 0 to 5
    #[arg(long, value_name = "STARS", default_value_t = 0)]
    min_star: u8,
    /// First day, Beijing time [default: with the agreement]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<Date>,
    /// Last day, Beijing time [default: with the agreement]
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<Date>,
    /// Days of the week: mon-fri, 1-5, 周一至周五 [default: every day]
    #[arg(long, value_name = "DAYS", value_parser = parse_weekdays)]
    weekdays: Option<Weekdays>,
    /// Hours, Beijing time: 09:00-12:00,14:00-18:00 [default: the whole day]
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    hours: Option<Hours>,
    /// Uses a holder and day [default: without limit]
    #[arg(long, value_name = "N")]
    per_day: Option<u32>,
    /// Uses a holder and month [default: without limit]
    #[arg(long, value_name = "N")]
    per_month: Option<u32>,
    /// Uses a holder in all [default: without limit]
    #[arg(long, value_name = "N")]
    in_all: Option<u32>,
    /// Ask for an identity document
    #[arg(long)]
    identity_check: bool,
    /// Oldest status data on which it is still given, hours [default: any]
    #[arg(long, value_name = "HOURS")]
    max_status_hours: Option<u32>,
}

/// Parts of a day; a type of its own, as clap takes a list for repeated arguments.
#[derive(Debug, Clone)]
struct Hours(Vec<HourWindow>);

fn hours(text: &str) -> Result<Hours, OfferTextError> {
    parse_hours(text).map(Hours)
}

/// Runs an offer command.
pub async fn run(app: &App, command: OfferCommand, out: Out) -> Result<(), AppError> {
    let federation = app.federation().await?;
    match command {
        OfferCommand::Add(args) => {
            let draft = OfferDraft {
                kind: args.kind,
                title: args.title,
                terms: args.terms,
                min_star: args.min_star,
                from: args.from,
                to: args.to,
                weekdays: args.weekdays.unwrap_or(Weekdays::ALL),
                hours: args.hours.map_or_else(Vec::new, |hours| hours.0),
                limits: OfferLimits { per_day: args.per_day, per_month: args.per_month, in_all: args.in_all },
                identity_check: args.identity_check,
                max_status_age: args.max_status_hours.map(|hours| u64::from(hours) * 3600),
            };
            let offer = federation.add_offer(args.partner, draft).await?;
            out.result(&offer, |out| {
                out.line(format!(
                    "已登记优惠项目 {}：{} · {}，{}。",
                    offer.id,
                    offer.partner_name,
                    offer.title,
                    conditions(&offer)
                ));
                out.line("合作单位的设备下次同步后看到它。");
            });
        }
        OfferCommand::List { partner, all } => {
            let offers = federation.offers(partner, all).await?;
            out.result(&offers, |out| offer_rows(out, &offers));
        }
        OfferCommand::End { id } => {
            let offer = federation.end_offer(id).await?;
            out.result(&offer, |out| {
                out.line(format!(
                    "优惠项目 {}“{}”（{}）已终止，随下一个数据包失效。",
                    offer.id, offer.title, offer.partner_name
                ));
            });
        }
    }
    Ok(())
}

/// A table of offers.
pub fn offer_rows(out: &Out, offers: &[OfferLine]) {
    if offers.is_empty() {
        out.line("没有优惠项目。登记：zyz offer add 合作单位编号 --kind 优惠 --title 标题");
        return;
    }
    let rows: Vec<_> = offers
        .iter()
        .map(|offer| {
            vec![
                offer.id.to_string(),
                offer.partner_name.clone(),
                offer.kind_label.to_owned(),
                offer.title.clone(),
                conditions(offer),
                offer.ended_at.as_ref().map_or("在用", |_| "已终止").to_owned(),
            ]
        })
        .collect();
    out.table(&["编号", "合作单位", "类别", "标题", "条件", "状态"], &rows);
}

/// What an offer asks for, in words.
fn conditions(offer: &OfferLine) -> String {
    let mut parts = Vec::new();
    if offer.min_star > 0 {
        parts.push(format!("{}及以上", crate::domain::star::label(offer.min_star)));
    }
    match (offer.from, offer.to) {
        (None, None) => {}
        (Some(from), None) => parts.push(format!("{from} 起")),
        (None, Some(to)) => parts.push(format!("到 {to}")),
        (Some(from), Some(to)) => parts.push(format!("{from} 至 {to}")),
    }
    parts.push(offer.weekdays_label.clone());
    if !offer.hours.is_empty() {
        parts.push(offer.hours.clone());
    }
    for (limit, period) in [(offer.per_day, "每天"), (offer.per_month, "每月"), (offer.in_all, "共")] {
        if let Some(limit) = limit {
            parts.push(format!("每人{period} {limit} 次"));
        }
    }
    if offer.identity_check {
        parts.push("核对身份证件".into());
    }
    if let Some(seconds) = offer.max_status_age {
        parts.push(format!("数据不超过 {} 小时", seconds / 3600));
    }
    parts.join("，")
}
