//! The pages that run in a browser: `/` for whoever scans a card's code with any camera, `/scan` for partners.
//!
//! Everything is inside the program, compressed once. Assets live below `scan/`, so that the service worker there serves
//! all of the scanner page without a network; its version is a hash over all files. Addresses within the pages are
//! relative: the router may stand below any path.
//!
//! To add a file: put it into `crates/http/page/` and name it in `FILES`.

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Content-Security-Policy of every answer: nothing inline, nothing from elsewhere, no eval but WebAssembly's.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' blob: data:; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const JSON: &str = "application/json";
const PNG: &str = "image/png";

/// Smaller by less than this share (in percent) is not worth unpacking.
const WORTH_COMPRESSING: usize = 90;

/// Who serves the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The federation: the page enrols, judges by itself and keeps its own ledger; `/` explains a card to a passer-by.
    Federation,
    /// A partner's node: the page asks the node, and `/` is the scanner page too.
    Node,
}

/// What the page has to know of its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOptions {
    /// Who serves it.
    pub mode: Mode,
}

/// `/`, `/scan`, `/scan/` and what they load. Merge it beside the `/v1` routes; it holds no state.
pub fn router(options: PageOptions) -> Router {
    let files: Vec<File> = FILES.iter().copied().chain([mode_file(options.mode)]).collect();
    let version = version(&files);
    let mut router = Router::new();
    let mut route = |path: &str, asset: Asset| {
        let asset = Arc::new(asset);
        let handler = move |headers: HeaderMap| async move { asset.answer(&headers) };
        router = std::mem::take(&mut router).route(path, get(handler));
    };
    for file in &files {
        route(&format!("/scan/{}", file.name), Asset::new(file.kind, file.bytes.to_vec()));
    }
    // Pages name what they load as seen from `scan/`; one directory higher it is a step further.
    let higher = |page: &str| page.replace("=\"./", "=\"./scan/").into_bytes();
    let start = match options.mode {
        Mode::Federation => higher(CARD_PAGE),
        Mode::Node => higher(SCAN_PAGE),
    };
    route("/", Asset::new(HTML, start));
    route("/scan", Asset::new(HTML, higher(SCAN_PAGE)));
    route("/scan/", Asset::new(HTML, SCAN_PAGE.into()));
    // The scope is wider than the worker's own folder by the address without the slash at its end.
    let worker = Asset::new(SCRIPT, service_worker(&version, &files)).with("service-worker-allowed", "../scan");
    route("/scan/sw.js", worker);
    router
}

/// One embedded file.
#[derive(Clone, Copy)]
struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($name:literal, $kind:expr) => {
        File { name: $name, kind: $kind, bytes: include_bytes!(concat!("../page/", $name)) }
    };
}

const CARD_PAGE: &str = include_str!("../page/card.html");
const SCAN_PAGE: &str = include_str!("../page/scan.html");
const SERVICE_WORKER: &str = include_str!("../page/sw.js");

/// Everything below `scan/` but the pages and the service worker themselves.
const FILES: &[File] = &[
    file!("app.js", SCRIPT),
    file!("camera.js", SCRIPT),
    file!("card.js", SCRIPT),
    file!("db.js", SCRIPT),
    file!("engine.js", SCRIPT),
    file!("format.js", SCRIPT),
    file!("http.js", SCRIPT),
    file!("ledger.js", SCRIPT),
    file!("local.js", SCRIPT),
    file!("node.js", SCRIPT),
    file!("number.js", SCRIPT),
    file!("photo.js", SCRIPT),
    file!("scanner.js", SCRIPT),
    file!("sheets.js", SCRIPT),
    file!("signal.js", SCRIPT),
    file!("sync.js", SCRIPT),
    file!("trust.js", SCRIPT),
    file!("verdict.js", SCRIPT),
    file!("wedge.js", SCRIPT),
    file!("welcome.js", SCRIPT),
    file!("words.js", SCRIPT),
    file!("worker.js", SCRIPT),
    file!("scanner.wasm", "application/wasm"),
    file!("style.css", "text/css; charset=utf-8"),
    file!("manifest.webmanifest", "application/manifest+json"),
    file!("icon.svg", "image/svg+xml"),
    file!("icon-192.png", PNG),
    file!("icon-512.png", PNG),
    file!("icon-maskable.png", PNG),
];

fn mode_file(mode: Mode) -> File {
    let bytes: &[u8] = match mode {
        Mode::Federation => br#"{"mode":"federation"}"#,
        Mode::Node => br#"{"mode":"node"}"#,
    };
    File { name: "mode.json", kind: JSON, bytes }
}

/// Changes whenever any byte of what the service worker keeps does.
fn version(files: &[File]) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in kept(files) {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hash.update(SERVICE_WORKER);
    hex::encode(&hash.finalize()[..8])
}

/// What the service worker keeps, by address as seen from `scan/`: the page itself is `./`.
fn kept(files: &[File]) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    [("./", SCAN_PAGE.as_bytes())].into_iter().chain(files.iter().map(|file| (file.name, file.bytes)))
}

/// The service worker with its version and with the SHA-256 of each file it keeps: a page is kept whole or not at all,
/// also while a server is being replaced by its next version.
fn service_worker(version: &str, files: &[File]) -> Vec<u8> {
    let list: Vec<_> = kept(files).map(|(name, bytes)| (name, hex::encode(Sha256::digest(bytes)))).collect();
    let list = serde_json::to_string(&list).unwrap_or_default();
    SERVICE_WORKER
        .replace("const VERSION = 'none';", &format!("const VERSION = '{version}';"))
        .replace("const FILES = [];", &format!("const FILES = {list};"))
        .into_bytes()
}

/// A file ready to be sent.
struct Asset {
    kind: &'static str,
    extra: Option<(HeaderName, HeaderValue)>,
    plain: Body,
    gzip: Option<Body>,
}

/// One form of it; each form has an entity tag of its own.
struct Body {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Asset {
    fn new(kind: &'static str, bytes: Vec<u8>) -> Self {
        let packed = gzip(&bytes).filter(|packed| packed.len() * 100 < bytes.len() * WORTH_COMPRESSING);
        let body = |bytes: Vec<u8>| {
            let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..12]));
            // Hex digits in quotes are always a header value.
            let etag = HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
            Body { bytes: bytes.into(), etag }
        };
        Self { kind, extra: None, plain: body(bytes), gzip: packed.map(body) }
    }

    fn with(self, name: &'static str, value: &'static str) -> Self {
        Self { extra: Some((HeaderName::from_static(name), HeaderValue::from_static(value))), ..self }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let packed = self.gzip.as_ref().filter(|_| accepts_gzip(headers));
        let body = packed.unwrap_or(&self.plain);
        let mut response = if self.is_known(headers) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let kind = [(header::CONTENT_TYPE, self.kind)];
            match packed {
                Some(_) => (kind, [(header::CONTENT_ENCODING, "gzip")], body.bytes.clone()).into_response(),
                None => (kind, body.bytes.clone()).into_response(),
            }
        };
        let answer = response.headers_mut();
        answer.insert(header::ETAG, body.etag.clone());
        for (name, value) in FIXED_HEADERS {
            answer.insert(name, HeaderValue::from_static(value));
        }
        answer.extend(self.extra.clone());
        response
    }

    /// Whether the client has it already, in either form.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let known = |tag: &str| {
            let tag = tag.trim().trim_start_matches("W/");
            tag == "*" || [Some(&self.plain), self.gzip.as_ref()].into_iter().flatten().any(|body| body.etag == tag)
        };
        let asked = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        asked.flat_map(|value| value.split(',')).any(known)
    }
}

const FIXED_HEADERS: [(HeaderName, &str); 8] = [
    (header::CACHE_CONTROL, "no-cache"),
    (header::VARY, "Accept-Encoding"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(self), geolocation=(), microphone=()"),
];

/// Whether gzip is among the accepted encodings and not ruled out by `q=0`.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let ruled_out = parts.any(|part| {
            part.strip_prefix("q=").is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0))
        });
        named && !ruled_out
    })
}

/// `None` only if memory is short: writing to a `Vec` does not fail otherwise.
fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read;

    use axum::body::{Body as RequestBody, to_bytes};
    use axum::http::Request;
    use flate2::read::GzDecoder;
    use tower::ServiceExt;

    use super::*;

    struct Answer {
        status: StatusCode,
        headers: HeaderMap,
        body: Vec<u8>,
    }

    impl Answer {
        fn header(&self, name: &str) -> &str {
            self.headers.get(name).map_or("", |value| value.to_str().unwrap())
        }

        fn text(&self) -> String {
            String::from_utf8(self.body.clone()).unwrap()
        }
    }

    async fn ask(mode: Mode, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(RequestBody::empty()).unwrap();
        let response = router(PageOptions { mode }).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get_plain(path: &str) -> Answer {
        ask(Mode::Federation, path, &[]).await
    }

    #[tokio::test]
    async fn every_file_has_its_type_and_the_policy() {
        let kinds = [
            ("/", HTML),
            ("/scan", HTML),
            ("/scan/", HTML),
            ("/scan/app.js", SCRIPT),
            ("/scan/sw.js", SCRIPT),
            ("/scan/scanner.wasm", "application/wasm"),
            ("/scan/style.css", "text/css; charset=utf-8"),
            ("/scan/manifest.webmanifest", "application/manifest+json"),
            ("/scan/icon-192.png", PNG),
            ("/scan/mode.json", JSON),
        ];
        for (path, kind) in kinds {
            let answer = get_plain(path).await;
            assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, kind), "{path}");
            assert_eq!(answer.header("content-security-policy"), CONTENT_SECURITY_POLICY, "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        }
        assert_eq!(get_plain("/scan/nothing.js").await.status, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn pages_load_nothing_inline_and_nothing_from_elsewhere() {
        for path in ["/", "/scan/"] {
            let html = get_plain(path).await.text();
            for word in ["style=", "onclick", "<style", "http://", "https://", "<script>"] {
                assert!(!html.contains(word), "{path}: {word}");
            }
        }
    }

    #[tokio::test]
    async fn what_a_page_names_is_there() {
        for (page, folder) in [("/", "/"), ("/scan", "/"), ("/scan/", "/scan/")] {
            let html = get_plain(page).await.text();
            let named: Vec<_> = html.split("=\"./").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            assert!(named.len() >= 3, "{page}: {named:?}");
            for name in named {
                assert_eq!(get_plain(&format!("{folder}{name}")).await.status, StatusCode::OK, "{page}: {name}");
            }
        }
    }

    #[tokio::test]
    async fn what_a_module_imports_is_served() {
        let scripts = FILES.iter().filter(|file| file.kind == SCRIPT);
        for file in scripts {
            let text = std::str::from_utf8(file.bytes).unwrap();
            for import in text.lines().filter_map(|line| line.split(" from './").nth(1)) {
                let name = import.trim_end_matches("';");
                assert!(FILES.iter().any(|file| file.name == name), "{} imports {name}", file.name);
            }
        }
    }

    #[tokio::test]
    async fn gzip_only_for_those_who_accept_it() {
        let plain = get_plain("/scan/scanner.wasm").await;
        assert_eq!(plain.header("content-encoding"), "");
        for accepted in ["gzip", "br, gzip;q=0.5", "*"] {
            let packed = ask(Mode::Federation, "/scan/scanner.wasm", &[("accept-encoding", accepted)]).await;
            assert_eq!(packed.header("content-encoding"), "gzip", "{accepted}");
            assert_eq!(packed.header("vary"), "Accept-Encoding");
            assert_ne!(packed.header("etag"), plain.header("etag"));
            let mut unpacked = Vec::new();
            GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain.body);
        }
        for refused in ["gzip;q=0", "br", "identity"] {
            let answer = ask(Mode::Federation, "/scan/scanner.wasm", &[("accept-encoding", refused)]).await;
            assert_eq!(answer.header("content-encoding"), "", "{refused}");
        }
    }

    #[tokio::test]
    async fn what_the_client_has_is_not_sent_again() {
        let tag = get_plain("/scan/app.js").await.header("etag").to_owned();
        for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".into()] {
            let answer = ask(Mode::Federation, "/scan/app.js", &[("if-none-match", &known)]).await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.header("content-encoding"), "");
        }
        let answer = ask(Mode::Federation, "/scan/app.js", &[("if-none-match", "\"other\"")]).await;
        assert_eq!(answer.status, StatusCode::OK);
    }

    #[tokio::test]
    async fn the_service_worker_keeps_the_whole_page_by_content() {
        let worker = get_plain("/scan/sw.js").await;
        assert_eq!(worker.header("service-worker-allowed"), "../scan");
        let text = worker.text();
        assert!(!text.contains("const VERSION = 'none'") && !text.contains("const FILES = [];"), "filled in");
        for file in FILES {
            let entry = format!("[\"{}\",\"{}\"]", file.name, hex::encode(Sha256::digest(file.bytes)));
            assert!(text.contains(&entry), "{}", file.name);
        }
        assert!(text.contains("[\"./\",") && text.contains("[\"mode.json\","));
    }

    #[test]
    fn the_version_changes_with_any_content() {
        let files = [FILES[0], FILES[1]];
        let changed = [FILES[0], File { bytes: b"other", ..FILES[1] }];
        let renamed = [FILES[0], File { name: "other.js", ..FILES[1] }];
        assert_eq!(version(&files), version(&files));
        assert_ne!(version(&files), version(&changed));
        assert_ne!(version(&files), version(&renamed));
    }

    #[tokio::test]
    async fn a_node_shows_the_scanner_page_at_its_root() {
        let node = ask(Mode::Node, "/", &[]).await;
        assert_eq!(node.text(), ask(Mode::Node, "/scan", &[]).await.text());
        assert_eq!(ask(Mode::Node, "/scan/mode.json", &[]).await.text(), r#"{"mode":"node"}"#);
        assert_eq!(get_plain("/scan/mode.json").await.text(), r#"{"mode":"federation"}"#);
        assert!(get_plain("/").await.text().contains("扫码验真"));
    }

    /// What a first visit transfers, bytes.
    #[tokio::test]
    async fn the_page_is_within_its_budget() {
        let mut sum = 0;
        for path in
            FILES.iter().map(|file| format!("/scan/{}", file.name)).chain(["/scan/".into(), "/scan/sw.js".into()])
        {
            let answer = ask(Mode::Federation, &path, &[("accept-encoding", "gzip")]).await;
            let most = if path.ends_with(".wasm") { 90 * 1024 } else { 15 * 1024 };
            assert!(answer.body.len() <= most, "{path}: {} bytes", answer.body.len());
            sum += answer.body.len();
        }
        assert!(sum <= 150 * 1024, "{sum} bytes");
    }
}
