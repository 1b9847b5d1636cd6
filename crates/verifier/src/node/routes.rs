//! The node's routes: the whole table is [`router`].

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use utoipa::OpenApi;
use uuid::Uuid;
use zyz_credential::{Ineligible, Verdict};
use zyz_http::json::Json;
use zyz_http::layers::{self, Settings, internal};
use zyz_http::metrics::reason_word;
use zyz_http::page::{self, Mode, PageOptions};
use zyz_http::problem::Problem;
use zyz_http::schema;
use zyz_http::wire::{FederationInfo, PartnerInfo, VerifyRequest};

use super::guard::{Access, guard};
use super::health::Trouble;
use super::wire::{
    BundleStatus, ClockStatus, History, HistoryEntry, HistoryQuery, NodeVerdict, NodeVerdictSchema, NotGiven,
    NotGivenSchema, QueueStatus, Redeemed, RedemptionRequest, RefusedUse, ReversedUse, Status, SyncStatus,
};
use super::{Given, Node, RedeemError};
use crate::clock::timestamp;
use crate::ledger::{LedgerError, Reversed, Use};
use crate::report::ineligible;

/// Longest `Idempotency-Key`, characters.
const MAX_KEY_CHARS: usize = 64;

/// Everything that the node answers, with the page, bounded and counted.
pub fn router(node: Arc<Node>, access: Access) -> Router {
    let metrics = node.measures.common.clone();
    let api = Router::new()
        .route("/v1/federation", get(federation))
        .route("/v1/verify", post(verify))
        .route("/v1/redemptions", get(history).post(redeem))
        .route("/v1/redemptions/{id}/reversal", post(reverse))
        .route("/v1/status", get(status))
        .route("/v1/sync", post(sync))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(counted))
        .route("/openapi.json", get(document))
        .with_state(node);
    let all = api.merge(page::router(PageOptions { mode: Mode::Node }));
    let all = all.fallback(layers::not_found).layer(from_fn_with_state(Arc::new(access), guard));
    layers::wrap(all, Settings::new(metrics))
}

/// The OpenAPI document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "zyz-verify",
        description = "A partner's node: judges volunteer service cards without a network, keeps the offers given. \
                       Every refusal is problem+json (RFC 9457). Only programs on the same machine may ask, unless \
                       the node has an API key; then each request under /v1 carries `Authorization: Bearer KEY`.",
    ),
    paths(federation, verify, redeem, reverse, history, status, sync, healthz, readyz, counted),
    components(schemas(
        Problem,
        NodeVerdictSchema,
        NotGivenSchema,
        Redeemed,
        ReversedUse,
        History,
        HistoryEntry,
        Status,
        Trouble,
        PartnerInfo,
        BundleStatus,
        SyncStatus,
        QueueStatus,
        RefusedUse,
        ClockStatus,
        schema::Verdict,
    ))
)]
struct Document;

/// Who issues the cards, as last heard.
#[utoipa::path(get, path = "/v1/federation", responses(
    (status = 200, description = "The federation", body = FederationInfo),
    (status = 401, description = "`api_key`", body = Problem, content_type = "application/problem+json"),
    (status = 421, description = "`wrong_host`", body = Problem, content_type = "application/problem+json"),
))]
async fn federation(State(node): State<Arc<Node>>) -> Response {
    json(StatusCode::OK, &node.federation_known())
}

/// Judges a code. Every code gets a verdict; a refusal is about the request.
#[utoipa::path(post, path = "/v1/verify", request_body = VerifyRequest, responses(
    (status = 200, description = "The verdict, with this partner's offers and limits counted", body = NodeVerdictSchema),
    (status = 400, description = "`not_json`, `too_deep`, `incomplete_body`", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "`api_key`", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "`cross_origin`", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "`too_large`", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
    (status = 421, description = "`wrong_host`", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "`missing_field`, `unknown_field`, `wrong_value`, `too_long`", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "`overloaded`", body = Problem, content_type = "application/problem+json"),
))]
async fn verify(State(node): State<Arc<Node>>, Json(request): Json<VerifyRequest>) -> Response {
    let verdict = node.verify(&request.code).await;
    json(StatusCode::OK, &NodeVerdict { verdict, problems: node.health.lasting().to_vec() })
}

/// Gives an offer. The same key and content again get the same answer.
#[utoipa::path(post, path = "/v1/redemptions", request_body = RedemptionRequest,
    params(("Idempotency-Key" = String, Header, description = "Made anew for each gift: a UUID, or 1 to 64 printable ASCII characters", min_length = 1, max_length = 64, pattern = "^[!-~]{1,64}$")),
    responses(
    (status = 201, description = "Given, and durably kept", body = Redeemed),
    (status = 200, description = "Given before under this key", body = Redeemed),
    (status = 400, description = "`not_json`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "`api_key`", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "`cross_origin`", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Not given. `code` is the verdict's reason, the word why not eligible, or `unknown_offer`", body = NotGivenSchema, content_type = "application/problem+json"),
    (status = 413, description = "`too_large`", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
    (status = 421, description = "`wrong_host`", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "`idempotency_key_reused`, `missing_field`, `unknown_field`, `wrong_value`, `too_long`", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "`overloaded`", body = Problem, content_type = "application/problem+json"),
    (status = 507, description = "`storage_full`: not given", body = Problem, content_type = "application/problem+json"),
))]
async fn redeem(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    Json(request): Json<RedemptionRequest>,
) -> Result<Response, Response> {
    let key = idempotency_key(&headers).map_err(Problem::into_response)?;
    // In a task of its own: a client that goes away does not leave half of it behind.
    let task = tokio::spawn(async move { node.redeem(&key, &request.code, &request.offer).await });
    match finished(task.await).map_err(Problem::into_response)? {
        Ok(Given::New(given)) => Ok(json(StatusCode::CREATED, &redeemed(given))),
        Ok(Given::Before(given)) => Ok(json(StatusCode::OK, &redeemed(given))),
        Err(error) => Err(not_given(error)),
    }
}

/// Takes an offer back, as for a mistake. Again gets the same answer.
#[utoipa::path(post, path = "/v1/redemptions/{id}/reversal",
    params(("id" = Uuid, Path, description = "The use")),
    responses(
    (status = 200, description = "Taken back", body = ReversedUse),
    (status = 401, description = "`api_key`", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "`cross_origin`", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "`unknown_redemption`", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "`too_large`", body = Problem, content_type = "application/problem+json"),
    (status = 421, description = "`wrong_host`", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "`overloaded`", body = Problem, content_type = "application/problem+json"),
    (status = 507, description = "`storage_full`: not taken back", body = Problem, content_type = "application/problem+json"),
))]
async fn reverse(State(node): State<Arc<Node>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let unknown = || {
        Problem::new(StatusCode::NOT_FOUND, "unknown_redemption", "没有这条优惠记录").detail("请在记录里核对后再撤销")
    };
    let id: Uuid = id.parse().map_err(|_| unknown())?;
    let task = tokio::spawn(async move { node.reverse(id).await });
    match finished(task.await)?.map_err(|error| storage(&error))? {
        Reversed::At(at) => Ok(json(StatusCode::OK, &ReversedUse { id, reversed_at: timestamp(at) })),
        Reversed::Unknown => Err(unknown()),
    }
}

/// The newest uses first, of the last 90 days.
#[utoipa::path(get, path = "/v1/redemptions", params(HistoryQuery), responses(
    (status = 200, description = "The history", body = History),
    (status = 400, description = "`wrong_query`", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "`api_key`", body = Problem, content_type = "application/problem+json"),
    (status = 421, description = "`wrong_host`", body = Problem, content_type = "application/problem+json"),
))]
async fn history(
    State(node): State<Arc<Node>>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let wrong = || Problem::new(StatusCode::BAD_REQUEST, "wrong_query", "limit 应为 1 到 500 的整数");
    let Query(HistoryQuery { limit }) = query.map_err(|_| wrong())?;
    if !(1..=500).contains(&limit) {
        return Err(wrong());
    }
    let uses = node.history(limit).await.map_err(|error| storage(&error))?;
    Ok(json(StatusCode::OK, &History { redemptions: uses.into_iter().map(entry).collect() }))
}

/// How the node is.
#[utoipa::path(get, path = "/v1/status", responses(
    (status = 200, description = "Versions, ages, last sync, queue, what is wrong", body = Status),
    (status = 401, description = "`api_key`", body = Problem, content_type = "application/problem+json"),
    (status = 421, description = "`wrong_host`", body = Problem, content_type = "application/problem+json"),
))]
async fn status(State(node): State<Arc<Node>>) -> Response {
    json(StatusCode::OK, &node.status().await)
}

/// Asks for a round of syncing now; how it went is in the status.
#[utoipa::path(post, path = "/v1/sync", responses(
    (status = 202, description = "Asked for"),
    (status = 401, description = "`api_key`", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "`cross_origin`", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "`too_large`", body = Problem, content_type = "application/problem+json"),
    (status = 421, description = "`wrong_host`", body = Problem, content_type = "application/problem+json"),
))]
async fn sync(State(node): State<Arc<Node>>) -> StatusCode {
    node.sync_soon();
    StatusCode::ACCEPTED
}

/// Whether the program lives.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It does", body = schema::Health)))]
async fn healthz() -> Response {
    json(StatusCode::OK, &schema::Health { ok: true, checks: Vec::new() })
}

/// Whether it can judge: not before the first bundle.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 200, description = "It can", body = schema::Health),
    (status = 503, description = "It has no data yet", body = schema::Health),
))]
async fn readyz(State(node): State<Arc<Node>>) -> Response {
    let trouble = node.readiness();
    let ok = trouble.is_none();
    let says = trouble.map_or_else(|| "有数据，可以核验".to_owned(), |trouble| trouble.message);
    let code = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(code, &schema::Health { ok, checks: vec![schema::HealthCheck { name: "data", ok, says }] })
}

/// Counters and gauges, OpenMetrics.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"),
    (status = 401, description = "`api_key`", body = Problem, content_type = "application/problem+json"),
))]
async fn counted(State(node): State<Arc<Node>>) -> Response {
    node.measures.common.response()
}

async fn document() -> Response {
    json(StatusCode::OK, &openapi())
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            internal().into_response()
        }
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let bad = |code, title: &str| {
        Problem::new(StatusCode::BAD_REQUEST, code, title)
            .detail("请求头 Idempotency-Key 每次给予优惠时新取一个 UUID，重试时不变")
    };
    let mut keys = headers.get_all("idempotency-key").iter();
    let key = keys.next().ok_or_else(|| bad("idempotency_key_missing", "缺少请求头 Idempotency-Key"))?;
    let key = key.to_str().ok().filter(|key| (1..=MAX_KEY_CHARS).contains(&key.len()) && keys.next().is_none());
    let key = key.filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
    key.map(str::to_owned).ok_or_else(|| bad("idempotency_key_invalid", "请求头 Idempotency-Key 不合格"))
}

fn finished<T>(result: Result<T, tokio::task::JoinError>) -> Result<T, Problem> {
    result.map_err(|error| {
        tracing::error!(%error, "a task died");
        internal()
    })
}

fn not_given(error: RedeemError) -> Response {
    let conflict = |code, title: String, verdict: Box<Verdict>| {
        let problem = Problem::new(StatusCode::CONFLICT, code, title);
        let mut response = json(StatusCode::CONFLICT, &NotGiven { problem, verdict });
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    };
    match error {
        RedeemError::Rejected(verdict) => {
            conflict(reason_word(verdict.reason), verdict.message.clone().into_owned(), verdict)
        }
        RedeemError::UnknownOffer(verdict) => {
            conflict("unknown_offer", "现在没有这个优惠项目，可能已经结束。请刷新后重选".into(), verdict)
        }
        RedeemError::Ineligible { reason, min_star, verdict } => {
            let words = format!("未给予优惠：{}", ineligible(reason, min_star));
            conflict(word(reason), words, verdict)
        }
        RedeemError::KeyReused => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "这个 Idempotency-Key 已用于另一次优惠",
        )
        .detail("每次给予优惠请新取一个 UUID")
        .into_response(),
        RedeemError::Ledger(error) => storage(&error).into_response(),
    }
}

fn storage(error: &LedgerError) -> Problem {
    match error {
        LedgerError::Full => {
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", "磁盘已满，没有记录，优惠未生效")
                .detail("请清理磁盘空间后重试；核验不受影响")
        }
        other => {
            tracing::error!(error = ?other, "the record failed");
            internal()
        }
    }
}

fn word(reason: Ineligible) -> &'static str {
    match reason {
        Ineligible::StarTooLow => "star_too_low",
        Ineligible::NotYet => "not_yet",
        Ineligible::Over => "over",
        Ineligible::NotToday => "not_today",
        Ineligible::NotInHours => "not_in_hours",
        Ineligible::StatusTooOld => "status_too_old",
        Ineligible::UsedToday => "used_today",
        Ineligible::UsedThisMonth => "used_this_month",
        Ineligible::UsedUp => "used_up",
    }
}

fn redeemed(given: Use) -> Redeemed {
    Redeemed {
        id: given.id,
        offer: given.offer,
        title: given.title,
        number: given.number,
        holder: given.holder,
        redeemed_at: timestamp(given.redeemed_at),
    }
}

fn entry(given: Use) -> HistoryEntry {
    HistoryEntry {
        reversed_at: given.reversed_at.map(timestamp),
        sent: given.sent,
        refused: given.refused,
        standing: given.standing.clone(),
        redeemed: redeemed(given),
    }
}
