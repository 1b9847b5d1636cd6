//! Who this is, and whose signatures to believe.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use zyz_http::conditional::Cacheable;
use zyz_http::problem::Problem;
use zyz_http::wire::FederationInfo;

use super::{Shared, error};

/// Who the federation is. The root key here is for showing: what a verifier believes is the one of its enrolment link.
#[utoipa::path(
    get,
    path = "/v1/federation",
    operation_id = "federation",
    summary = "Who the federation is",
    tag = "published",
    responses((status = 200, description = "Name, root public key, telephone", body = FederationInfo))
)]
pub(super) async fn about(State(web): State<Shared>) -> axum::Json<FederationInfo> {
    axum::Json(web.about.clone())
}

/// The list of issuing and bundle keys, signed by the root key (COSE_Sign1).
#[utoipa::path(
    get,
    path = "/v1/trust-list",
    operation_id = "trustList",
    summary = "Newest trust list",
    tag = "published",
    params(("If-None-Match" = Option<String>, Header, description = "ETags of copies at hand")),
    responses(
        (status = 200, description = "Signed trust list", body = Vec<u8>, content_type = "application/cose",
         headers(("ETag" = String, description = "Strong; hash of the body"))),
        (status = 304, description = "A copy at hand is the newest"),
    )
)]
pub(super) async fn trust_list(State(web): State<Shared>, headers: HeaderMap) -> Result<Response, Problem> {
    let list = web.federation.trust_list().await.map_err(error::service)?;
    let answer = Cacheable::tagged(list.body.clone(), &list.etag, super::bundle::COSE, "public, max-age=300");
    Ok(answer.for_everybody().answer(&headers))
}
