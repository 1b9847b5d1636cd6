//! Bundles: what a verifier needs to judge cards without a network.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use zyz_http::conditional::Cacheable;
use zyz_http::problem::Problem;

use super::access::Caller;
use super::{Shared, error};
use crate::service::bundles::Audience;

/// Media type of trust lists and bundles (RFC 9052 §10.1).
pub(super) const COSE: &str = "application/cose";

/// The public bundle: trust list and status sets, no offers. Signed anew when anything changed, and before it is an hour old.
#[utoipa::path(
    get,
    path = "/v1/bundle",
    operation_id = "bundle",
    summary = "Newest public bundle",
    tag = "published",
    params(("If-None-Match" = Option<String>, Header, description = "ETags of copies at hand")),
    responses(
        (status = 200, description = "Signed bundle", body = Vec<u8>, content_type = "application/cose",
         headers(("ETag" = String, description = "Strong; hash of the body"))),
        (status = 304, description = "A copy at hand is the newest"),
    )
)]
pub(super) async fn public(State(web): State<Shared>, headers: HeaderMap) -> Result<Response, Problem> {
    let bundle = web.federation.bundle_for(Audience::Public).await.map_err(error::bundle)?;
    let answer = Cacheable::tagged(bundle.body.clone(), &bundle.etag, COSE, "public, no-cache");
    Ok(answer.for_everybody().answer(&headers))
}

/// The calling partner's bundle: the same facts and its own offers.
#[utoipa::path(
    get,
    path = "/v1/partner/bundle",
    operation_id = "partnerBundle",
    summary = "Newest bundle of the calling partner",
    tag = "partners",
    params(("If-None-Match" = Option<String>, Header, description = "ETags of copies at hand")),
    responses(
        (status = 200, description = "Signed bundle with this partner's offers", body = Vec<u8>,
         content_type = "application/cose", headers(("ETag" = String, description = "Strong; hash of the body"))),
        (status = 304, description = "A copy at hand is the newest"),
    )
)]
pub(super) async fn partner(
    State(web): State<Shared>,
    Caller(device): Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let bundle = web.federation.bundle_for(Audience::Partner(device.partner)).await.map_err(error::bundle)?;
    Ok(Cacheable::tagged(bundle.body.clone(), &bundle.etag, COSE, "private, no-cache").answer(&headers))
}
