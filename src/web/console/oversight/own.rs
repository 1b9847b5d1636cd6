//! A partner's own pages: its agreement, its offers, their use.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;

use super::offer_form::as_shown;
use super::partners::{Asked, OfferPage, UseRow, use_charts, use_rows, use_workbook};
use super::words::{counted, moment_of};
use crate::clock::beijing_date;
use crate::service::offers::OfferLine;
use crate::service::partners::PartnerLine;
use crate::web::console::chart::Svg;
use crate::web::console::error::PageError;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, render};

struct DeviceRow {
    name: String,
    seen: String,
    revoked: bool,
}

#[derive(Template)]
#[template(path = "console/oversight/own.html")]
struct Own {
    shell: Shell,
    line: PartnerLine,
    offers: Vec<(OfferLine, Vec<String>)>,
    devices: Vec<DeviceRow>,
    uses: Vec<UseRow>,
    charts: Vec<(&'static str, Svg)>,
    counted: String,
    year: i16,
    years: Vec<i16>,
}

impl Own {
    /// Address of this page.
    fn place(&self) -> String {
        format!("{}/offers", self.shell.base)
    }
}

pub(super) async fn page(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let view = signed.desk.own_partner(asked.year.parse().ok()).await?;
    let this_year = beijing_date(signed.desk.office().now()).year();
    let offers = view.detail.offer_list.iter().filter(|offer| offer.ended_at.is_none());
    let devices = view.detail.device_list.iter().map(|line| DeviceRow {
        name: line.name.clone(),
        seen: line.last_seen_at.as_deref().map_or_else(|| "从未".into(), moment_of),
        revoked: line.revoked_at.is_some(),
    });
    let page = Own {
        offers: offers.map(|offer| (offer.clone(), as_shown(offer))).collect(),
        devices: devices.collect(),
        uses: use_rows(&view),
        charts: use_charts(&view),
        counted: counted(&view.counted),
        year: view.of,
        years: (this_year - 4..=this_year).rev().collect(),
        line: view.detail.partner,
        shell: signed.shell,
    };
    render(&page)
}

pub(super) async fn export(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let view = signed.desk.own_partner(asked.year.parse().ok()).await?;
    use_workbook(&signed.desk, &view)
}

pub(super) async fn offer(signed: Signed, Path(offer): Path<i64>) -> Result<Response, PageError> {
    let offer = signed.desk.own_offer(offer).await?;
    let page = OfferPage {
        lines: as_shown(&offer),
        back: "/offers".into(),
        back_label: "我的优惠".into(),
        ended: offer.ended_at.as_deref().map_or(String::new(), moment_of),
        keeps: false,
        offer,
        shell: signed.shell,
    };
    render(&page)
}
