//! The console in this process: people signed in, pages asked for, forms sent as a browser would send them.

use axum::body::Body;
use axum::http::Method;
use zyz::domain::staff::{Role, Scope};
use zyz::service::desk::Desk;

use crate::server::{Answer, TestApp, request};
use crate::support::Database;

/// The host that requests are for.
const HOST: &str = "zyz.example.cn";

/// A federation with its console.
pub struct ConsoleApp {
    /// The server and the office.
    pub app: TestApp,
}

/// Somebody signed in at a browser.
pub struct Client<'a> {
    console: &'a ConsoleApp,
    /// What they may do, for tests that ask the use case itself.
    pub desk: Desk,
    cookie: String,
}

impl ConsoleApp {
    /// A federation without people.
    pub fn new(database: Database) -> Self {
        Self { app: TestApp::new(database) }
    }

    /// A federation with `count` people of 思茅区样例单位 (02) and their cards.
    pub fn with_cards(database: Database, count: usize) -> Self {
        Self { app: TestApp::with_cards(database, count) }
    }

    /// Somebody of this role, signed in. Each call opens an account of its own.
    pub fn sign_in(&self, role: Role, scope: Scope) -> Client<'_> {
        let federation = &self.app.federation;
        let token = self.app.wait(async {
            let staff = federation.open_account(role, scope).await.unwrap();
            federation.begin_session(staff).await.unwrap()
        });
        let desk = self.app.wait(federation.desk(&token)).unwrap().expect("a session that has just begun");
        Client { console: self, desk, cookie: format!("__Host-zyz={}", token.text()) }
    }

    /// A federation administrator, signed in.
    pub fn admin(&self) -> Client<'_> {
        self.sign_in(Role::FederationAdmin, Scope::All)
    }

    /// The unit of [`Self::with_cards`].
    pub fn first_unit(&self) -> Scope {
        let store = self.app.wait(self.app.store());
        let units = self.app.wait(async { store.read().await.unwrap().units().await.unwrap() });
        units
            .first()
            .map_or(Scope::Unit { unit: 1, county: 2 }, |unit| Scope::Unit { unit: unit.id.0, county: unit.county })
    }

    /// A partner with an agreement that holds; made by the first call.
    pub fn first_partner(&self) -> i64 {
        let partners = self.app.wait(self.app.federation.partners(true)).unwrap();
        partners.first().map_or_else(|| self.app.partner("晨光便利店").0, |partner| partner.id)
    }

    /// A page asked for without being signed in.
    pub fn get(&self, path: &str) -> Answer {
        self.app.get(&format!("/console{path}"))
    }
}

impl Client<'_> {
    /// A page; `path` is below the console's.
    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty())
    }

    /// A form sent by a page of ours.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_html_form::to_string(fields).unwrap();
        self.send(Method::POST, path, &[("content-type", "application/x-www-form-urlencoded")], body.into())
    }

    /// A form with a file.
    pub fn upload(&self, path: &str, fields: &[(&str, &str)], file_name: &str, bytes: &[u8]) -> Answer {
        const BOUNDARY: &str = "----boundary-of-the-test";
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.send(Method::POST, path, &[("content-type", &kind)], body.into())
    }

    /// A request with this session's cookie, as from a page of ours unless `headers` say otherwise.
    pub fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut all = vec![("host", HOST), ("cookie", self.cookie.as_str())];
        if !headers.iter().any(|(name, _)| *name == "sec-fetch-site") {
            all.push(("sec-fetch-site", "same-origin"));
        }
        all.extend_from_slice(headers);
        self.console.app.send(request(method, &format!("/console{path}"), &all, body))
    }

    /// The cookie that this browser sends.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

impl Answer {
    /// The page's text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts that the page says all of this.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Self {
        let text = self.text();
        for word in words {
            assert!(text.contains(word), "“{word}” is missing ({}) in {text}", self.status);
        }
        self
    }

    /// Asserts a status.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// Where the answer sends the browser; fails if nowhere.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert_eq!(self.status.as_u16(), 303, "{}", self.text());
        self.header("location")
    }
}
