//! Who is at the screen: runs before every handler of the console.
//!
//! A request that changes something must come from the console's own pages: `Sec-Fetch-Site`, which every present browser
//! sends, must say so, and where it is missing `Origin` must be this host. The cookie is `SameSite=Strict` besides.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{Explained, PageError};
use super::page::{self, Shell};
use super::routes::Need;
use crate::service::desk::{Desk, SessionToken};
use crate::web::Shared;

/// The session's cookie. `__Host-` binds it to this host, HTTPS and the root path.
pub(super) const SESSION_COOKIE: &str = "__Host-zyz";

/// Content-Security-Policy of every page: nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
     connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'";

/// A signed-in caller, with the frame of the page that answers. Handlers take it as their first argument.
#[derive(Clone)]
pub struct Signed {
    /// What they may do it with.
    pub desk: Desk,
    /// Navigation, name, message of the last step.
    pub shell: Shell,
}

/// Lets a request through to its handler, sends whoever is not signed in to the sign-in page, or refuses.
pub(super) async fn admit(State((web, need)): State<(Shared, Need)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let partial = parts.headers.contains_key("hx-request");
    let flash = page::flash(&parts.headers);
    let had_flash = flash.is_some();
    let answer = match sign(&web, need, &parts).await {
        Err(refusal) => refused(&web, None, refusal, &parts),
        Ok(None) => next.run(Request::from_parts(parts, body)).await,
        Ok(Some(desk)) => {
            let shell = Shell::new(&web, Some(&desk), parts.uri.path(), flash);
            parts.extensions.insert(Signed { desk, shell: shell.clone() });
            let mut answer = next.run(Request::from_parts(parts, body)).await;
            match answer.extensions_mut().remove::<Explained>() {
                Some(explained) => page::explain(shell, explained, partial),
                None => answer,
            }
        }
    };
    finish(answer, had_flash && !partial)
}

/// Whoever is not signed in and would send a file: the file is not read, `admit` answers.
pub(super) async fn empty_strangers(State(web): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let known = matches!(desk(&web, &parts.headers).await, Ok(Some(_)));
    let body = if known { body } else { Body::empty() };
    let mut request = Request::from_parts(parts, body);
    if !known {
        request.headers_mut().remove(header::CONTENT_LENGTH);
    }
    next.run(request).await
}

enum Refusal {
    SignInFirst,
    CrossSite,
    Page(PageError),
}

async fn sign(web: &Shared, need: Need, parts: &Parts) -> Result<Option<Desk>, Refusal> {
    if parts.method != Method::GET && parts.method != Method::HEAD && !same_origin(&parts.headers) {
        return Err(Refusal::CrossSite);
    }
    let permission = match need {
        Need::Nothing => return Ok(None),
        Need::May(permission) => permission,
    };
    let desk = desk(web, &parts.headers).await.map_err(Refusal::Page)?.ok_or(Refusal::SignInFirst)?;
    desk.need(permission).map_err(|error| Refusal::Page(error.into()))?;
    Ok(Some(desk))
}

/// The desk of the session whose cookie came along.
pub(super) async fn desk(web: &Shared, headers: &HeaderMap) -> Result<Option<Desk>, PageError> {
    let Some(token) = page::cookie(headers, SESSION_COOKIE).and_then(SessionToken::parse) else { return Ok(None) };
    Ok(web.federation.desk(&token).await?)
}

/// Whether a changing request comes from a page of this host (W3C Fetch Metadata; RFC 6454).
fn same_origin(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    match (origin, host) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host)),
        _ => false,
    }
}

fn refused(web: &Shared, desk: Option<&Desk>, refusal: Refusal, parts: &Parts) -> Response {
    let partial = parts.headers.contains_key("hx-request");
    let explained = match refusal {
        Refusal::SignInFirst => return page::to_sign_in(web, parts, partial),
        Refusal::CrossSite => Explained {
            status: StatusCode::FORBIDDEN,
            title: "请求来自别的网站，已拒绝".into(),
            detail: "请在本系统的页面上操作。若您正是这样做的，请刷新页面后再试。".into(),
        },
        Refusal::Page(error) => {
            let mut answer = error.into_response();
            match answer.extensions_mut().remove::<Explained>() {
                Some(explained) => explained,
                None => return answer,
            }
        }
    };
    page::explain(Shell::new(web, desk, parts.uri.path(), None), explained, partial)
}

/// Headers of every answer of the console; a message that was shown is forgotten.
fn finish(mut answer: Response, shown: bool) -> Response {
    let html = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    if html && shown {
        headers.append(header::SET_COOKIE, page::forget(page::FLASH_COOKIE));
    }
    answer
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a page that needs somebody signed in stands in the table as one that does not");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        })
    }
}
