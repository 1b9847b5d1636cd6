//! A million cards of which one in a hundred is revoked, for the benchmarks.
#![allow(dead_code, reason = "each benchmark uses its part")]

use zyz_credential::*;

pub const CARDS: u32 = 1_000_000;
pub const NOW: Seconds = 1_795_420_800;

pub fn root() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub fn issuing() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

pub fn bundling() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

pub fn card() -> Claims {
    Claims {
        number: CertificateNumber::from_parts(2, 1234).unwrap(),
        star: 3,
        status: CARDS - 1,
        holder: Some(Holder::masked("张三丰").unwrap()),
        issued_at: NOW,
        expires_at: NOW + 31_536_000,
    }
}

/// `count` of the first `CARDS` indices, drawn without replacement by a generator that gives the same each time.
pub fn drawn(count: usize, mut state: u64) -> Vec<u32> {
    let mut drawn = std::collections::BTreeSet::new();
    while drawn.len() < count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let index = (((state >> 32) * u64::from(CARDS - 1)) >> 32) as u32;
        drawn.insert(index);
    }
    drawn.into_iter().collect()
}

pub fn trust_list() -> Vec<u8> {
    let key = PublicKey::of(&issuing());
    let (not_before, not_after, state) = (0, MAX_TIME, KeyState::Active);
    let list = TrustList {
        version: 1,
        issued_at: NOW - 7200,
        expires_at: NOW + 31_536_000,
        issuing_keys: vec![IssuingKey {
            key,
            issuer: "普洱市志愿服务联合会".into(),
            list_uri: "https://zyz.example.cn/status-lists/1.cwt".into(),
            not_before,
            not_after,
            state,
        }],
        bundle_keys: vec![BundleKey { key: PublicKey::of(&bundling()), not_before, not_after, state }],
    };
    list.sign(&root()).unwrap()
}

pub fn bundle(trust_list: Vec<u8>, revoked: StatusSet, suspended: StatusSet, superseded: StatusSet) -> Bundle {
    let issuing_key = PublicKey::of(&issuing()).thumbprint();
    Bundle {
        version: 42,
        issued_at: NOW - 1800,
        expires_at: NOW + 604_800,
        trust_list,
        lists: vec![ListStatus { issuing_key, revoked, suspended, superseded }],
        offers: vec![
            Offer::new("tea-9", OfferKind::Discount, "全场九折"),
            Offer::new("bus", OfferKind::Free, "免费乘车"),
            Offer::new("clinic", OfferKind::Priority, "优先就诊"),
        ],
    }
}

/// Revoked 1 %, suspended 0.1 %, superseded 5 %, apart from each other.
pub fn three_sets() -> [Vec<u32>; 3] {
    let all = drawn(61_000, 1);
    let mut sets = [vec![], vec![], vec![]];
    for (at, index) in all.into_iter().enumerate() {
        sets[match at % 61 {
            0..10 => 0,
            10 => 1,
            _ => 2,
        }]
        .push(index);
    }
    sets
}

pub fn signed_bundle() -> Vec<u8> {
    let [revoked, suspended, superseded] = three_sets().map(|set| StatusSet::from_sorted(set).unwrap());
    bundle(trust_list(), revoked, suspended, superseded).sign(&bundling()).unwrap()
}

pub fn state_of_a_million_cards() -> TrustState {
    let mut state = TrustState::new(PublicKey::of(&root()).as_bytes()).unwrap();
    state.accept(&signed_bundle()).unwrap();
    state
}
