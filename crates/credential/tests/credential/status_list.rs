use minicbor::Decoder;
use zyz_credential::status_list::{StatusListToken, bits, cwt, jwt, status_at};
use zyz_credential::{LIST_SIZE, PublicKey, Status};

use crate::status_set::sample;
use crate::support::{BUNDLE_EXPIRES, BUNDLE_ISSUED, hex, issuing, list_status, set};

const URI: &str = "https://zyz.example.cn/status-lists/1.cwt";

fn token(compressed: &[u8]) -> StatusListToken<'_> {
    StatusListToken { uri: URI, issued_at: BUNDLE_ISSUED, expires_at: BUNDLE_EXPIRES, ttl: 3600, compressed }
}

#[test]
fn entries_are_packed_from_the_low_bits() {
    let bits = bits(&set(&[0, 7]), &set(&[1]), &set(&[2, LIST_SIZE - 1]));
    assert_eq!(bits.len(), 262_144);
    assert_eq!(bits[..3], [0b00_11_10_01, 0b01_00_00_00, 0]);
    assert_eq!(bits[262_143], 0b11_00_00_00);
}

#[test]
fn sets_and_published_list_agree() {
    let all = sample(LIST_SIZE, 0.03);
    let part = |rest| all.iter().copied().filter(|index| index % 3 == rest).collect::<Vec<_>>();
    let mut list = list_status(&issuing());
    list.revoked = set(&part(0));
    list.suspended = set(&part(1));
    list.superseded = set(&part(2));
    let bits = bits(&list.revoked, &list.suspended, &list.superseded);
    for index in 0..LIST_SIZE {
        assert_eq!(status_at(&bits, index), Some(list.status(index)), "{index}");
    }
    assert_eq!(status_at(&bits, LIST_SIZE), None);
    assert_eq!(list.status(part(0)[5]), Status::Revoked);
    assert_eq!(list.status(part(1)[5]), Status::Suspended);
    assert_eq!(list.status(part(2)[5]), Status::Superseded);
}

#[test]
fn in_two_sets_the_worst_counts() {
    let bits = bits(&set(&[1]), &set(&[1, 2]), &set(&[1, 2, 3]));
    let statuses = [0, 1, 2, 3].map(|index| status_at(&bits, index).unwrap());
    assert_eq!(statuses, [Status::Valid, Status::Revoked, Status::Suspended, Status::Superseded]);
}

#[test]
fn the_cwt_as_other_software_reads_it() {
    let bytes = cwt(&token(b"compressed"), &issuing());
    let mut outer = Decoder::new(&bytes);
    assert_eq!(outer.tag().unwrap().as_u64(), 18);
    assert_eq!(outer.array().unwrap(), Some(4));
    let protected = outer.bytes().unwrap();
    assert_eq!(outer.map().unwrap(), Some(0));
    let payload = outer.bytes().unwrap();
    let signature = outer.bytes().unwrap();

    let mut headers = Decoder::new(protected);
    assert_eq!(headers.map().unwrap(), Some(3));
    assert_eq!((headers.u8().unwrap(), headers.i8().unwrap()), (1, -19));
    assert_eq!(headers.u8().unwrap(), 4);
    assert_eq!(headers.bytes().unwrap(), PublicKey::of(&issuing()).key_id().0);
    assert_eq!((headers.u8().unwrap(), headers.str().unwrap()), (16, "application/statuslist+cwt"));

    let mut claims = Decoder::new(payload);
    assert_eq!(claims.map().unwrap(), Some(5));
    assert_eq!((claims.u32().unwrap(), claims.str().unwrap()), (2, URI));
    assert_eq!((claims.u32().unwrap(), claims.u64().unwrap()), (4, BUNDLE_EXPIRES));
    assert_eq!((claims.u32().unwrap(), claims.u64().unwrap()), (6, BUNDLE_ISSUED));
    assert_eq!((claims.u32().unwrap(), claims.map().unwrap()), (65533, Some(2)));
    assert_eq!((claims.str().unwrap(), claims.bytes().unwrap()), ("lst", &b"compressed"[..]));
    assert_eq!((claims.str().unwrap(), claims.u8().unwrap()), ("bits", 2));
    assert_eq!((claims.u32().unwrap(), claims.u64().unwrap()), (65534, 3600));

    let signed = crate::support::cbor(|e| {
        e.array(4).unwrap().str("Signature1").unwrap().bytes(protected).unwrap();
        e.bytes(&[]).unwrap().bytes(payload).unwrap();
    });
    PublicKey::of(&issuing()).verify(&signed, signature).unwrap();
}

#[test]
fn the_jwt_as_other_software_reads_it() {
    let text = jwt(&token(&hex("fbff00")), &issuing());
    let parts: Vec<_> = text.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{text}") };
    let json = |part| serde_json::from_slice::<serde_json::Value>(&base64url(part)).unwrap();
    let kid = PublicKey::of(&issuing()).key_id().to_string();
    assert_eq!(json(header), serde_json::json!({"alg": "Ed25519", "kid": kid, "typ": "statuslist+jwt"}));
    assert_eq!(
        json(claims),
        serde_json::json!({
            "sub": URI, "iat": BUNDLE_ISSUED, "exp": BUNDLE_EXPIRES, "ttl": 3600,
            "status_list": {"bits": 2, "lst": "-_8A"},
        })
    );
    let signed = &text[..text.rfind('.').unwrap()];
    PublicKey::of(&issuing()).verify(signed.as_bytes(), &base64url(signature)).unwrap();
}

#[test]
fn the_jwt_escapes_what_json_must() {
    let text = jwt(&StatusListToken { uri: "a\"b\\c\n", ..token(b"") }, &issuing());
    let claims: serde_json::Value = serde_json::from_slice(&base64url(text.split('.').nth(1).unwrap())).unwrap();
    assert_eq!(claims["sub"], "a\"b\\c\n");
}

/// Base64url, the slow way round.
fn base64url(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = text.chars().map(|c| format!("{:06b}", ALPHABET.find(c).unwrap())).collect();
    let whole = bits.len() / 8 * 8;
    assert!(bits[whole..].chars().all(|bit| bit == '0'));
    (0..whole).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap()).collect()
}
