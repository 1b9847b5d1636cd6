//! A node in this process, with a clock that the test moves; and the real program.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;
use zyz_verifier::client;
use zyz_verifier::clock::{Machine, timestamp};
use zyz_verifier::data::DataDir;
use zyz_verifier::enrol::{EnrolRequest, enrol};
use zyz_verifier::ledger::Ledger;
use zyz_verifier::link::ServerUrl;
use zyz_verifier::node::{Access, Node, router};
use zyz_verifier::sync::Syncer;

use super::World;
use super::federation::Federation;

/// A clock and an RNG that do what the test says.
#[derive(Debug)]
pub struct FakeMachine {
    now: AtomicU64,
    drawn: AtomicU64,
}

impl FakeMachine {
    pub fn at(now: u64) -> Arc<Self> {
        Arc::new(Self { now: AtomicU64::new(now), drawn: AtomicU64::new(0) })
    }

    pub fn set(&self, now: u64) {
        self.now.store(now, Ordering::SeqCst);
    }

    pub fn advance(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Machine for FakeMachine {
    fn now(&self) -> Timestamp {
        timestamp(self.now.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_secs(self.now.load(Ordering::SeqCst))
    }

    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer.chunks_mut(8) {
            let drawn = self.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            byte.copy_from_slice(&drawn[8 - byte.len()..]);
        }
    }
}

/// A node, enrolled with a federation.
pub struct TestNode {
    pub node: Arc<Node>,
    pub syncer: Syncer,
    pub machine: Arc<FakeMachine>,
    pub router: Router,
}

/// World, server and enrolled node, half an hour after the bundle.
pub async fn started() -> (World, Federation, TestNode) {
    let world = World::new();
    let (federation, node) = started_in(&world).await;
    (world, federation, node)
}

pub async fn started_in(world: &World) -> (Federation, TestNode) {
    let bundle = world.bundle_bytes(&world.trust_list(7), 42, world.bundled());
    let federation = Federation::new(bundle, world.root_hex());
    enrol_at(world, &federation, false).await.expect("enrolled").bundle.expect("the first bundle");
    let node = TestNode::open(world, &federation, world.bundled() + 1800).await;
    (federation, node)
}

pub async fn enrol_at(
    world: &World,
    federation: &Federation,
    again: bool,
) -> Result<zyz_verifier::enrol::Enrolled, zyz_verifier::enrol::EnrolError> {
    let link = federation.link(world.root.verifying_key().as_bytes()).parse().expect("a link");
    let data = world.path("data");
    enrol(EnrolRequest { link, data: &data, device: "收银台1".into(), ca: None, again }).await
}

impl TestNode {
    pub async fn open(world: &World, federation: &Federation, now: u64) -> Self {
        let machine = FakeMachine::at(now);
        Self::open_with(&world.path("data"), federation, machine).await
    }

    pub async fn open_with(folder: &Path, federation: &Federation, machine: Arc<FakeMachine>) -> Self {
        let data = DataDir::open(folder).expect("the folder");
        let ledger = Ledger::open(&data.database().expect("its file")).await.expect("the record");
        let node = Node::open(data, ledger, machine.clone(), None).await.expect("a node");
        let node = Arc::new(node);
        let server = ServerUrl::parse(&format!("http://{}/", federation.address)).expect("an address");
        let syncer = Syncer::new(Arc::clone(&node), client::Federation::new(server, None).expect("no certificates"));
        let access = Access::new("127.0.0.1:8787".parse().expect("an address"), None).expect("loopback");
        let router = router(Arc::clone(&node), access);
        Self { node, syncer, machine, router }
    }

    /// As an orderly end would; the folder may be opened again.
    pub async fn close(self) -> Arc<FakeMachine> {
        let Self { node, syncer, machine, router } = self;
        drop((syncer, router));
        Arc::into_inner(node).expect("nobody else holds it").close().await.expect("closed");
        machine
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8787");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = self.router.clone().oneshot(request.body(body).expect("a request")).await.expect("an answer");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 10_000_000).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub async fn verify(&self, code: &str) -> Value {
        let (status, verdict) = self.ask("POST", "/v1/verify", &[], Some(json!({"code": code}))).await;
        assert_eq!(status, 200, "{verdict}");
        verdict
    }

    pub async fn redeem(&self, key: &str, code: &str, offer: &str) -> (u16, Value) {
        let body = json!({"code": code, "offer": offer});
        let (status, answer) = self.ask("POST", "/v1/redemptions", &[("idempotency-key", key)], Some(body)).await;
        (status.as_u16(), answer)
    }

    /// Gives an offer, which must work, and returns its id.
    pub async fn give(&self, key: &str, code: &str, offer: &str) -> String {
        let (status, answer) = self.redeem(key, code, offer).await;
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    pub async fn reverse(&self, id: &str) -> (u16, Value) {
        let (status, answer) = self.ask("POST", &format!("/v1/redemptions/{id}/reversal"), &[], None).await;
        (status.as_u16(), answer)
    }

    pub async fn status(&self) -> Value {
        self.ask("GET", "/v1/status", &[], None).await.1
    }

    /// Codes of what is wrong, by the status.
    pub async fn problems(&self) -> Vec<String> {
        codes(&self.status().await)
    }

    /// The same beside the verdict on a good card.
    pub async fn problems_with_verdict(&self, world: &World) -> Vec<String> {
        codes(&self.verify(&world.card()).await)
    }

    /// One round; codes of its failures.
    pub async fn sync(&self) -> Vec<&'static str> {
        self.syncer.round().await.failures.iter().map(|failure| failure.code()).collect()
    }

    pub fn machine_now(&self) -> u64 {
        zyz_verifier::clock::seconds(self.machine.now())
    }

    pub async fn version(&self) -> u64 {
        self.status().await["bundle"]["version"].as_u64().unwrap_or(0)
    }
}

pub fn codes(answer: &Value) -> Vec<String> {
    let problems = answer["problems"].as_array().cloned().unwrap_or_default();
    problems.iter().map(|problem| problem["code"].as_str().expect("a code").to_owned()).collect()
}

/// The eligibility of an offer in a verdict: `None` if the holder gets it, else why not.
pub fn why_not(verdict: &Value, offer: &str) -> Option<String> {
    let offers = verdict["offers"].as_array().expect("offers");
    let judged = offers.iter().find(|judged| judged["id"] == offer).expect("the offer");
    judged["reason"].as_str().map(str::to_owned)
}

/// The real program, serving; killed when dropped.
pub struct Process {
    pub child: Child,
    pub url: String,
}

impl Process {
    pub fn serve(data: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zyz-verify"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("its first line");
        let url = line.trim().split_once('：').expect("an address").1.to_owned();
        Self { child, url }
    }

    /// SIGKILL, and gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn redeem(&self, key: &str, code: &str, offer: &str) -> Option<(u16, Value)> {
        redeem_at(&self.url, key, code, offer)
    }

    pub fn json(&self, path: &str) -> Value {
        let mut response = agent().get(format!("{}{path}", self.url)).call().expect("an answer");
        serde_json::from_str(&response.body_mut().read_to_string().expect("a body")).expect("JSON")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Gives an offer at the node with this address; `None` when nobody answered.
pub fn redeem_at(url: &str, key: &str, code: &str, offer: &str) -> Option<(u16, Value)> {
    let request = agent().post(format!("{url}v1/redemptions")).header("Idempotency-Key", key);
    let body = json!({"code": code, "offer": offer}).to_string();
    let mut response = request.header("Content-Type", "application/json").send(body).ok()?;
    let status = response.status().as_u16();
    Some((status, serde_json::from_str(&response.body_mut().read_to_string().ok()?).ok()?))
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    config.timeout_global(Some(Duration::from_secs(20))).build().new_agent()
}
