//! The bytes shown in `docs/CREDENTIAL.md` are made here: the test fails where the document has drifted from the code.
//! `ZYZ_WRITE_DOCS=1 cargo test -p zyz-credential --test credential document` writes them anew.

use std::fmt::Write;
use std::path::Path;

use zyz_credential::*;

use crate::support::*;

fn document() -> (std::path::PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CREDENTIAL.md");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

fn example_bundle() -> Bundle {
    let mut bundle = bundle();
    bundle.lists[0].revoked = set(&[3, 103, 144]);
    bundle.lists[0].suspended = set(&[5]);
    let mut offer = Offer::new("tea-9", OfferKind::Discount, "全场九折");
    offer.min_star = 1;
    offer.hours = vec![HourWindow { from: 540, to: 1080 }];
    bundle.offers = vec![offer];
    bundle
}

#[test]
fn the_bytes_in_the_document_are_the_codes() {
    let card = sign_credential(&claims(), &issuing()).unwrap();
    let list = trust_list().sign(&root()).unwrap();
    let bundle = example_bundle().sign(&bundling()).unwrap();
    let mut state = fresh_state();
    state.accept(&bundle).unwrap();
    let text = code_text("https://zyz.example.cn/", &card);
    let verdict = judge(&text, &state, NOW, None);
    let keys = [root(), issuing(), bundling()].map(|key| PublicKey::of(&key));
    let hexes = keys.map(|key| format!("{}  {}", ::hex::encode(key.as_bytes()), key.key_id()));
    let blocks = [
        ("keys", hexes.join("\n")),
        ("credential", annotate(&card, CREDENTIAL)),
        ("code", wrap(&text, 100)),
        ("trust-list", annotate(&list, TRUST_LIST)),
        ("bundle", annotate(&bundle, BUNDLE)),
        ("standard-claims", {
            let standard = StandardClaims::derive(&claims(), &issuing_entry(&issuing(), KeyState::Active));
            annotate(&standard.encode(), STANDARD)
        }),
        ("verdict", serde_json::to_string_pretty(&verdict).unwrap()),
    ];
    let (path, text) = document();
    let mut wanted = text.clone();
    for (name, block) in &blocks {
        let begin = format!("<!-- made by tests/credential/document.rs: {name} -->\n```");
        let from = wanted.find(&begin).unwrap_or_else(|| panic!("no block {name} in the document")) + begin.len();
        let from = from + wanted[from..].find('\n').unwrap() + 1;
        let to = from + wanted[from..].find("```").unwrap();
        wanted.replace_range(from..to, &format!("{block}\n"));
    }
    if std::env::var_os("ZYZ_WRITE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
        return;
    }
    let drifted = text.lines().zip(wanted.lines()).find(|(has, wants)| has != wants);
    assert!(text == wanted, "docs/CREDENTIAL.md has drifted from the code, first here: {drifted:#?}");
}

#[test]
fn the_document_names_every_constant() {
    let (_, text) = document();
    for constant in [
        TRUST_LIST_TYPE.to_string(),
        BUNDLE_TYPE.to_string(),
        CWT_TYPE.to_string(),
        status_list::CWT_TYPE.to_string(),
        status_list::JWT_TYPE.to_string(),
        CLAIM_CARD.to_string(),
        (CLAIM_CARD - 1).to_string(),
        (CLAIM_CARD - 2).to_string(),
        MAX_TIME.to_string(),
        MAX_CREDENTIAL_LEN.to_string(),
        MAX_KEYS.to_string(),
        HOLDER_CHECK.to_string(),
    ] {
        assert!(text.contains(&constant), "{constant}");
    }
    for reason in [
        "malformed",
        "unknown_key",
        "bad_signature",
        "key_compromised",
        "key_not_valid",
        "not_yet_valid",
        "expired",
        "revoked",
        "suspended",
        "superseded",
        "status_stale",
        "clock_suspect",
        "ok",
        "star_too_low",
        "not_yet",
        "over",
        "not_today",
        "not_in_hours",
        "status_too_old",
        "used_today",
        "used_this_month",
        "used_up",
    ] {
        assert!(text.contains(&format!("`{reason}`")), "{reason}");
    }
}

/// One comment an item, in the order of the bytes; a map's key and value share one. `>` before it: the byte string holds
/// CBOR, which is shown as well.
const CREDENTIAL: &[&str] = &[
    "tag 18: COSE_Sign1",
    "four items",
    ">protected headers, 9 bytes",
    "map of 2",
    "1 alg: -19, Ed25519",
    "4 kid: first 4 bytes of the issuing key's thumbprint",
    "unprotected headers: none",
    ">payload, the claims",
    "map of 4",
    "2 sub: \"0200012349\"",
    "4 exp: 2027-12-31T15:59:59Z",
    "6 iat: 2026-11-23T08:00:00Z",
    "-70001: the card, three items",
    "star 3",
    "status 123456",
    "holder \"张**\"",
    "signature, 64 bytes",
];

const TRUST_LIST: &[&str] = &[
    "tag 18: COSE_Sign1",
    "four items",
    ">protected headers",
    "map of 3",
    "1 alg: -19, Ed25519",
    "4 kid: the root key",
    "16 typ: \"application/vnd.zyz.trust-list+cose\"",
    "unprotected headers: none",
    ">payload",
    "map of 3",
    "4 exp: 2030-12-31T15:59:59Z",
    "6 iat: 2026-11-23T07:00:00Z",
    "-70002: the list, three items",
    "version 1",
    "issuing keys: one",
    "seven items",
    "kid",
    "public key",
    "issuer \"普洱市志愿服务联合会\"",
    "address of its status list",
    "not before 2026-01-01T00:00:00Z",
    "not after 2030-12-31T15:59:59Z",
    "state 0: active",
    "bundle keys: one",
    "five items",
    "kid",
    "public key",
    "not before 2026-01-01T00:00:00Z",
    "not after 2030-12-31T15:59:59Z",
    "state 0: active",
    "the root's signature",
];

const BUNDLE: &[&str] = &[
    "tag 18: COSE_Sign1",
    "four items",
    ">protected headers",
    "map of 3",
    "1 alg: -19, Ed25519",
    "4 kid: the bundle key",
    "16 typ: \"application/vnd.zyz.bundle+cose\"",
    "unprotected headers: none",
    ">payload",
    "map of 3",
    "4 exp: 2026-11-30T07:30:00Z",
    "6 iat: 2026-11-23T07:30:00Z",
    "-70003: the bundle, four items",
    "version 42",
    "the signed trust list above, byte for byte",
    "lists: one",
    "four items",
    "thumbprint of the issuing key",
    "revoked: three items",
    "three indices",
    "Rice parameter 5",
    "1 00011 · 0001 00011 · 01 01000 · 00: gaps 3, 99, 40 = indices 3, 103, 144",
    "suspended: three items",
    "one index",
    "Rice parameter 1",
    "001 1 · 0000: gap 5 = index 5",
    "superseded: three items",
    "none",
    "parameter 0",
    "no bytes",
    "offers: one",
    "map of 5",
    "1 id: \"tea-9\"",
    "2 kind 1: discount",
    "3 title \"全场九折\"",
    "5 star 1 or more",
    "9 hours: one window",
    "two items",
    "from 540: 09:00 in Beijing",
    "to 1080: 18:00",
    "the bundle key's signature",
];

const STANDARD: &[&str] = &[
    "map of 6",
    "1 iss: \"普洱市志愿服务联合会\"",
    "2 sub",
    "4 exp",
    "6 iat",
    "65535 status: map of 1",
    "\"status_list\": map of 2",
    "\"idx\": 123456",
    "\"uri\": the list's address",
    "-70001: the card, as it is",
    "star 3",
    "status 123456",
    "holder \"张**\"",
];

fn annotate(bytes: &[u8], comments: &'static [&'static str]) -> String {
    let mut annotator = Annotator { bytes, position: 0, comments: comments.iter(), lines: String::new() };
    annotator.item(0, String::new());
    assert_eq!(annotator.position, bytes.len());
    assert!(annotator.comments.next().is_none(), "comments are left over");
    annotator.lines.trim_end().to_owned()
}

struct Annotator<'b> {
    bytes: &'b [u8],
    position: usize,
    comments: std::slice::Iter<'static, &'static str>,
    lines: String,
}

impl Annotator<'_> {
    fn item(&mut self, depth: usize, key: String) {
        let (kind, value, head) = self.head();
        let comment = *self.comments.next().expect("a comment for each item");
        let (descend, comment) = comment.strip_prefix('>').map_or((false, comment), |comment| (true, comment));
        let mut hex = if key.is_empty() { head } else { format!("{key} {head}") };
        let mut rest = Vec::new();
        if matches!(kind, 2 | 3) && !descend {
            let content = &self.bytes[self.position..self.position + value as usize];
            self.position += value as usize;
            if content.len() <= 12 {
                write!(hex, " {}", ::hex::encode(content)).unwrap();
            } else {
                rest = content.chunks(32).map(::hex::encode).collect();
            }
        }
        let indent = "  ".repeat(depth);
        let line = format!("{indent}{}", hex.trim_end());
        writeln!(self.lines, "{line:<40} # {comment}").unwrap();
        for line in rest {
            writeln!(self.lines, "{indent}  {line}").unwrap();
        }
        match kind {
            2 if descend => {
                let end = self.position + value as usize;
                self.item(depth + 1, String::new());
                assert_eq!(self.position, end);
            }
            4 => (0..value).for_each(|_| self.item(depth + 1, String::new())),
            5 => (0..value).for_each(|_| {
                let (kind, length, mut key) = self.head();
                if kind == 3 {
                    let end = self.position + length as usize;
                    write!(key, " {}", ::hex::encode(&self.bytes[self.position..end])).unwrap();
                    self.position = end;
                }
                self.item(depth + 1, key);
            }),
            6 => self.item(depth + 1, String::new()),
            _ => {}
        }
    }

    fn head(&mut self) -> (u8, u64, String) {
        let initial = self.bytes[self.position];
        let extra = match initial & 31 {
            0..=23 => 0,
            info => 1 << (info - 24),
        };
        let head = &self.bytes[self.position..self.position + 1 + extra];
        self.position += head.len();
        let value = match extra {
            0 => u64::from(initial & 31),
            _ => head[1..].iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        };
        let hex = format!("{} {}", ::hex::encode(&head[..1]), ::hex::encode(&head[1..]));
        (initial >> 5, value, hex.trim_end().to_owned())
    }
}

fn wrap(text: &str, width: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(width).map(String::from_iter).collect::<Vec<_>>().join("\n")
}
