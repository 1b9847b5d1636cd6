//! How a partner's device comes to its token, and what it may know of itself.

use axum::extract::State;
use axum::http::StatusCode;
use zyz_http::json::Json;
use zyz_http::problem::Problem;
use zyz_http::wire::{Enrolment, EnrolmentRequest, PartnerInfo};

use super::access::Caller;
use super::{Shared, error};
use crate::domain::partner::DeviceName;
use crate::service::enrol::OneTimeCode;

/// A device for the one-time code of an enrolment link. The token is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/v1/enrolments",
    operation_id = "enrol",
    summary = "Enrol a device",
    tag = "partners",
    request_body = EnrolmentRequest,
    responses(
        (status = 201, description = "The device and its token", body = Enrolment),
        (status = 403, description = "`code_unknown`, `agreement_ended`", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "`code_used`, `code_expired`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn enrol(
    State(web): State<Shared>,
    Json(request): Json<EnrolmentRequest>,
) -> Result<(StatusCode, axum::Json<Enrolment>), Problem> {
    let code: OneTimeCode = request.code.trim().parse().map_err(|_| error::unknown_code())?;
    let name: DeviceName = request.device.parse().map_err(|words: crate::domain::partner::DeviceNameError| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_device_name", words.to_string())
    })?;
    let enrolment = web.federation.enrol(&code, &name).await.map_err(error::enrol)?;
    tracing::info!(device = enrolment.device_id, partner = enrolment.partner.id, "a device was enrolled");
    Ok((StatusCode::CREATED, axum::Json(enrolment)))
}

/// The calling partner, as it may know itself.
#[utoipa::path(
    get,
    path = "/v1/partner",
    operation_id = "partner",
    summary = "The calling partner",
    tag = "partners",
    responses((status = 200, description = "Id and name", body = PartnerInfo))
)]
pub(super) async fn partner(Caller(device): Caller) -> axum::Json<PartnerInfo> {
    axum::Json(device.partner_info())
}
