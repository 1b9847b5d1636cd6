//! The console in this process: people signed in, pages asked for, forms sent as a browser would send them.

use axum::body::Body;
use axum::http::Method;
use zyz::config::Config;
use zyz::domain::staff::{Role, Scope};
use zyz::service::desk::Desk;
use zyz::web::Options;

use crate::server::{Answer, TestApp, from, request};
use crate::support::{Database, PUBLIC_URL};

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
        Self::with(database, false)
    }

    /// The same where the roles that sign must set up a second factor, as the configuration says by default.
    pub fn strict(database: Database) -> Self {
        Self::with(database, true)
    }

    fn with(database: Database, second_factor: bool) -> Self {
        let sign_in = zyz::config::Console { second_factor, ..Default::default() };
        let config = Config { public_url: PUBLIC_URL.into(), console: sign_in, ..Config::default() };
        Self { app: TestApp::with(database, Options::default(), config) }
    }

    /// A federation with `count` people of 思茅区样例单位 (02) and their cards.
    pub fn with_cards(database: Database, count: usize) -> Self {
        let console = Self::new(database);
        console.app.add_cards(count);
        console
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

    /// A browser that nobody is signed in at, with these cookies.
    pub fn browser(&self, cookies: &str) -> Browser<'_> {
        Browser { console: self, cookies: cookies.to_owned(), address: "192.0.2.7".into() }
    }

    /// A page asked for without being signed in.
    pub fn get(&self, path: &str) -> Answer {
        self.app.get(&format!("/console{path}"))
    }
}

/// A browser of its own: keeps the cookies that it is given.
pub struct Browser<'a> {
    console: &'a ConsoleApp,
    /// The cookies it holds, as it sends them.
    pub cookies: String,
    /// Where it is.
    pub address: String,
}

impl Browser<'_> {
    /// A page; `path` is below the console's.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, Body::empty())
    }

    /// A form sent by a page of ours.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, serde_html_form::to_string(fields).unwrap().into())
    }

    /// The value of a cookie it holds.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .split("; ")
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(known, v)| (known == name).then_some(v))
    }

    fn send(&mut self, method: Method, path: &str, body: Body) -> Answer {
        let headers = [
            ("host", HOST),
            ("cookie", self.cookies.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("user-agent", "Mozilla/5.0 (Windows NT 10.0) Chrome/156.0"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let mut request = request(method, &format!("/console{path}"), &headers, body);
        from(&mut request, &self.address);
        let answer = self.console.app.send(request);
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            for wanted in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                assert!(line.contains(wanted), "{wanted} is missing: {line}");
            }
            let (name, rest) = line.split_once('=').unwrap();
            assert!(name.starts_with("__Host-") && !line.contains("Domain"), "{line}");
            let value = rest.split(';').next().unwrap();
            let mut kept: Vec<String> = self.cookies.split("; ").filter(|c| !c.is_empty()).map(str::to_owned).collect();
            kept.retain(|cookie| !cookie.starts_with(&format!("{name}=")));
            if !line.contains("Max-Age=0") {
                kept.push(format!("{name}={value}"));
            }
            self.cookies = kept.join("; ");
        }
        answer
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
