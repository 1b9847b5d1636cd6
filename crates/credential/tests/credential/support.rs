//! Keys, documents and hand-made CBOR for the tests.

use ed25519_dalek::Signer;
use minicbor::Encoder;
use minicbor::data::Tag;
use zyz_credential::*;

/// 2026-01-01T00:00:00Z.
pub const NEW_YEAR: u64 = 1_767_225_600;
/// 2026-11-23T07:00:00Z.
pub const TRUST_ISSUED: u64 = 1_795_417_200;
/// 2026-11-23T07:30:00Z.
pub const BUNDLE_ISSUED: u64 = 1_795_419_000;
/// 2026-11-23T08:00:00Z, a Monday, 16:00 in Beijing.
pub const NOW: u64 = 1_795_420_800;
/// 2026-11-30T07:30:00Z.
pub const BUNDLE_EXPIRES: u64 = 1_796_023_800;
/// 2027-12-31T15:59:59Z, the last second of the year in Beijing.
pub const CARD_EXPIRES: u64 = 1_830_268_799;
/// 2030-12-31T15:59:59Z.
pub const LATE: u64 = 1_924_963_199;

/// A signing key from a byte repeated: anybody can make it, so it is for tests only.
pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A signing key from a counter, for tests only.
pub fn counted_key(counter: u64) -> SigningKey {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&counter.to_le_bytes());
    SigningKey::from_bytes(&seed)
}

pub fn root() -> SigningKey {
    key(1)
}

pub fn issuing() -> SigningKey {
    key(2)
}

pub fn bundling() -> SigningKey {
    key(3)
}

pub fn number() -> CertificateNumber {
    CertificateNumber::from_parts(2, 1234).unwrap()
}

/// The card of the contract's example: 张三丰, three stars, index 123,456.
pub fn claims() -> Claims {
    Claims {
        number: number(),
        star: 3,
        status: 123_456,
        holder: Some(Holder::masked("张三丰").unwrap()),
        issued_at: NOW,
        expires_at: CARD_EXPIRES,
    }
}

pub fn issuing_entry(key: &SigningKey, state: KeyState) -> IssuingKey {
    let key = PublicKey::of(key);
    let list_uri = format!("https://zyz.example.cn/status-lists/{}.cwt", &key.thumbprint().to_string()[..16]);
    IssuingKey {
        key, issuer: "普洱市志愿服务联合会".into(), list_uri, not_before: NEW_YEAR, not_after: LATE, state
    }
}

pub fn bundle_entry(key: &SigningKey, state: KeyState) -> BundleKey {
    BundleKey { key: PublicKey::of(key), not_before: NEW_YEAR, not_after: LATE, state }
}

pub fn trust_list() -> TrustList {
    TrustList {
        version: 1,
        issued_at: TRUST_ISSUED,
        expires_at: LATE,
        issuing_keys: vec![issuing_entry(&issuing(), KeyState::Active)],
        bundle_keys: vec![bundle_entry(&bundling(), KeyState::Active)],
    }
}

pub fn set(indices: &[u32]) -> StatusSet {
    StatusSet::from_sorted(indices).unwrap()
}

pub fn list_status(key: &SigningKey) -> ListStatus {
    ListStatus {
        issuing_key: PublicKey::of(key).thumbprint(),
        revoked: StatusSet::default(),
        suspended: StatusSet::default(),
        superseded: StatusSet::default(),
    }
}

pub fn bundle_of(trust_list: &TrustList) -> Bundle {
    let good = trust_list.issuing_keys.iter().filter(|entry| entry.state != KeyState::Compromised);
    let mut lists: Vec<_> =
        good.map(|entry| ListStatus { issuing_key: entry.key.thumbprint(), ..list_status(&issuing()) }).collect();
    lists.sort_by_key(|list| list.issuing_key);
    Bundle {
        version: 42,
        issued_at: BUNDLE_ISSUED,
        expires_at: BUNDLE_EXPIRES,
        trust_list: trust_list.sign(&root()).unwrap(),
        lists,
        offers: vec![],
    }
}

pub fn bundle() -> Bundle {
    bundle_of(&trust_list())
}

pub fn fresh_state() -> TrustState {
    TrustState::new(PublicKey::of(&root()).as_bytes()).unwrap()
}

/// A trust state that has accepted `bundle`, signed with the usual key.
pub fn state_with(bundle: &Bundle) -> TrustState {
    let mut state = fresh_state();
    state.accept(&bundle.sign(&bundling()).unwrap()).unwrap();
    state
}

pub fn code(claims: &Claims, key: &SigningKey) -> String {
    code_text("https://zyz.example.cn/", &sign_credential(claims, key).unwrap())
}

/// CBOR by hand.
pub fn cbor(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes));
    bytes
}

/// The protected headers of a well-made document.
pub fn headers(key: &SigningKey, media_type: Option<&str>) -> Vec<u8> {
    cbor(|e| {
        e.map(if media_type.is_some() { 3 } else { 2 }).unwrap();
        e.u8(1).unwrap().i8(-19).unwrap();
        e.u8(4).unwrap().bytes(&PublicKey::of(key).key_id().0).unwrap();
        if let Some(media_type) = media_type {
            e.u8(16).unwrap().str(media_type).unwrap();
        }
    })
}

/// A COSE_Sign1 of any headers and payload, the signature good: made without the crate under test.
pub fn seal_with(protected: &[u8], payload: &[u8], key: &SigningKey) -> Vec<u8> {
    let signed = cbor(|e| {
        e.array(4).unwrap().str("Signature1").unwrap();
        e.bytes(protected).unwrap().bytes(&[]).unwrap().bytes(payload).unwrap();
    });
    cbor(|e| {
        e.tag(Tag::new(18)).unwrap().array(4).unwrap().bytes(protected).unwrap().map(0).unwrap();
        e.bytes(payload).unwrap().bytes(&key.sign(&signed).to_bytes()).unwrap();
    })
}

pub fn seal(payload: &[u8], media_type: Option<&str>, key: &SigningKey) -> Vec<u8> {
    seal_with(&headers(key, media_type), payload, key)
}

/// The payload of a COSE_Sign1, read without the crate under test.
pub fn payload_of(cose: &[u8]) -> Vec<u8> {
    let mut decoder = minicbor::Decoder::new(cose);
    decoder.tag().unwrap();
    decoder.array().unwrap();
    decoder.bytes().unwrap();
    decoder.map().unwrap();
    decoder.bytes().unwrap().to_vec()
}

pub fn hex(text: &str) -> Vec<u8> {
    ::hex::decode(text).unwrap()
}

/// Two keys with one key id, found by trying counters: 2^16 keys make a pair likely.
pub fn colliding_keys() -> (SigningKey, SigningKey) {
    (counted_key(102_343), counted_key(105_824))
}
