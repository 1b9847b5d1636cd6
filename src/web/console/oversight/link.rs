//! The enrolment link of a partner's device: made, shown once with its code, never kept.

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;

use super::partners::Errors;
use super::words::moment_of;
use crate::render::qr;
use crate::service::desk::DeskError;
use crate::service::enrol::{EnrolmentLink, LINK_DAYS};
use crate::web::console::chart::Svg;
use crate::web::console::error::PageError;
use crate::web::console::form::ConsoleForm;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, render, render_as};

/// What the form of an enrolment link holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct LinkForm {
    device: String,
    days: String,
}

#[derive(Template)]
#[template(path = "console/oversight/partner_link.html")]
struct Link {
    shell: Shell,
    partner: i64,
    name: String,
    form: LinkForm,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/oversight/partner_handover.html")]
struct Handover {
    shell: Shell,
    link: EnrolmentLink,
    expires: String,
    qr: Svg,
}

pub(super) async fn form(signed: Signed, Path(partner): Path<i64>) -> Result<Response, PageError> {
    let form = LinkForm { device: String::new(), days: LINK_DAYS.to_string() };
    let name = signed.desk.partner(partner, None).await?.detail.partner.name;
    render(&Link { shell: signed.shell, partner, name, form, errors: Errors::default() })
}

/// Makes the link and shows it, this once: nothing keeps it, and a reload asks before making another.
pub(super) async fn make(
    signed: Signed,
    Path(partner): Path<i64>,
    ConsoleForm(form): ConsoleForm<LinkForm>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let days = form.days.trim().parse().unwrap_or(0);
    match desk.enrolment_link(partner, &form.device, days).await {
        Ok(link) => {
            let qr = qr_svg(&link.link)?;
            let expires = moment_of(&link.expires_at);
            let mut page = render(&Handover { shell, link, expires, qr })?;
            page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(page)
        }
        Err(DeskError::Invalid(wrong)) => {
            let name = desk.partner(partner, None).await?.detail.partner.name;
            let page = Link { shell, partner, name, form, errors: Errors(wrong) };
            render_as(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other.into()),
    }
}

/// The code of a text as SVG, black on white with its quiet zone.
fn qr_svg(text: &str) -> Result<Svg, PageError> {
    use std::fmt::Write;
    let matrix = qr::matrix(text).map_err(|error| DeskError::Refused(error.to_string()))?;
    let (size, zone) = (matrix.size(), qr::QUIET_ZONE);
    let side = size + 2 * zone;
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let length = (x..size).take_while(|x| matrix.dark(*x, y)).count();
            if length > 0 {
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + zone, y + zone);
            }
            x += length.max(1);
        }
    }
    Ok(Svg::drawn(format!(
        r##"<svg class="qr" role="img" aria-label="设备登记二维码" viewBox="0 0 {side} {side}" xmlns="http://www.w3.org/2000/svg" shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>"##
    )))
}
