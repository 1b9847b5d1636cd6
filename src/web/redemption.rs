//! What partners gave, as their devices report it.

use axum::extract::State;
use zyz_http::json::Json;
use zyz_http::problem::Problem;
use zyz_http::wire::{BatchResult, RedemptionBatch};

use super::access::Caller;
use super::{Shared, error};

/// Takes a batch of uses and reversals, all of it or nothing. Sending a batch again changes nothing. Devices of a partner
/// whose agreement ended may still send.
#[utoipa::path(
    post,
    path = "/v1/redemptions",
    operation_id = "redeem",
    summary = "Report offers given and taken back",
    tag = "partners",
    request_body = RedemptionBatch,
    responses((status = 200, description = "What became of each entry, in the batch's order", body = BatchResult))
)]
pub(super) async fn redeem(
    State(web): State<Shared>,
    Caller(device): Caller,
    Json(batch): Json<RedemptionBatch>,
) -> Result<axum::Json<BatchResult>, Problem> {
    Ok(axum::Json(web.federation.redeem(&device, &batch).await.map_err(error::redeem)?))
}
