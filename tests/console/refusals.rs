//! What the console says where it has nothing to show, and what it does not even read.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::Method;
use http_body::Frame;
use zyz::config::Config;
use zyz::domain::staff::{Role, Scope};
use zyz::web::Options;
use zyz::web::console::routes::{self, Body as Takes, Need, Route};

use crate::console::{Client, ConsoleApp};
use crate::server::{Answer, TestApp, request};
use crate::support::{Database, PUBLIC_URL};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const FILE: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");
const MEGABYTE: usize = 1 << 20;

/// A body of so many megabytes that counts how many were asked for.
struct Counted {
    asked: Arc<AtomicUsize>,
    left: usize,
}

impl Counted {
    fn of(megabytes: usize) -> (Body, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        (Body::new(Self { asked: asked.clone(), left: megabytes }), asked)
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; MEGABYTE])))))
    }
}

/// A whole page of the console in Chinese: of this status, with a title, words and a way back.
#[track_caller]
fn is_page(answer: &Answer, status: u16, words: &str, signed_in: bool) {
    answer.is(status).says(&[
        "<html lang=\"zh-CN\">",
        "<h1>",
        "role=\"alert\"",
        words,
        "href=\"/console/home\">回到首页",
    ]);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.text().contains("href=\"/console/people\""), signed_in, "navigation: {}", answer.text());
    // Nothing of the machinery shows.
    for word in ["problem+json", "not_found", "axum", "serde", "Failed to", "No such"] {
        assert!(!answer.text().contains(word), "{word}: {}", answer.text());
    }
}

/// The address with keys that nothing has.
fn nowhere(route: &Route) -> String {
    let piece = |piece: &str| if piece.starts_with('{') { "7".to_owned() } else { piece.to_owned() };
    route.path.split('/').map(piece).collect::<Vec<_>>().join("/")
}

#[test]
fn what_is_not_there_is_said_on_a_page() {
    let console = ConsoleApp::new(Database::sqlite());
    let client = console.admin();
    for path in
        ["/no/such/page", "/people/0200000019", "/people/0200000010", "/people/岩", "/forms/x", "/units/-1/edit"]
    {
        let path = path.replace('岩', "%E5%B2%A9");
        is_page(&client.get(&path), 404, "没有找到", true);
    }
    client.get("/no/such/page").says(&["联合会管理员"]);
    // Whoever is not signed in learns no more than that, and has the way to the sign-in page.
    is_page(&console.get("/no/such/page"), 404, "没有找到", false);
    // A part of a page is answered by a part.
    let part = client.send(Method::GET, "/cards/jobs/7/progress", &[("hx-request", "true")], Body::empty());
    part.is(404).says(&["role=\"alert\"", "没有找到"]);
    assert!(!part.text().contains("<html"));
}

#[test]
fn every_address_refuses_other_methods_on_a_page() {
    let console = ConsoleApp::new(Database::sqlite());
    let client = console.admin();
    let mut methods: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in routes::all() {
        methods.entry(route.path).or_default().push(route);
    }
    let may = |route: &Route| !matches!(route.need, Need::May(permission) if !Role::FederationAdmin.may(permission));
    for routes in methods.values().filter(|routes| routes.iter().all(|route| may(route))) {
        let path = nowhere(routes[0]);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if routes.iter().any(|route| route.method == method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = client.send(method.clone(), &path, &[FORM], Body::empty());
            assert_eq!(answer.status, 405, "{method} {path}");
            answer.says(&["<html lang=\"zh-CN\">", "不能这样打开", "href=\"/console/home\">回到首页"]);
        }
    }
    is_page(&client.get("/people/search"), 405, "不能直接打开网址", true);
    is_page(&client.send(Method::DELETE, "/units/1", &[FORM], Body::empty()), 405, "不能直接打开网址", true);
}

#[test]
fn what_is_too_large_is_said_on_a_page_and_not_read_on() {
    let console = small();
    let client = console.admin();
    let bound = |route: &Route| if route.body == Takes::File { 3 } else { 1 };
    for route in routes::all().filter(|route| route.method == "POST" && may_all(route)) {
        let (kind, most) = (if route.body == Takes::File { FILE } else { FORM }, bound(route));
        let path = nowhere(route);
        // Announced: not a byte is read.
        let (body, asked) = Counted::of(100);
        let answer = client.send(Method::POST, &path, &[kind, ("content-length", "104857600")], body);
        is_page(&answer, 413, "内容过大", true);
        assert_eq!(asked.load(Ordering::Relaxed), 0, "{path}");
        // Not announced: as far as the bound and no farther.
        let (body, asked) = Counted::of(100);
        let answer = client.send(Method::POST, &path, &[kind], body);
        answer.is(413).says(&["内容过大", " MB", "回到首页"]);
        assert!(asked.load(Ordering::Relaxed) <= most + 1, "{path}: {asked:?}");
    }
}

#[test]
fn the_file_of_whoever_may_not_send_it_is_not_read() {
    let console = small();
    console.app.add_cards(1);
    let roles = [
        (Role::FederationAdmin, Scope::All),
        (Role::FederationClerk, Scope::All),
        (Role::County, Scope::County(21)),
        (Role::Unit, console.first_unit()),
        (Role::Oversight, Scope::All),
        (Role::Partner, Scope::Partner(console.first_partner())),
    ];
    let clients: Vec<(Role, Client<'_>)> = roles.map(|(role, scope)| (role, console.sign_in(role, scope))).into();
    let mut refused = 0;
    for route in routes::all().filter(|route| route.body == Takes::File) {
        let Need::May(permission) = route.need else { panic!("{} takes files from anybody", route.path) };
        let path = nowhere(route);
        let mut unread = |send: &dyn Fn(Body) -> Answer, about: &str| {
            let (body, asked) = Counted::of(2);
            let answer = send(body);
            assert_eq!(asked.load(Ordering::Relaxed), 0, "{path}: the file was read: {about}");
            refused += 1;
            answer
        };
        let stranger = |cookie: &str, body: Body| {
            let headers = [FILE, ("host", "zyz.example.cn"), ("sec-fetch-site", "same-origin"), ("cookie", cookie)];
            console.app.send(request(Method::POST, &format!("/console{path}"), &headers, body))
        };
        for cookie in
            ["", "__Host-zyz=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "__Host-zyz=%00", "__Host-zyz-step=x"]
        {
            let answer = unread(&|body| stranger(cookie, body), cookie);
            assert_eq!(answer.location(), "/console/sign-in", "{path} with {cookie}");
        }
        for (role, client) in clients.iter().filter(|(role, _)| !role.may(permission)) {
            let answer = unread(&|body| client.send(Method::POST, &path, &[FILE], body), role.label());
            is_page(&answer, 403, "没有权限", *role != Role::Partner);
        }
        let (_, entitled) = clients.iter().find(|(role, _)| role.may(permission)).unwrap();
        for site in ["cross-site", "same-site", "none"] {
            let headers = [FILE, ("sec-fetch-site", site)];
            let answer = unread(&|body| entitled.send(Method::POST, &path, &headers, body), site);
            answer.is(403).says(&["请求来自别的网站"]);
        }
        // To be sure that the count counts: who may is read.
        let (body, asked) = Counted::of(2);
        entitled.send(Method::POST, &path, &[FILE], body).is(400);
        assert!(asked.load(Ordering::Relaxed) >= 2, "{path}");
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn who_must_set_up_a_second_factor_sends_no_file() {
    let console = ConsoleApp::strict(Database::sqlite());
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    for route in routes::all().filter(|route| route.body == Takes::File) {
        let (body, asked) = Counted::of(2);
        let answer = clerk.send(Method::POST, &nowhere(route), &[FILE], body);
        assert_eq!(answer.location(), "/console/account/second-factor", "{}", route.path);
        assert_eq!(asked.load(Ordering::Relaxed), 0, "{}", route.path);
    }
}

/// A console that takes files of 2 MB, and one for what is around them.
fn small() -> ConsoleApp {
    let mut config = Config { public_url: PUBLIC_URL.into(), ..Config::default() };
    config.console.second_factor = false;
    config.limits.file_mb = 2;
    ConsoleApp { app: TestApp::with(Database::sqlite(), Options::default(), config) }
}

fn may_all(route: &Route) -> bool {
    match route.need {
        Need::May(permission) => Role::FederationAdmin.may(permission),
        Need::Nothing => true,
    }
}
