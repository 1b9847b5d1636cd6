//! A server on a socket of this process: its end, its certificates.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zyz::web::server::Running;
use zyz::web::tls::{Tls, TlsError};

use crate::server::TestApp;
use crate::support::Database;

/// A server that runs until it is told to end.
struct Served {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<std::io::Result<()>>,
}

fn serve(app: &TestApp, tls: Option<Tls>, grace: Duration) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let running = Running { listener, tls, every: Duration::from_millis(20), grace };
    let ended = app.runtime().spawn(app.web.clone().serve(running, async {
        let _ = stopped.await;
    }));
    Served { address, stop: Some(stop), ended }
}

/// Looks until `done`; for what another thread does in its own time.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A connection on which half a request was sent.
fn half_a_request(address: SocketAddr) -> TcpStream {
    let mut connection = TcpStream::connect(address).unwrap();
    let head = "POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(b"{\"code\"").unwrap();
    connection
}

#[test]
fn a_request_under_way_is_finished_before_the_end() {
    let app = TestApp::new(Database::sqlite());
    let mut served = serve(&app, None, Duration::from_secs(60));
    let mut connection = half_a_request(served.address);
    until("the request is under way", || {
        String::from_utf8(app.get("/metrics").ok().body).unwrap().contains("zyz_http_requests_in_flight 2")
    });
    served.stop.take().unwrap().send(()).unwrap();
    until("no more connections are taken", || TcpStream::connect(served.address).is_err());
    connection.write_all(b":\"x\"}").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("malformed"), "{answer}");
    app.wait(served.ended).unwrap().unwrap();
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let app = TestApp::new(Database::sqlite());
    let mut served = serve(&app, None, Duration::from_millis(50));
    let _connection = half_a_request(served.address);
    until("the request is under way", || {
        String::from_utf8(app.get("/metrics").ok().body).unwrap().contains("zyz_http_requests_in_flight 2")
    });
    served.stop.take().unwrap().send(()).unwrap();
    app.wait(served.ended).unwrap().unwrap();
}

#[test]
fn what_changes_is_signed_while_the_server_runs() {
    let app = TestApp::with_cards(Database::sqlite(), 1);
    let served = serve(&app, None, Duration::from_secs(1));
    let version = || {
        let metrics = String::from_utf8(app.get("/metrics").ok().body).unwrap();
        metrics.lines().find(|line| line.starts_with("zyz_bundle_version ")).unwrap().to_owned()
    };
    let before = version();
    app.wait(app.federation.revoke(app.numbers()[0], zyz::domain::certificate::Reason::Exit)).unwrap();
    until("a new bundle is signed without being asked for", || version() != before);
    drop(served);
}

/// A certificate for 127.0.0.1, made by the `openssl` command.
fn certificate(folder: &Path, name: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    let (cert, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"])
        .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", key.to_str().unwrap(), "-out", cert.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (cert, key)
}

/// Asks over TLS, believing this certificate only.
fn ask(address: SocketAddr, cert: &Path) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    use ureq::tls::{Certificate, RootCerts, TlsConfig};
    let cert = Certificate::from_pem(&std::fs::read(cert).unwrap()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[cert])).build();
    let agent = ureq::Agent::config_builder().tls_config(tls).max_idle_connections(0).build().new_agent();
    agent.get(format!("https://{address}/v1/federation")).call()
}

#[test]
fn tls_with_a_certificate_that_is_replaced_while_it_runs() {
    let app = TestApp::bounded(zyz::web::Options {
        bounds: zyz::web::Bounds { hsts: true, ..zyz::web::Options::default().bounds },
        ..Default::default()
    });
    let folder = app.path("tls");
    std::fs::create_dir(&folder).unwrap();
    let (old, new) = (certificate(&folder, "old"), certificate(&folder, "new"));
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::copy(&old.0, &cert).unwrap();
    std::fs::copy(&old.1, &key).unwrap();
    let tls = app.wait(Tls::open(&cert, &key)).unwrap();
    let served = serve(&app, Some(tls), Duration::from_secs(1));

    let answer = ask(served.address, &old.0).unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert!(ask(served.address, &new.0).is_err());

    // A pair that does not belong together changes nothing; once the key follows, the pair is taken.
    std::fs::copy(&new.0, &cert).unwrap();
    assert!(ask(served.address, &old.0).is_ok());
    std::fs::copy(&new.1, &key).unwrap();
    until("the new certificate is served", || ask(served.address, &new.0).is_ok());
    assert!(ask(served.address, &old.0).is_err());
}

#[test]
fn certificates_that_cannot_be_used_are_refused_by_name() {
    let app = TestApp::new(Database::sqlite());
    let folder = app.path("tls");
    std::fs::create_dir(&folder).unwrap();
    let (one, two) = (certificate(&folder, "one"), certificate(&folder, "two"));
    let open = |cert: &Path, key: &Path| app.wait(Tls::open(cert, key));
    assert!(matches!(open(&folder.join("nothing"), &one.1), Err(TlsError::Unreadable { .. })));
    assert!(matches!(open(&one.0, &folder.join("nothing")), Err(TlsError::Unreadable { .. })));
    assert!(matches!(open(&one.1, &one.1), Err(TlsError::Unusable { .. })));
    assert!(matches!(open(&one.0, &two.1), Err(TlsError::Unusable { .. })), "not a pair");
}
