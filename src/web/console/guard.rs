//! Who is at the screen: runs before every handler of the console.
//!
//! A request that changes something must come from the console's own pages: `Sec-Fetch-Site`, which every present browser
//! sends, must say so, and where it is missing `Origin` must be this host. What only reads may come from elsewhere as a visit
//! to the page, never as a part of another page (picture, script, frame). The cookie is `SameSite=Strict` besides.
//!
//! Whoever must set up a second factor reaches nothing but that page, signing out, and the password.

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use zyz_http::limit::client_key;

use super::error::{Explained, PageError};
use super::form;
use super::page::{self, Shell};
use super::routes::{self, Need};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, SessionToken};
use crate::web::{Shared, access};

/// The session's cookie. `__Host-` binds it to this host, HTTPS and the root path.
pub(super) const SESSION_COOKIE: &str = "__Host-zyz";

/// The cookie of a sign-in that waits for the second factor.
pub(super) const STEP_COOKIE: &str = "__Host-zyz-step";
/// Proofs that people signed in with this browser before, joined by dots.
pub(super) const DEVICE_COOKIE: &str = "__Host-zyz-known";

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

/// Somebody who is not signed in, at a page that needs nobody to be. Handlers of such pages take it as their first argument.
#[derive(Clone)]
pub struct Visitor {
    /// The frame: no navigation.
    pub shell: Shell,
    /// Their address, as the limits count it.
    pub address: String,
    /// Proofs of this browser that it signed in before.
    pub devices: String,
    /// What the browser calls itself, in a few words.
    pub browser: String,
    /// The cookie of a session, which may be over.
    pub session: Option<SessionToken>,
    /// The cookie of a sign-in that waits for the second factor.
    pub step: Option<SessionToken>,
}

impl Visitor {
    fn new(web: &Shared, parts: &Parts, shell: Shell) -> Self {
        let token = |name| page::cookie(&parts.headers, name).and_then(SessionToken::parse);
        Self {
            shell,
            address: client_key(access::client(web, parts)).to_string(),
            devices: page::cookie(&parts.headers, DEVICE_COOKIE).unwrap_or_default().to_owned(),
            browser: browser(&parts.headers),
            session: token(SESSION_COOKIE),
            step: token(STEP_COOKIE),
        }
    }
}

/// Browser and system in a few words; empty if they cannot be told.
pub(super) fn browser(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let first = |names: &[(&'static str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map_or("", |(_, name)| *name)
    };
    // The order matters: most claim to be Chrome and Safari too.
    let program = first(&[
        ("MicroMessenger", "微信"),
        ("Edg/", "Edge"),
        ("QQBrowser", "QQ 浏览器"),
        ("360SE", "360 浏览器"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    [program, system].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// Lets a request through to its handler, sends whoever is not signed in to the sign-in page, or refuses.
pub(super) async fn admit(State((web, need)): State<(Shared, Need)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let partial = parts.headers.contains_key("hx-request");
    let flash = page::flash(&parts.headers);
    let had_flash = flash.is_some();
    let answer = match sign(&web, need, &parts).await {
        Err((desk, refusal)) => refused(&web, desk.as_ref(), refusal, &parts),
        Ok(desk) => {
            let shell = Shell::new(&web, desk.as_ref(), parts.uri.path(), flash);
            match desk {
                Some(desk) => drop(parts.extensions.insert(Signed { desk, shell: shell.clone() })),
                None => drop(parts.extensions.insert(Visitor::new(&web, &parts, shell.clone()))),
            }
            let mut answer = next.run(Request::from_parts(parts, body)).await;
            match answer.extensions_mut().remove::<Explained>() {
                Some(explained) => page::explain(shell, explained, partial),
                None => match unread(&mut answer).await {
                    Some(explained) => page::explain(shell, explained, partial),
                    None => answer,
                },
            }
        }
    };
    finish(answer, had_flash && !partial)
}

/// What a page says if the router could not read an address and answered so in plain text: a key that is no key names
/// nothing, and a search that is none is the sender's to repair.
async fn unread(answer: &mut Response) -> Option<Explained> {
    let plain = |kind: &HeaderValue| kind.as_bytes().starts_with(b"text/plain");
    if answer.status() != StatusCode::BAD_REQUEST || !answer.headers().get(header::CONTENT_TYPE).is_some_and(plain) {
        return None;
    }
    let said = to_bytes(std::mem::take(answer.body_mut()), 1 << 16).await.unwrap_or_default();
    let error = match said.starts_with(b"Failed to deserialize query") {
        true => PageError::Malformed("网址里的查询条件不完整，请回到列表重新查询".into()),
        false => PageError::Desk(DeskError::NotFound),
    };
    error.into_response().extensions_mut().remove()
}

/// The room has this address, for another method.
pub(super) async fn wrong_method() -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let detail = "这一步只能在它的页面上点按钮办理，不能直接打开网址。请从左边的菜单进入。".into();
    let mut answer = status.into_response();
    answer.extensions_mut().insert(Explained { status, title: "不能这样打开".into(), detail });
    answer
}

/// Around everything else: what ended before a room was asked (a body beyond bounds or too slow, a server too busy) or broke
/// down inside is said on a page too. `bytes` is the longest body.
pub(super) async fn in_words(State((web, bytes)): State<(Shared, usize)>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let answer = next.run(Request::from_parts(parts.clone(), body)).await;
    if answer.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/problem+json") {
        return answer;
    }
    let status = answer.status();
    let (title, detail) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("内容过大", format!("一次最多 {} MB。请减少内容，或分成几次提交。", bytes >> 20))
        }
        StatusCode::REQUEST_TIMEOUT => ("发送过慢", "没有收全您发送的内容，没有任何改动。请检查网络后重试。".into()),
        StatusCode::SERVICE_UNAVAILABLE => ("服务器正忙", "请稍等片刻再试。".into()),
        StatusCode::BAD_REQUEST => ("请求不完整", "没有收全您发送的内容，没有任何改动。请检查网络后重试。".into()),
        _ => ("服务器内部出错", "请稍后重试；若仍出错，请把时间和正在办理的事项告诉管理员。".into()),
    };
    let desk = desk(&web, &parts.headers).await.ok().flatten();
    let shell = Shell::new(&web, desk.as_ref(), parts.uri.path(), None);
    let partial = parts.headers.contains_key("hx-request");
    let mut page = page::explain(shell, Explained { status, title: title.into(), detail }, partial);
    for (name, value) in answer.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            page.headers_mut().insert(name, value.clone());
        }
    }
    finish(page, false)
}

/// An address that no room has.
pub(super) async fn unmatched(State(web): State<Shared>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let desk = desk(&web, &parts.headers).await.ok().flatten();
    let refusal = match &desk {
        Some(desk) if desk.must_enrol() => Refusal::EnrolFirst,
        _ => Refusal::Page(PageError::Desk(DeskError::NotFound)),
    };
    finish(refused(&web, desk.as_ref(), refusal, &parts), false)
}

/// A file that [`admit`] will refuse is not read: its sender is not signed in, may not do this, or comes from another site.
pub(super) async fn empty_strangers(State(web): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, mut body) = request.into_parts();
    let path = parts.extensions.get::<MatchedPath>().and_then(|path| path.as_str().strip_prefix("/console"));
    let route = routes::all().find(|route| Some(route.path) == path && route.method == parts.method.as_str());
    let welcome = match route {
        Some(route) => sign(&web, route.need, &parts).await.is_ok(),
        None => false,
    };
    if !welcome {
        body = Body::empty();
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    next.run(Request::from_parts(parts, body)).await
}

enum Refusal {
    SignInFirst,
    EnrolFirst,
    CrossSite,
    Page(PageError),
}

/// Who may go on, or why not, with whoever was known by then.
async fn sign(web: &Shared, need: Need, parts: &Parts) -> Result<Option<Desk>, (Option<Desk>, Refusal)> {
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    let fits = if reads { visit(&parts.headers) } else { same_origin(&parts.headers) };
    if !fits {
        return Err((None, Refusal::CrossSite));
    }
    let address = parts.uri.path_and_query().map_or("", |address| address.as_str());
    if form::has_nul(address.as_bytes()) {
        return Err((None, Refusal::Page(form::nul())));
    }
    let permission = match need {
        Need::Nothing => return Ok(None),
        Need::May(permission) => permission,
    };
    let desk = desk(web, &parts.headers).await.map_err(|error| (None, Refusal::Page(error)))?;
    let desk = desk.ok_or((None, Refusal::SignInFirst))?;
    if desk.must_enrol() && permission != Permission::OwnAccount {
        return Err((Some(desk), Refusal::EnrolFirst));
    }
    match desk.need(permission) {
        Ok(()) => Ok(Some(desk)),
        Err(error) => Err((Some(desk), Refusal::Page(error.into()))),
    }
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

/// Whether a reading request is a visit or comes from our own pages: no other page may take ours in (Fetch Metadata, resource
/// isolation). Old browsers and programs send no such header.
fn visit(headers: &HeaderMap) -> bool {
    let is = |name: &str, values: &[&str]| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| values.contains(&value))
    };
    if !headers.contains_key("sec-fetch-site") || is("sec-fetch-site", &["same-origin", "none"]) {
        return true;
    }
    is("sec-fetch-mode", &["navigate"]) && is("sec-fetch-dest", &["document", "empty"])
}

fn refused(web: &Shared, desk: Option<&Desk>, refusal: Refusal, parts: &Parts) -> Response {
    let partial = parts.headers.contains_key("hx-request");
    let explained = match refusal {
        Refusal::SignInFirst => return page::to_sign_in(web, parts, partial),
        Refusal::EnrolFirst => {
            return page::go(&Shell::new(web, desk, parts.uri.path(), None), "/account/second-factor", None);
        }
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

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a page for strangers stands in the table as one that needs somebody signed in");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        })
    }
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
