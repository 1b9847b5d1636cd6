//! Serving below a path: where `public_url` is `https://host/zyz/`, routes answer below `/zyz/` too. A reverse proxy may
//! strip that path or leave it.

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::response::{IntoResponse, Redirect, Response};
use tower::ServiceExt;

/// The path of an address without the slash at its end: empty for none.
pub(super) fn of(public_url: &str) -> String {
    let after_scheme = public_url.split_once("://").map_or("", |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |slash| &after_scheme[slash..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').to_owned()
}

/// `router`, below `base` as well.
pub(super) fn below(base: String, router: Router) -> Router {
    if base.is_empty() {
        return router;
    }
    Router::new().fallback(move |request: Request| answer(base.clone(), router.clone(), request))
}

async fn answer(base: String, router: Router, mut request: Request) -> Response {
    let path = request.uri().path();
    if path == base {
        // With the slash, so that the page's relative addresses hold. A fragment is kept by the browser.
        return Redirect::permanent(&format!("{base}/")).into_response();
    }
    if let Some(rest) = path.strip_prefix(&base).filter(|rest| rest.starts_with('/')) {
        let rest = match request.uri().query() {
            Some(query) => format!("{rest}?{query}"),
            None => rest.to_owned(),
        };
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(rest).ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_path_of_an_address() {
        for (url, path) in [
            ("", ""),
            ("https://zyz.example.cn", ""),
            ("https://zyz.example.cn/", ""),
            ("https://zyz.example.cn/zyz/", "/zyz"),
            ("https://zyz.example.cn:8443/a/b", "/a/b"),
        ] {
            assert_eq!(of(url), path, "{url}");
        }
    }
}
