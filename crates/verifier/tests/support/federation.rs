//! A federation's server on loopback that does what a test tells it: answers, breaks off, lies, forgets to answer.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use serde_json::{Value, json};
use zyz_verifier::clock::timestamp;

pub const CODE: &str = "ABCDEFGHJKMNPQRSTVWXYZ2345";
pub const TOKEN: &str = "zyzp_test-token";

/// What the server says to a request for a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serves {
    Bundle(Vec<u8>),
    /// Announces all of it, sends half and hangs up.
    Half(Vec<u8>),
    /// The same without saying how long it is.
    HalfUnannounced(Vec<u8>),
    /// Never ends.
    Endless,
    Redirect,
    LoginPage,
    Status(u16, &'static str),
}

#[derive(Debug)]
pub struct Script {
    pub serves: Serves,
    pub public: Vec<u8>,
    pub root: String,
    pub partner: String,
    /// The `Date` header, seconds since 1970; none if left out.
    pub date: Option<u64>,
    /// Takes entries, but hangs up before it says so, this often.
    pub dies_after_storing: u32,
    /// For all that comes with a token.
    pub revoked: bool,
    /// What it says of uses with this offer.
    pub outcomes: BTreeMap<String, &'static str>,
    pub enrolled: u32,
    /// Every entry of a batch that came, by id: how often it came, and itself.
    pub kept: BTreeMap<String, (u32, Value)>,
    pub batches: Vec<usize>,
    pub bundle_requests: u32,
    pub not_modified: u32,
}

/// Stops answering when dropped; the port is free again then.
pub struct Federation {
    pub address: SocketAddr,
    script: Arc<Mutex<Script>>,
    open: Arc<Mutex<bool>>,
}

impl Federation {
    pub fn new(bundle: Vec<u8>, root: String) -> Self {
        let script = Script {
            serves: Serves::Bundle(bundle.clone()),
            public: bundle,
            root,
            partner: "partner-1".into(),
            date: None,
            dies_after_storing: 0,
            revoked: false,
            outcomes: BTreeMap::new(),
            enrolled: 0,
            kept: BTreeMap::new(),
            batches: Vec::new(),
            bundle_requests: 0,
            not_modified: 0,
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (script, open) = (Arc::new(Mutex::new(script)), Arc::new(Mutex::new(true)));
        let (own, is_open) = (Arc::clone(&script), Arc::clone(&open));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if *is_open.lock().expect("not poisoned") {
                    let script = Arc::clone(&own);
                    thread::spawn(move || answer(stream, &script));
                }
            }
        });
        Self { address, script, open }
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("not poisoned")
    }

    /// Hangs up on everybody at once, as an unplugged line would.
    pub fn unplug(&self) {
        *self.open.lock().expect("not poisoned") = false;
    }

    pub fn plug_in(&self) {
        *self.open.lock().expect("not poisoned") = true;
    }

    pub fn link(&self, root: &[u8; 32]) -> String {
        use base64::Engine;
        let root = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(root);
        format!("http://{}/scan#enrol={CODE}&root={root}", self.address)
    }

    /// How often each id of a use or reversal came.
    pub fn times_kept(&self) -> BTreeMap<String, u32> {
        self.script().kept.iter().map(|(id, (times, _))| (id.clone(), *times)).collect()
    }
}

fn answer(mut stream: TcpStream, script: &Mutex<Script>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        let named = lines.iter().filter_map(|line| line.split_once(": "));
        named.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let request = lines[0].split(' ').take(2).collect::<Vec<_>>().join(" ");
    let mut script = script.lock().expect("not poisoned");
    let good_token = header("authorization").as_deref() == Some(&format!("Bearer {TOKEN}")) && !script.revoked;
    let mut reply = Reply { stream: &mut stream, date: script.date };
    match request.as_str() {
        "POST /v1/enrolments" => {
            let asked: Value = serde_json::from_slice(&body).expect("JSON");
            if asked["code"] != CODE {
                return reply.problem(404, "unknown_code");
            }
            script.enrolled += 1;
            let partner = json!({"id": script.partner, "name": "普洱茶馆"});
            let root = &script.root;
            reply.json(201, &json!({"token": TOKEN, "device_id": "d1", "partner": partner, "root_public_key": root}));
        }
        "GET /v1/federation" => {
            let root = &script.root;
            reply.json(200, &json!({"name": "普洱市志愿服务联合会", "root_public_key": root, "phone": "0879"}));
        }
        "GET /v1/bundle" => reply.send(200, &[("ETag", "\"public\"")], &script.public),
        "GET /v1/partner/bundle" => {
            script.bundle_requests += 1;
            if !good_token {
                return reply.problem(401, "token_revoked");
            }
            let asked = header("if-none-match");
            match script.serves.clone() {
                Serves::Bundle(bytes) => {
                    let etag = etag(&bytes);
                    if asked.as_deref() == Some(&etag) {
                        script.not_modified += 1;
                        return reply.send(304, &[("ETag", &etag)], b"");
                    }
                    reply.send(200, &[("ETag", &etag), ("Content-Type", "application/cose")], &bytes);
                }
                Serves::Half(bytes) => {
                    reply.raw(&format!("Content-Length: {}\r\n", bytes.len()), &bytes[..bytes.len() / 2])
                }
                Serves::HalfUnannounced(bytes) => reply.raw("", &bytes[..bytes.len() / 2]),
                Serves::Endless => {
                    reply.raw("", b"");
                    while stream.write_all(&[0; 65_536]).is_ok() {}
                }
                Serves::Redirect => reply.send(302, &[("Location", "http://127.0.0.1:9/")], b""),
                Serves::LoginPage => reply.send(200, &[("Content-Type", "text/html")], b"<html>login</html>"),
                Serves::Status(status, code) => reply.problem(status, code),
            }
        }
        "POST /v1/redemptions" => {
            if !good_token {
                return reply.problem(401, "token_revoked");
            }
            let batch: Value = serde_json::from_slice(&body).expect("JSON");
            let list = |name: &str| batch[name].as_array().expect("a list").clone();
            let (uses, reversals) = (list("redemptions"), list("reversals"));
            script.batches.push(uses.len() + reversals.len());
            let mut keep = |entry: &Value| {
                let kept = script.kept.entry(entry["id"].as_str().expect("an id").into()).or_insert((0, entry.clone()));
                kept.0 += 1;
                assert_eq!(&kept.1, entry, "an entry comes again unchanged");
                if kept.0 == 1 { "recorded" } else { "repeated" }
            };
            let mut told = Vec::new();
            for entry in uses.iter().chain(&reversals) {
                told.push((entry.clone(), keep(entry)));
            }
            if script.dies_after_storing > 0 {
                script.dies_after_storing -= 1;
                return;
            }
            let (uses, reversals) = told.split_at(uses.len());
            let of_use = |(entry, outcome): &(Value, &'static str)| {
                let outcome = script.outcomes.get(entry["offer"].as_str().expect("an offer")).unwrap_or(outcome);
                json!({"id": entry["id"], "outcome": outcome, "standing": "valid", "over_limit": false})
            };
            let of_reversal = |(entry, outcome): &(Value, &'static str)| json!({"id": entry["id"], "outcome": outcome});
            let answer = json!({
                "redemptions": uses.iter().map(of_use).collect::<Vec<_>>(),
                "reversals": reversals.iter().map(of_reversal).collect::<Vec<_>>(),
            });
            reply.json(200, &answer);
        }
        _ => reply.problem(404, "not_found"),
    }
}

pub fn etag(bytes: &[u8]) -> String {
    use sha2::Digest;
    format!("\"{}\"", hex::encode(&sha2::Sha256::digest(bytes)[..8]))
}

struct Reply<'a> {
    stream: &'a mut TcpStream,
    date: Option<u64>,
}

impl Reply<'_> {
    fn json(&mut self, status: u16, body: &Value) {
        self.send(status, &[("Content-Type", "application/json")], body.to_string().as_bytes());
    }

    fn problem(&mut self, status: u16, code: &str) {
        let body = json!({"type": "about:blank", "title": "不行", "status": status, "code": code});
        self.send(status, &[("Content-Type", "application/problem+json")], body.to_string().as_bytes());
    }

    fn send(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = if status == 304 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        self.write(status, &format!("{headers}{length}"), body);
    }

    fn raw(&mut self, headers: &str, body: &[u8]) {
        self.write(200, headers, body);
    }

    fn write(&mut self, status: u16, headers: &str, body: &[u8]) {
        let date = self.date.map(|date| {
            let date = timestamp(date).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            format!("Date: {date}\r\n")
        });
        let date = date.unwrap_or_default();
        let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{date}{headers}\r\n");
        // Whoever has gone away does not want it.
        let _ = self.stream.write_all(&[head.as_bytes(), body].concat());
    }
}
