//! The module's functions in plain Rust, and the vectors that `test.mjs` puts through its exports.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};
use zyz_credential::{
    Bundle, BundleKey, CertificateNumber, Claims, Holder, IssuingKey, KeyState, ListStatus, Offer, OfferKind,
    OfferLimits, PublicKey, SigningKey, StatusSet, TrustList, code_text, sign_credential,
};
use zyz_scanner_wasm::Session;

const NEW_YEAR: u64 = 1_767_225_600;
/// 2026-11-23T08:00:00Z, 16:00 in Beijing.
const NOW: u64 = 1_795_420_800;
const LATE: u64 = 1_924_963_199;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn root() -> [u8; 32] {
    *PublicKey::of(&key(1)).as_bytes()
}

fn card(serial: u32, status: u32) -> String {
    let claims = Claims {
        number: CertificateNumber::from_parts(2, serial).expect("in range"),
        star: 3,
        status,
        holder: Some(Holder::masked("张三丰").expect("a name")),
        issued_at: NOW - 3600,
        expires_at: LATE,
    };
    code_text("https://zyz.example.cn/", &sign_credential(&claims, &key(2)).expect("good claims"))
}

/// A bundle in which the card with status 7 is revoked.
fn bundle(version: u64, title: &str) -> Vec<u8> {
    let issuing = IssuingKey {
        key: PublicKey::of(&key(2)),
        issuer: "普洱市志愿服务联合会".into(),
        list_uri: "https://zyz.example.cn/status-lists/1".into(),
        not_before: NEW_YEAR,
        not_after: LATE,
        state: KeyState::Active,
    };
    let signing =
        BundleKey { key: PublicKey::of(&key(3)), not_before: NEW_YEAR, not_after: LATE, state: KeyState::Active };
    let trust_list = TrustList {
        version: 1,
        issued_at: NOW - 7200,
        expires_at: LATE,
        issuing_keys: vec![issuing],
        bundle_keys: vec![signing],
    };
    let list = ListStatus {
        issuing_key: PublicKey::of(&key(2)).thumbprint(),
        revoked: StatusSet::from_sorted([7]).expect("sorted"),
        suspended: StatusSet::default(),
        superseded: StatusSet::default(),
    };
    let mut offer = Offer::new("tea-9", OfferKind::Discount, title);
    offer.limits = OfferLimits { per_day: Some(1), ..OfferLimits::default() };
    let bundle = Bundle {
        version,
        issued_at: NOW - 1800,
        expires_at: NOW + 86_400,
        trust_list: trust_list.sign(&key(1)).expect("a good list"),
        lists: vec![list],
        offers: vec![offer],
    };
    bundle.sign(&key(3)).expect("a good bundle")
}

fn session() -> Session {
    let mut session = Session::default();
    session.trust_new(&root(), &[]).expect("a good root");
    session.trust_accept(&bundle(42, "全场九折")).expect("a good bundle");
    session
}

fn judged(session: &Session, text: &str, uses: &str) -> Value {
    let json = session.judge(text.as_bytes(), NOW as f64, -1.0, uses.as_bytes()).expect("a verdict");
    serde_json::from_slice(&json).expect("JSON")
}

fn refused(result: Result<impl Sized, zyz_scanner_wasm::Refused>) -> &'static str {
    let refused = result.err().expect("a refusal");
    assert!(refused.message.contains('请'), "says what to do: {}", refused.message);
    refused.error
}

#[test]
fn nothing_without_a_root() {
    let mut session = Session::default();
    assert_eq!(refused(session.trust_accept(b"x")), "no_root");
    assert_eq!(refused(session.judge(b"1", 0.0, -1.0, b"")), "no_root");
    assert_eq!(session.trust_ratchet(), None);
}

#[test]
fn roots_that_are_none() {
    let mut session = session();
    for root in [&[0_u8; 32][..], &[1; 31], &[]] {
        assert_eq!(refused(session.trust_new(root, &[])), "root_refused", "{root:?}");
    }
    assert_eq!(refused(session.judge(b"1", 0.0, -1.0, b"")), "no_root", "nothing is trusted any more");
}

#[test]
fn a_bundle_says_what_it_holds() {
    let mut session = Session::default();
    session.trust_new(&root(), &[]).expect("a good root");
    let bytes = bundle(42, "全场九折");
    let first = serde_json::to_value(session.trust_accept(&bytes).expect("good")).expect("JSON");
    assert_eq!(
        first,
        json!({
            "bundle_version": 42, "trust_list_version": 1, "issued_at": NOW - 1800, "expires_at": NOW + 86_400, "new": true,
            "offers": [{"id": "tea-9", "kind": "discount", "title": "全场九折", "min_star": 0, "limits": {"per_day": 1}}],
        })
    );
    assert!(!session.trust_accept(&bytes).expect("good").new);
}

#[test]
fn refused_bundles_change_nothing() {
    let mut session = session();
    assert_eq!(refused(session.trust_accept(&bundle(41, "全场九折"))), "older");
    assert_eq!(refused(session.trust_accept(&bundle(42, "全场八折"))), "forked");
    assert_eq!(refused(session.trust_accept(b"\x84")), "damaged");
    assert_eq!(judged(&session, &card(1234, 5), "")["verdict"], "accept");
    let mut other = Session::default();
    other.trust_new(PublicKey::of(&key(9)).as_bytes(), &[]).expect("a good root");
    assert_eq!(refused(other.trust_accept(&bundle(42, "全场九折"))), "other_root");
}

#[test]
fn a_ratchet_forgets_nothing() {
    let ratchet = session().trust_ratchet().expect("there is one");
    let mut later = Session::default();
    later.trust_new(&root(), &ratchet).expect("taken up");
    assert_eq!(refused(later.trust_accept(&bundle(41, "全场九折"))), "older");
    assert_eq!(refused(later.trust_new(&root(), &ratchet[1..])), "ratchet_damaged");
    assert_eq!(refused(later.trust_new(PublicKey::of(&key(9)).as_bytes(), &ratchet)), "ratchet_of_other_root");
}

#[test]
fn uses_count() {
    let session = session();
    let card = card(1234, 5);
    assert_eq!(judged(&session, &card, "")["offers"][0]["eligible"], true);
    assert_eq!(judged(&session, &card, &format!("tea-9 {}", NOW - 60))["offers"][0]["reason"], "used_today");
    assert_eq!(judged(&session, &card, &format!("other {NOW}\ntea-9 {}", NOW - 86_400))["offers"][0]["eligible"], true);
    for nonsense in ["tea-9", "tea-9 yesterday", "tea-9 -1", "tea-9  1"] {
        let answer = session.judge(card.as_bytes(), NOW as f64, -1.0, nonsense.as_bytes());
        assert_eq!(refused(answer), "uses", "{nonsense}");
    }
}

#[test]
fn times_that_are_no_times() {
    let session = session();
    for now in [f64::NAN, -1.0, f64::NEG_INFINITY] {
        let json = session.judge(card(1234, 5).as_bytes(), now, f64::NAN, b"").expect("a verdict");
        let verdict: Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(verdict["reason"], "clock_suspect", "{now}");
    }
    let json = session.judge(card(1234, 5).as_bytes(), f64::INFINITY, -1.0, b"").expect("a verdict");
    assert_eq!(serde_json::from_slice::<Value>(&json).expect("JSON")["reason"], "expired");
    let json = session.judge(card(1234, 5).as_bytes(), NOW as f64, 60.0, b"").expect("a verdict");
    assert_eq!(serde_json::from_slice::<Value>(&json).expect("JSON")["reason"], "status_stale");
}

/// `ZYZ_WRITE_VECTORS=1 cargo test -p zyz-scanner-wasm` writes them anew.
#[test]
fn the_vectors_of_the_node_test() {
    let text = card(1234, 5);
    let code = QrCode::with_error_correction_level(&text, EcLevel::M).expect("it fits");
    let dark: String = code.to_colors().iter().map(|color| if *color == Color::Dark { '1' } else { '0' }).collect();
    let rows: Vec<&str> = (0..code.width()).map(|row| &dark[row * code.width()..][..code.width()]).collect();
    let session = session();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let vectors = json!({
        "now": NOW,
        "root": hex(&root()),
        "bundle": hex(&bundle(42, "全场九折")),
        "older": hex(&bundle(41, "全场九折")),
        "forked": hex(&bundle(42, "全场八折")),
        "newer": hex(&bundle(43, "全场九折")),
        "ratchet": hex(&session.trust_ratchet().expect("there is one")),
        "card": text,
        "revoked_card": card(77, 7),
        "number": "0200012349",
        "verdict": judged(&session, &text, ""),
        "modules": rows,
    });
    let vectors = format!("{vectors:#}\n");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors.json");
    if std::env::var_os("ZYZ_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &vectors).expect("writable");
    }
    assert!(std::fs::read_to_string(&path).expect("there") == vectors, "tests/vectors.json has drifted from the code");
}
