//! Who is calling, how often, and whether the route is for them. Runs before every handler of the table.

use std::net::{IpAddr, SocketAddr};
use std::sync::Once;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use zyz_http::limit::client_key;
use zyz_http::problem::Problem;

use super::router::Access;
use super::{MetricsToken, Shared, error};
use crate::service::enrol::{AuthenticateError, DeviceToken, PartnerDevice};

/// The partner's device that is calling: given to handlers by [`admit`].
#[derive(Debug, Clone)]
pub(super) struct Caller(pub PartnerDevice);

/// Lets a request through to its handler, or refuses it.
pub(super) async fn admit(
    State((web, access)): State<(Shared, Access)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let client = client(&web, &parts);
    let device = match access {
        Access::Probe => None,
        Access::Anybody => {
            web.anonymous.check(&client_key(client))?;
            None
        }
        Access::OneTimeCode => {
            web.enrolment.check(&client_key(client))?;
            None
        }
        Access::AnybodyOrPartner if !parts.headers.contains_key(header::AUTHORIZATION) => {
            web.anonymous.check(&client_key(client))?;
            None
        }
        Access::AnybodyOrPartner | Access::Partner => Some(device(&web, &parts, client, false).await?),
        Access::PartnerEvenEnded => Some(device(&web, &parts, client, true).await?),
        Access::Operator => {
            operator(&web, &parts, client)?;
            None
        }
    };
    if let Some(device) = device {
        parts.extensions.insert(Caller(device));
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The device whose token this is, within its rate.
async fn device(web: &Shared, parts: &Parts, client: IpAddr, even_ended: bool) -> Result<PartnerDevice, Problem> {
    // Refused callers count against their address, so that guessing costs the database little.
    let refused = |problem: Problem| match web.anonymous.check(&client_key(client)) {
        Ok(()) => problem,
        Err(too_many) => too_many,
    };
    let text = bearer(&parts.headers).map_err(refused)?;
    let token: DeviceToken = text.parse().map_err(|_| refused(malformed()))?;
    let found = match web.federation.authenticate_for_uses(&token).await {
        Ok(device) if device.agreement_ended && !even_ended => Err(AuthenticateError::Ended),
        other => other,
    };
    let device = found.map_err(|error| refused(error::authenticate(error)))?;
    web.device.check(&device.device)?;
    Ok(device)
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "token_missing", "缺少令牌")
            .detail("请在请求头写 Authorization: Bearer 令牌；令牌由登记链接换得")
    })?;
    if values.next().is_some() {
        return Err(malformed());
    }
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(malformed()) }
}

fn malformed() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "token_malformed", "令牌格式不对")
        .detail("应为 Authorization: Bearer zyzp_…，请核对是否完整")
}

/// A peer on this machine that speaks for itself, or whoever has the token.
fn operator(web: &Shared, parts: &Parts, client: IpAddr) -> Result<(), Problem> {
    let forwarded = ["x-forwarded-for", "forwarded"].iter().any(|name| parts.headers.contains_key(*name));
    if client.is_loopback() && !forwarded {
        return Ok(());
    }
    let given = bearer(&parts.headers).map(MetricsToken::new);
    match (&web.metrics_token, given) {
        // Compared as SHA-256: how long it takes says nothing of the token.
        (Some(expected), Ok(given)) if given == *expected => Ok(()),
        (Some(_), Ok(_)) => Err(Problem::new(StatusCode::UNAUTHORIZED, "token_unknown", "令牌无效")),
        (Some(_), Err(problem)) => Err(problem),
        (None, _) => Err(Problem::new(StatusCode::FORBIDDEN, "local_only", "运行指标只供本机读取")
            .detail("从别处读取须以 --metrics-token-file 启动服务")),
    }
}

/// The client's address. Without the peer's (a router called in process) it counts as this machine.
pub(super) fn client(web: &Shared, parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let peer = peer.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    if peer.ip().is_loopback() && web.trusted.0.is_empty() && parts.headers.contains_key("x-forwarded-for") {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            tracing::warn!("a reverse proxy on this machine is not trusted: all its clients share one rate (--trusted-proxy loopback)");
        });
    }
    web.trusted.client(peer, &parts.headers)
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a route that needs a partner stands in the table as one that does not");
            zyz_http::layers::internal().into_response()
        })
    }
}

impl<S: Send + Sync> axum::extract::OptionalFromRequestParts<S> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
