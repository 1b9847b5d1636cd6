//! The frame around every page: navigation, who is signed in, messages of the last step, cookies.

use askama::Template;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::assets;
use super::error::{Explained, PageError};
use crate::domain::staff::Permission;
use crate::service::desk::Desk;
use crate::web::{Shared, Web};

/// A place in the navigation: what it is called, its address below the console's, who sees it.
pub const NAVIGATION: &[(&str, &str, Permission)] = &[
    ("首页", "/home", Permission::Home),
    ("登记与审批", "/forms", Permission::ViewPeople),
    ("名册", "/rosters", Permission::ViewPeople),
    ("单位", "/units", Permission::ViewPeople),
    ("志愿者", "/people", Permission::ViewPeople),
    ("服务记录", "/hours", Permission::ViewPeople),
    ("星级认定", "/stars", Permission::ViewPeople),
    ("制证", "/cards", Permission::ViewPeople),
    ("合作单位", "/partners", Permission::ViewPartners),
    ("我的优惠", "/offers", Permission::PartnerOwn),
    ("统计督查", "/statistics", Permission::Statistics),
    ("复核", "/reviews", Permission::Review),
    ("审计", "/audit", Permission::Audit),
    ("账号", "/staff", Permission::StaffAdmin),
    ("设置", "/settings", Permission::Settings),
];

/// The message's cookie.
pub(super) const FLASH_COOKIE: &str = "__Host-zyz-said";

/// What every page shows around its own content; templates call it `shell`.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Address of the console, without a slash at its end.
    pub base: String,
    /// The federation's name.
    pub issuer: String,
    /// Name of the person signed in; empty for nobody.
    pub who: String,
    /// Their role, and of whom.
    pub role: String,
    /// Where they may go.
    pub navigation: Vec<NavigationItem>,
    /// What the last step came to.
    pub flash: Option<Flash>,
    /// Stylesheet, script, htmx.
    pub assets: [&'static str; 3],
}

/// A place in the navigation.
#[derive(Debug, Clone)]
pub struct NavigationItem {
    /// What it is called.
    pub label: &'static str,
    /// Its address.
    pub href: String,
    /// Whether the page is in there.
    pub here: bool,
}

/// What the last step came to, shown once on the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// Whether it went wrong.
    pub bad: bool,
    /// In words.
    pub text: String,
}

impl Shell {
    /// The frame for whoever is signed in, at this address.
    pub(super) fn new(web: &Web, desk: Option<&Desk>, path: &str, flash: Option<Flash>) -> Self {
        let base = console_base(web);
        let below = path.strip_prefix(&base).or_else(|| path.strip_prefix("/console")).unwrap_or_default();
        let navigation = NAVIGATION
            .iter()
            .filter(|(_, _, permission)| desk.is_some_and(|desk| desk.may(*permission) && !desk.must_enrol()))
            .map(|(label, href, _)| NavigationItem {
                label,
                href: format!("{base}{href}"),
                here: below.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            })
            .collect();
        Self {
            base,
            issuer: web.about.name.clone(),
            who: desk.map(|desk| desk.staff().name.clone()).unwrap_or_default(),
            role: desk.map(Desk::role_words).unwrap_or_default(),
            navigation,
            flash,
            assets: assets::names(),
        }
    }
}

/// A page, or a part of one for htmx.
///
/// # Errors
/// None that a template of ours makes; the type lets handlers end with it.
pub fn render(template: &impl Template) -> Result<Response, PageError> {
    render_as(StatusCode::OK, template)
}

/// A page with another status: 422 for a form shown again with its errors, 409 for one that somebody else changed.
///
/// # Errors
/// As [`render`].
pub fn render_as(status: StatusCode, template: &impl Template) -> Result<Response, PageError> {
    match template.render() {
        Ok(html) => Ok((status, Html(html)).into_response()),
        Err(error) => {
            tracing::error!(%error, "a template failed");
            Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

/// Ends a step: to another page (an address below the console's), which says `text` once.
pub fn done(shell: &Shell, to: &str, text: impl Into<String>) -> Response {
    go(shell, to, Some(Flash { bad: false, text: text.into() }))
}

/// As [`done`], for a step that came to nothing.
pub fn failed(shell: &Shell, to: &str, text: impl Into<String>) -> Response {
    go(shell, to, Some(Flash { bad: true, text: text.into() }))
}

/// To another page (303), with or without a message.
pub fn go(shell: &Shell, to: &str, flash: Option<Flash>) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    let address = HeaderValue::from_str(&format!("{}{to}", shell.base));
    answer.headers_mut().insert(header::LOCATION, address.unwrap_or(HeaderValue::from_static("/console/")));
    if let Some(flash) = flash {
        let text: String = flash.text.chars().take(800).collect();
        let said = serde_json::to_vec(&Flash { text, ..flash }).unwrap_or_default();
        let cookie = cookie_text(FLASH_COOKIE, &URL_SAFE_NO_PAD.encode(said), Some(120));
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// A file for the person to keep. `name` may be Chinese (RFC 6266 §4.3).
pub fn download(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    let ending = name.rsplit('.').next().filter(|ending| ending.is_ascii()).unwrap_or("bin");
    let disposition = format!("attachment; filename=\"download.{ending}\"; filename*=UTF-8''{encoded}");
    let disposition = HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, disposition)], bytes)
        .into_response()
}

/// A spreadsheet for the person to keep.
pub fn workbook(name: &str, bytes: Vec<u8>) -> Response {
    download("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", name, bytes)
}

/// The page of a refusal.
pub(super) fn explain(shell: Shell, explained: Explained, partial: bool) -> Response {
    let Explained { status, title, detail } = explained;
    if partial {
        return (status, Html(PartialProblem { title: &title, detail: &detail }.render().unwrap_or_default()))
            .into_response();
    }
    match render_as(status, &Problem { shell, title, detail }) {
        Ok(page) => page,
        Err(_) => status.into_response(),
    }
}

#[derive(Template)]
#[template(path = "console/problem.html")]
struct Problem {
    shell: Shell,
    title: String,
    detail: String,
}

#[derive(Template)]
#[template(source = "<p class=\"error\" role=\"alert\">{{ title }}：{{ detail }}</p>", ext = "html")]
struct PartialProblem<'a> {
    title: &'a str,
    detail: &'a str,
}

/// `/console` itself.
pub(super) async fn to_start(axum::extract::State(web): axum::extract::State<Shared>) -> Response {
    let to = format!("{}/home", console_base(&web));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// To the sign-in page, and from there back to what was asked for if that was a page.
pub(super) fn to_sign_in(web: &Web, parts: &Parts, partial: bool) -> Response {
    let base = console_base(web);
    let wanted = parts.uri.path();
    let wanted = wanted.strip_prefix("/console").unwrap_or(wanted);
    let next = match parts.method {
        Method::GET if !partial && !wanted.ends_with("/home") => format!("?next={}", percent(wanted)),
        _ => String::new(),
    };
    let to = format!("{base}/sign-in{next}");
    if partial {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", to)]).into_response();
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

fn console_base(web: &Web) -> String {
    format!("{}/console", web.base.trim_end_matches('/'))
}

fn percent(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The value of a cookie that came along.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(known, value)| (known == name).then_some(value))
}

/// A cookie for this host alone; `seconds` of life, or as long as the browser is open.
pub(super) fn cookie_text(name: &str, value: &str, seconds: Option<u32>) -> HeaderValue {
    let life = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{life}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// A cookie's end.
pub(super) fn forget(name: &str) -> HeaderValue {
    cookie_text(name, "", Some(0))
}

/// The message that came along.
pub(super) fn flash(headers: &HeaderMap) -> Option<Flash> {
    let bytes = URL_SAFE_NO_PAD.decode(cookie(headers, FLASH_COOKIE)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}
