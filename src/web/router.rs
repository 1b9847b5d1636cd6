//! The whole table of routes: method, address, who may call, handler.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use zyz_http::layers::{Settings, wrap};
use zyz_http::page::{self, Mode, PageOptions};

use super::{Shared, access, base, bundle, console, enrolment, federation, health, lookup, openapi};
use super::{redemption, status_list, verify};

/// Who may call a route. Held by `access` before the handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without counting: health checks.
    Probe,
    /// Anybody, so many requests a client address.
    Anybody,
    /// Anybody, few tries a client address: a one-time code is in the body.
    OneTimeCode,
    /// Anybody; a token, where one is sent, must be good and makes it the partner's answer.
    AnybodyOrPartner,
    /// A partner's device while the agreement holds.
    Partner,
    /// A partner's device, also after the agreement's end: what was given must be recorded.
    PartnerEvenEnded,
    /// The operator: a peer on this machine, or the metrics token.
    Operator,
}

/// One route.
pub struct Route {
    /// The method, in capitals. `HEAD` comes with `GET`.
    pub method: &'static str,
    /// The address; parameters stand in braces.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    handler: fn() -> MethodRouter<Shared>,
}

/// Every route but the page's.
pub const ROUTES: &[Route] = &[
    row("GET", "/v1/federation", Access::Anybody, || get(federation::about)),
    row("GET", "/v1/trust-list", Access::Anybody, || get(federation::trust_list)),
    row("GET", "/v1/bundle", Access::Anybody, || get(bundle::public)),
    row("GET", "/v1/partner/bundle", Access::Partner, || get(bundle::partner)),
    row("GET", "/v1/partner", Access::Partner, || get(enrolment::partner)),
    row("GET", "/status-lists/{kid}", Access::Anybody, || get(status_list::token)),
    row("POST", "/v1/verify", Access::AnybodyOrPartner, || post(verify::verify)),
    row("POST", "/v1/lookup", Access::Partner, || post(lookup::lookup)),
    row("POST", "/v1/enrolments", Access::OneTimeCode, || post(enrolment::enrol)),
    row("POST", "/v1/redemptions", Access::PartnerEvenEnded, || post(redemption::redeem)),
    row("GET", "/healthz", Access::Probe, || get(health::alive)),
    row("GET", "/readyz", Access::Probe, || get(health::ready)),
    row("GET", "/metrics", Access::Operator, || get(health::metrics)),
    row("GET", "/openapi.json", Access::Anybody, || get(openapi::document)),
];

const fn row(method: &'static str, path: &'static str, access: Access, handler: fn() -> MethodRouter<Shared>) -> Route {
    Route { method, path, access, handler }
}

/// The finished router with everything around it. Served with the peer's address
/// (`into_make_service_with_connect_info::<SocketAddr>()`): the limits need it.
pub fn router(web: Shared) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let guarded = (route.handler)().layer(from_fn_with_state((web.clone(), route.access), access::admit));
        router = router.route(route.path, guarded);
    }
    let bounds = web.bounds;
    let settings = Settings {
        body: bounds.body,
        concurrency: bounds.concurrency,
        patience: bounds.patience,
        hsts: bounds.hsts,
        ..Settings::new(web.metrics.clone())
    };
    let page = page::router(PageOptions { mode: Mode::Federation });
    let base = web.base.clone();
    let console = console::router(&web, &settings);
    base::below(base, wrap(router.with_state(web).merge(page), settings).merge(console))
}
