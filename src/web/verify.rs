//! Judging a code online.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use zyz_http::json::Json;
use zyz_http::problem::Problem;
use zyz_http::schema;
use zyz_http::wire::VerifyRequest;

use super::access::Caller;
use super::{Shared, error};

/// Judges the text of a code. Every code is judged, good or bad: problems are for what is no request. With a partner's token
/// the verdict holds that partner's offers.
#[utoipa::path(
    post,
    path = "/v1/verify",
    operation_id = "verify",
    summary = "Judge a code",
    tag = "checking",
    request_body = VerifyRequest,
    responses((status = 200, description = "The verdict", body = schema::Verdict))
)]
pub(super) async fn verify(
    State(web): State<Shared>,
    caller: Option<Caller>,
    Json(request): Json<VerifyRequest>,
) -> Result<Response, Problem> {
    let partner = caller.map(|Caller(device)| device.partner);
    let verdict = web.federation.verify(&request.code, partner).await.map_err(error::bundle)?;
    web.metrics.judged(&verdict);
    Ok(axum::Json(verdict).into_response())
}
