//! The pages, as this server serves them.

use axum::body::Body;
use axum::http::Method;

use crate::server::{TestApp, request};
use crate::support::Database;

#[test]
fn the_pages_come_with_their_own_policy() {
    let app = TestApp::new(Database::sqlite());
    for path in ["/", "/scan", "/scan/"] {
        let page = app.get(path).ok();
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(page.header("permissions-policy").starts_with("camera=(self)"));
    }
    assert_eq!(app.get("/scan/mode.json").ok().json()["mode"], "federation");
}

#[test]
fn an_address_that_is_no_page() {
    let app = TestApp::new(Database::sqlite());
    for path in ["/scan/nothing", "/admin", "/v1", "/v1/", "/scan/../v1/federation"] {
        app.get(path).is_problem(404, "not_found");
    }
    app.send(request(Method::PUT, "/scan", &[], Body::empty())).is_problem(405, "method_not_allowed");
    app.send(request(Method::OPTIONS, "/v1/bundle", &[], Body::empty())).is_problem(405, "method_not_allowed");
}
