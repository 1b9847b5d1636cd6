//! Asking for a typed number.

use axum::extract::State;
use axum::http::StatusCode;
use zyz_credential::CertificateNumber;
use zyz_http::json::Json;
use zyz_http::problem::Problem;
use zyz_http::wire::{LookupRequest, LookupResult};

use super::access::Caller;
use super::{Shared, error};

/// How the newest card of a typed number stands. Nobody's card has been seen: the holder must be asked for it.
#[utoipa::path(
    post,
    path = "/v1/lookup",
    operation_id = "lookup",
    summary = "Look up a typed number",
    tag = "checking",
    request_body = LookupRequest,
    responses(
        (status = 200, description = "What is known of the number", body = LookupResult),
        (status = 404, description = "`bad_number`: there can be no such number, its check digit does not hold", body = Problem,
         content_type = "application/problem+json"),
    )
)]
pub(super) async fn lookup(
    State(web): State<Shared>,
    _caller: Caller,
    Json(request): Json<LookupRequest>,
) -> Result<axum::Json<LookupResult>, Problem> {
    let number = CertificateNumber::parse(&request.number).map_err(|_| {
        Problem::new(StatusCode::NOT_FOUND, "bad_number", "这不是证书编号")
            .detail("应为十位数字，末位为校验位，如 02 0001234 9。请核对是否输错一位")
    })?;
    Ok(axum::Json(web.federation.lookup(number).await.map_err(error::service)?))
}
