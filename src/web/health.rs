//! For whoever runs the server: is it alive, may it be given work, what has it done.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use zyz_http::schema::{Health, HealthCheck};

use super::Shared;
use crate::service::bundles::Audience;

/// The process is alive. Looks at nothing else, so that a database that is away does not get it killed.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "alive",
    summary = "Whether the process is alive",
    tag = "operation",
    responses((status = 200, description = "It is", body = Health))
)]
pub(super) async fn alive() -> axum::Json<Health> {
    axum::Json(Health { ok: true, checks: Vec::new() })
}

/// Whether the server may be given work: the database answers, the trust list holds, the signing keys are open, the public
/// bundle is younger than its life.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    summary = "Whether the server may be given work",
    tag = "operation",
    responses(
        (status = 200, description = "It may", body = Health),
        (status = 503, description = "It may not; the checks say why", body = Health),
    )
)]
pub(super) async fn ready(State(web): State<Shared>) -> (StatusCode, axum::Json<Health>) {
    let federation = &web.federation;
    let now = federation.now();
    let mut checks = Vec::new();
    let mut check = |name, outcome: Result<String, &str>| {
        let ok = outcome.is_ok();
        checks.push(HealthCheck { name, ok, says: outcome.unwrap_or_else(str::to_owned) });
    };
    // What exactly failed is in the log; strangers read this.
    let logged = |what: &'static str, error: &dyn std::error::Error| tracing::warn!(what, %error, "not ready");

    check(
        "database",
        federation.state_seq().await.map(|_| "正常".into()).map_err(|error| {
            logged("database", &error);
            "数据库没有应答，请检查数据库服务"
        }),
    );
    check(
        "trust_list",
        match federation.trust_list().await {
            Ok(list) if list.expires_at > now => Ok(format!("第 {} 版，有效至 {}", list.version, list.expires_at)),
            Ok(_) => Err("信任列表已过期，请运行 zyz key renew"),
            Err(error) => {
                logged("trust_list", &error);
                Err("读不到信任列表，请查看日志")
            }
        },
    );
    check(
        "signing_keys",
        federation.unlock_signing().await.map(|()| "已打开".into()).map_err(|error| {
            logged("signing_keys", &error);
            "签名密钥打不开，请运行 zyz doctor"
        }),
    );
    check(
        "bundle",
        match federation.bundle_for(Audience::Public).await {
            Ok(bundle) if bundle.expires_at > now => Ok(format!("第 {} 版，签于 {}", bundle.version, bundle.issued_at)),
            Ok(_) => Err("数据包已过期，请查看日志"),
            Err(error) => {
                logged("bundle", &error);
                Err("数据包签不出来，请查看日志")
            }
        },
    );
    let ok = checks.iter().all(|check| check.ok);
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Health { ok, checks }))
}

/// Counters and durations as OpenMetrics text. Answers peers on this machine, and others with the metrics token.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    summary = "Measurements for Prometheus",
    tag = "operation",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"))
)]
pub(super) async fn metrics(State(web): State<Shared>) -> Response {
    web.metrics.response()
}
