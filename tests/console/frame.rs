//! The frame around every page.

use axum::body::Body;
use axum::http::Method;

use crate::console::ConsoleApp;
use crate::support::Database;

#[test]
fn the_console_starts_at_its_first_page() {
    let console = ConsoleApp::new(Database::sqlite());
    assert_eq!(console.get("").location(), "/console/home");
    assert_eq!(console.get("/").location(), "/console/home");
}

#[test]
fn what_pages_load_is_found_by_its_hash_only() {
    let console = ConsoleApp::new(Database::sqlite());
    let client = console.admin();
    let answer = client.send(Method::GET, "/assets/console-000000000000.css", &[], Body::empty());
    answer.is(404);
}
