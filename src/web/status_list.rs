//! Token Status Lists, in the form the client asks for.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use zyz_credential::KeyId;
use zyz_http::conditional::Cacheable;
use zyz_http::problem::Problem;

use super::negotiate::{Offered, choose};
use super::{Shared, error};
use crate::service::bundles::TokenForm;

const JWT: &str = "application/statuslist+jwt";
const CWT: &str = "application/statuslist+cwt";

/// What may be asked for; the first is sent to whoever takes anything.
const FORMS: [Offered<TokenForm>; 2] =
    [Offered { media_type: JWT, value: TokenForm::Jwt }, Offered { media_type: CWT, value: TokenForm::Cwt }];

/// The status list of an issuing key as a signed token of the IETF's Token Status List.
#[utoipa::path(
    get,
    path = "/status-lists/{kid}",
    operation_id = "statusList",
    summary = "Status list token of an issuing key",
    tag = "published",
    params(
        ("kid" = String, Path, description = "Key id, eight hexadecimal digits", example = "1a2b3c4d", pattern = "^[0-9a-f]{8}$"),
        ("If-None-Match" = Option<String>, Header, description = "ETags of copies at hand"),
    ),
    responses(
        (status = 200, description = "Signed status list token", headers(
            ("ETag" = String, description = "Strong; hash of the body"),
            ("Cache-Control" = String, description = "`max-age` at most the token's `ttl`"),
        ), content((String = "application/statuslist+jwt"), (Vec<u8> = "application/statuslist+cwt"))),
        (status = 304, description = "A copy at hand is the newest"),
        (status = 404, description = "`unknown_list`: no such issuing key", body = Problem, content_type = "application/problem+json"),
        (status = 406, description = "`not_acceptable`: neither form is accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn token(
    State(web): State<Shared>,
    Path(kid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(form) = choose(&headers, &FORMS) else {
        let mut response = Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", "没有请求头 Accept 所要的格式")
            .detail(format!("可用：{JWT}、{CWT}"))
            .into_response();
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        return Ok(response);
    };
    let kid = key_id(&kid).ok_or_else(unknown_list)?;
    let token = web.federation.status_list(kid, form.value).await.map_err(error::service)?.ok_or_else(unknown_list)?;
    let left = token.expires_at.as_second() - web.federation.now().as_second();
    let fresh = u64::try_from(left).unwrap_or(0).min(token.ttl);
    let cache = format!("public, max-age={fresh}");
    let answer = Cacheable::tagged(token.body.clone(), &token.etag, form.media_type, &cache);
    let mut response = answer.for_everybody().answer(&headers);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

fn key_id(text: &str) -> Option<KeyId> {
    let mut bytes = [0; 4];
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(KeyId(bytes))
}

fn unknown_list() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_list", "没有这个状态列表")
        .detail("请核对密钥编号；作废密钥的列表不再公布")
}
