//! Whatever comes in: no panic, no acceptance of what was not signed, and one encoding only.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use zyz_credential::*;

use crate::support::*;

static STATE: LazyLock<TrustState> = LazyLock::new(|| state_with(&full_bundle()));
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| sign_credential(&claims(), &issuing()).unwrap());

fn full_bundle() -> Bundle {
    let mut bundle = bundle();
    bundle.lists[0].revoked = set(&[1, 5, 100_000]);
    bundle.lists[0].suspended = set(&[2]);
    bundle.lists[0].superseded = set(&[3, 4]);
    let mut offer = Offer::new("tea", OfferKind::Discount, "全场九折");
    offer.hours = vec![HourWindow { from: 540, to: 720 }];
    offer.limits.per_day = Some(1);
    offer.terms = "每日一次".into();
    bundle.offers = vec![offer, Offer::new("bus", OfferKind::Free, "免费乘车")];
    bundle
}

fn accepts(text: &str) -> bool {
    judge(text, &STATE, NOW, None).verdict != Outcome::Reject
}

/// A few bytes changed, put in or taken out.
fn mangled(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..4).prop_map(move |edits| {
        let mut bytes = good.clone();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes[at] = bytes[at].wrapping_add(1),
                2 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text(text in any::<String>()) {
        prop_assert!(!accepts(&text));
    }

    #[test]
    fn arbitrary_digits(prefix in "[ -~]{0,30}", digits in "[0-9]{0,400}") {
        prop_assert!(!accepts(&digits));
        let with_prefix = prefix + "#" + &digits;
        prop_assert!(!accepts(&with_prefix));
    }

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!accepts(&code_text("", &bytes)));
        let root = PublicKey::of(&root());
        prop_assert!(TrustList::open(&bytes, &root).is_err());
        prop_assert!(Bundle::open(&bytes, &root).is_err());
        prop_assert!(StandardClaims::decode(&bytes).is_err());
        let _ = Ratchet::from_bytes(&bytes);
    }

    #[test]
    fn digits_and_back(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
        prop_assert_eq!(digits::decode(&digits::encode(&bytes)), Ok(bytes));
    }

    #[test]
    fn digits_have_one_form(text in "[0-9]{1,120}") {
        if let Ok(bytes) = digits::decode(&text) {
            prop_assert_eq!(digits::encode(&bytes), text);
        }
    }

    #[test]
    fn one_digit_changed(at in any::<prop::sample::Index>(), by in 1..10u8) {
        let mut digits = digits::encode(&GOOD).into_bytes();
        let at = at.index(digits.len());
        digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
        let verdict = judge(str::from_utf8(&digits).unwrap(), &STATE, NOW, None);
        prop_assert!(verdict.reason <= Reason::BadSignature, "{:?}", verdict.reason);
        prop_assert!(verdict.certificate.is_none());
    }

    #[test]
    fn a_good_code_mangled(bytes in mangled(GOOD.clone())) {
        let verdict = judge(&code_text("", &bytes), &STATE, NOW, None);
        if bytes == *GOOD {
            prop_assert_eq!(verdict.verdict, Outcome::Accept);
        } else {
            prop_assert!(verdict.reason <= Reason::BadSignature, "{:?}", verdict.reason);
        }
    }

    /// Strictness: whatever is read is, but for the signature, what signing would write.
    #[test]
    fn credentials_have_one_encoding(payload in mangled(payload_of(&GOOD))) {
        let bytes = seal(&payload, None, &issuing());
        if let Ok(credential) = Credential::parse(&bytes) {
            prop_assert_eq!(sign_credential(&credential.claims, &issuing()).unwrap(), bytes);
        }
    }

    #[test]
    fn trust_lists_have_one_encoding(payload in mangled(payload_of(&full_bundle().trust_list))) {
        let bytes = seal(&payload, Some(TRUST_LIST_TYPE), &root());
        if let Ok(list) = TrustList::open(&bytes, &PublicKey::of(&root())) {
            prop_assert_eq!(list.sign(&root()).unwrap(), bytes);
        }
    }

    #[test]
    fn bundles_have_one_encoding(payload in mangled(payload_of(&full_bundle().sign(&bundling()).unwrap()))) {
        let bytes = seal(&payload, Some(BUNDLE_TYPE), &bundling());
        if let Ok(open) = Bundle::open(&bytes, &PublicKey::of(&root())) {
            prop_assert_eq!(open.bundle.sign(&bundling()).unwrap(), bytes);
        }
    }

    #[test]
    fn ratchets_have_one_encoding(bytes in mangled(STATE.ratchet().to_bytes())) {
        if let Ok(ratchet) = Ratchet::from_bytes(&bytes) {
            prop_assert_eq!(ratchet.to_bytes(), bytes);
        }
    }

    #[test]
    fn claims_and_back(
        county in 0..100u8, serial in 0..=MAX_SERIAL, star in 0..=5u8, status in 0..LIST_SIZE,
        name in prop::option::of("[一-龥]{2,15}"), issued_at in 0..MAX_TIME, lifetime in 1..1_000_000_000u64,
    ) {
        let claims = Claims {
            number: CertificateNumber::from_parts(county, serial).unwrap(),
            star, status, holder: name.map(|name| Holder::masked(&name).unwrap()),
            issued_at, expires_at: (issued_at + lifetime).min(MAX_TIME),
        };
        let bytes = sign_credential(&claims, &issuing()).unwrap();
        prop_assert_eq!(Credential::parse(&bytes).unwrap().claims, claims);
    }

    #[test]
    fn sets_and_back(indices in prop::collection::btree_set(0..LIST_SIZE, 0..2000)) {
        let set = StatusSet::from_sorted(indices.iter().copied().collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(StatusSet::decode(&set.encode()).unwrap(), set);
    }

    #[test]
    fn dense_sets_and_back(start in 0..LIST_SIZE - 5000, gaps in prop::collection::vec(1..4u32, 0..1000)) {
        let indices: BTreeSet<u32> = gaps.iter().scan(start, |at, gap| { *at += gap; Some(*at) }).collect();
        let set = StatusSet::from_sorted(indices.into_iter().collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(StatusSet::decode(&set.encode()).unwrap(), set);
    }

    #[test]
    fn sets_have_one_encoding(count in 0..40u64, parameter in 0..20u64, data in prop::collection::vec(any::<u8>(), 0..40)) {
        let bytes = cbor(|e| {
            e.array(3).unwrap().u64(count).unwrap().u64(parameter).unwrap().bytes(&data).unwrap();
        });
        if let Ok(set) = StatusSet::decode(&bytes) {
            prop_assert_eq!(set.len() as u64, count);
            prop_assert!(set.as_slice().is_sorted());
            prop_assert_eq!(set.encode(), bytes);
        }
    }

    #[test]
    fn numbers_have_one_form(text in "[0-9]{10}") {
        if let Ok(number) = CertificateNumber::parse(&text) {
            prop_assert_eq!(CertificateNumber::from_parts(number.county(), number.serial()), Ok(number));
            prop_assert_eq!(number.to_string(), text);
        }
    }
}

#[test]
fn every_bit_flip_of_a_good_code_is_refused() {
    for bit in 0..GOOD.len() * 8 {
        let mut bytes = GOOD.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let verdict = judge(&code_text("", &bytes), &STATE, NOW, None);
        assert!(verdict.reason <= Reason::BadSignature, "bit {bit}: {:?}", verdict.reason);
    }
}

#[test]
fn every_bit_flip_of_a_bundle_is_refused_and_changes_nothing() {
    let good = full_bundle().sign(&bundling()).unwrap();
    let mut state = fresh_state();
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(state.accept(&bytes).is_err(), "bit {bit}");
        assert!(state.trust_list().is_none() && state.newest_signed() == 0);
    }
    assert!(state.accept(&good).is_ok());
}
