//! The trust list and the bundle as documents; what was seen before is in `trust.rs`.

use minicbor::Encoder;
use zyz_credential::*;

use crate::support::*;

fn root_key() -> PublicKey {
    PublicKey::of(&root())
}

fn signed(change: impl FnOnce(&mut TrustList)) -> Result<Vec<u8>, TrustListError> {
    let mut list = trust_list();
    change(&mut list);
    list.sign(&root())
}

/// A trust list whose body the caller writes, signed well.
fn open_body(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> TrustListError {
    let payload = cbor(|e| {
        e.map(3).unwrap().u8(4).unwrap().u64(LATE).unwrap().u8(6).unwrap().u64(NOW).unwrap().i32(-70002).unwrap();
        write(e);
    });
    TrustList::open(&seal(&payload, Some(TRUST_LIST_TYPE), &root()), &root_key()).unwrap_err()
}

/// …with one bundle key entry that the caller writes.
fn open_bundle_key(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> TrustListError {
    open_body(|e| {
        e.array(3).unwrap().u8(1).unwrap().array(0).unwrap().array(1).unwrap();
        write(e);
    })
}

#[test]
fn round_trip() {
    let mut list = trust_list();
    list.version = 7;
    list.issuing_keys.push(issuing_entry(&key(9), KeyState::Compromised));
    list.bundle_keys.push(bundle_entry(&key(10), KeyState::Retired));
    assert_eq!(TrustList::open(&list.sign(&root()).unwrap(), &root_key()), Ok(list.clone()));
    assert_eq!(list.issuing_key(&PublicKey::of(&key(9)).thumbprint()).unwrap().state, KeyState::Compromised);
    assert!(list.bundle_key(&PublicKey::of(&key(9)).thumbprint()).is_none());
}

#[test]
fn other_root() {
    let bytes = trust_list().sign(&key(99)).unwrap();
    let other = PublicKey::of(&key(99)).key_id();
    assert_eq!(TrustList::open(&bytes, &root_key()), Err(TrustListError::OtherRoot(other)));
}

#[test]
fn bad_root_signature() {
    let mut bytes = signed(|_| {}).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(TrustList::open(&bytes, &root_key()), Err(TrustListError::BadSignature));
}

#[test]
fn trust_list_version_zero() {
    assert_eq!(signed(|list| list.version = 0), Err(TrustListError::Version));
    let error = open_body(|e| {
        e.array(3).unwrap().u8(0).unwrap().array(0).unwrap().array(0).unwrap();
    });
    assert_eq!(error, TrustListError::Version);
}

#[test]
fn trust_list_validity() {
    assert_eq!(signed(|list| list.expires_at = list.issued_at), Err(TrustListError::Validity));
    assert_eq!(signed(|list| list.expires_at = MAX_TIME + 1), Err(TrustListError::Validity));
}

#[test]
fn too_many_keys() {
    let many = |list: &mut TrustList| list.bundle_keys = vec![bundle_entry(&key(4), KeyState::Active); 257];
    assert_eq!(signed(many), Err(TrustListError::TooManyKeys));
    let error = open_body(|e| {
        e.array(3).unwrap().u8(1).unwrap().array(u64::MAX).unwrap();
    });
    assert_eq!(error, TrustListError::TooManyKeys);
}

#[test]
fn key_twice() {
    let id = |key: &SigningKey| PublicKey::of(key).key_id();
    let twice = |list: &mut TrustList| list.bundle_keys.push(list.bundle_keys[0].clone());
    assert_eq!(signed(twice), Err(TrustListError::KeyTwice(id(&bundling()))));
    let two_roles = |list: &mut TrustList| list.bundle_keys.push(bundle_entry(&issuing(), KeyState::Active));
    assert_eq!(signed(two_roles), Err(TrustListError::KeyTwice(id(&issuing()))));
    let the_root = |list: &mut TrustList| list.bundle_keys.push(bundle_entry(&root(), KeyState::Active));
    assert_eq!(signed(the_root), Err(TrustListError::KeyTwice(id(&root()))));
}

#[test]
fn issuer() {
    let id = PublicKey::of(&issuing()).key_id();
    for name in ["", "a\nb", &"普".repeat(81)] {
        assert_eq!(signed(|list| list.issuing_keys[0].issuer = name.into()), Err(TrustListError::Issuer(id)));
    }
}

#[test]
fn list_uri() {
    let id = PublicKey::of(&issuing()).key_id();
    let long = format!("https://{}", "x".repeat(248));
    for uri in [
        "",
        "https://",
        "ftp://zyz.example.cn/1",
        "javascript:alert(1)",
        "https://a b",
        "https://普洱",
        "https://a\"",
        &long,
    ] {
        assert_eq!(
            signed(|list| list.issuing_keys[0].list_uri = uri.into()),
            Err(TrustListError::ListUri(id)),
            "{uri}"
        );
    }
}

#[test]
fn list_uri_twice() {
    let shared = |list: &mut TrustList| {
        let mut other = issuing_entry(&key(9), KeyState::Active);
        other.list_uri = list.issuing_keys[0].list_uri.clone();
        list.issuing_keys.push(other);
    };
    assert_eq!(signed(shared), Err(TrustListError::ListUriTwice(PublicKey::of(&key(9)).key_id())));
}

#[test]
fn key_validity() {
    let id = PublicKey::of(&bundling()).key_id();
    assert_eq!(signed(|list| list.bundle_keys[0].not_after = NEW_YEAR - 1), Err(TrustListError::KeyValidity(id)));
    assert_eq!(signed(|list| list.bundle_keys[0].not_after = MAX_TIME + 1), Err(TrustListError::KeyValidity(id)));
}

#[test]
fn key_size() {
    let error = open_bundle_key(|e| {
        e.array(5).unwrap().bytes(&[0; 4]).unwrap().bytes(&[0; 31]).unwrap();
    });
    assert_eq!(error, TrustListError::KeySize(31));
}

#[test]
fn key_id_size() {
    let error = open_bundle_key(|e| {
        e.array(5).unwrap().bytes(&[0; 3]).unwrap();
    });
    assert_eq!(error, TrustListError::Envelope(EnvelopeError::KeyIdSize(3)));
}

#[test]
fn weak_key() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let error = open_bundle_key(|e| {
        e.array(5).unwrap().bytes(&[0; 4]).unwrap().bytes(&identity).unwrap();
    });
    assert_eq!(error, TrustListError::Key(KeyRefusal::Weak));
}

#[test]
fn key_id_mismatch() {
    let public = PublicKey::of(&key(5));
    let error = open_bundle_key(|e| {
        e.array(5).unwrap().bytes(&[0; 4]).unwrap().bytes(public.as_bytes()).unwrap();
    });
    assert_eq!(error, TrustListError::KeyIdMismatch(KeyId([0; 4])));
}

#[test]
fn unknown_key_state() {
    let public = PublicKey::of(&key(5));
    let error = open_bundle_key(|e| {
        e.array(5).unwrap().bytes(&public.key_id().0).unwrap().bytes(public.as_bytes()).unwrap();
        e.u64(NEW_YEAR).unwrap().u64(LATE).unwrap().u8(3).unwrap();
    });
    assert_eq!(error, TrustListError::State(3));
}

#[test]
fn trust_list_items() {
    assert_eq!(
        open_body(|e| {
            e.array(2).unwrap();
        }),
        TrustListError::Items(2)
    );
    assert_eq!(
        open_bundle_key(|e| {
            e.array(7).unwrap();
        }),
        TrustListError::Items(7)
    );
}

#[test]
fn trust_list_claims() {
    let open = |payload: &str| TrustList::open(&seal(&hex(payload), Some(TRUST_LIST_TYPE), &root()), &root_key());
    assert_eq!(open("a10100"), Err(TrustListError::UnknownClaim(1)));
    assert_eq!(open("a104010000"), Err(TrustListError::Encoding(EncodingError::TrailingBytes)));
    assert_eq!(open("a204010601"), Err(TrustListError::MissingClaim(-70002)));
    assert_eq!(open("a206013a0001117183018080"), Err(TrustListError::MissingClaim(4)));
    assert_eq!(open("a204013a0001117183018080"), Err(TrustListError::MissingClaim(6)));
    assert_eq!(open("a206010401"), Err(TrustListError::Encoding(EncodingError::UnsortedKey)));
}

// The bundle.

fn open(bundle: &Bundle) -> Result<OpenBundle, BundleError> {
    Bundle::open(&bundle.sign(&bundling()).unwrap(), &root_key())
}

fn sign_changed(change: impl FnOnce(&mut Bundle)) -> BundleError {
    let mut bundle = bundle();
    change(&mut bundle);
    bundle.sign(&bundling()).unwrap_err()
}

/// A bundle's payload that the caller makes from a good one, signed well.
fn open_payload(change: impl FnOnce(&mut Vec<u8>)) -> BundleError {
    let mut payload = payload_of(&bundle().sign(&bundling()).unwrap());
    change(&mut payload);
    Bundle::open(&seal(&payload, Some(BUNDLE_TYPE), &bundling()), &root_key()).unwrap_err()
}

#[test]
fn bundle_round_trip() {
    let mut bundle = bundle();
    bundle.lists[0].revoked = set(&[1, 5, 100_000]);
    bundle.lists[0].suspended = set(&[2]);
    bundle.lists[0].superseded = set(&[3, 4]);
    bundle.offers = vec![Offer::new("a", OfferKind::Free, "免费"), Offer::new("b", OfferKind::Priority, "优先")];
    let open = open(&bundle).unwrap();
    assert_eq!(open.bundle, bundle);
    assert_eq!(open.trust_list, trust_list());
    assert_eq!(open.signer, PublicKey::of(&bundling()).thumbprint());
}

#[test]
fn trust_list_of_another_root() {
    let bundle = Bundle { trust_list: trust_list().sign(&key(99)).unwrap(), ..bundle() };
    let other = PublicKey::of(&key(99)).key_id();
    assert_eq!(open(&bundle), Err(BundleError::TrustList(TrustListError::OtherRoot(other))));
}

#[test]
fn trust_list_tampered_with() {
    let mut bundle = bundle();
    let at = bundle.trust_list.len() - 1;
    bundle.trust_list[at] ^= 0x40;
    assert_eq!(open(&bundle), Err(BundleError::TrustList(TrustListError::BadSignature)));
}

#[test]
fn unknown_bundle_key() {
    let stranger = PublicKey::of(&key(98)).key_id();
    let bytes = bundle().sign(&key(98)).unwrap();
    assert_eq!(Bundle::open(&bytes, &root_key()), Err(BundleError::UnknownKey(stranger)));
    // An issuing key is no bundle key.
    let bytes = bundle().sign(&issuing()).unwrap();
    assert_eq!(Bundle::open(&bytes, &root_key()), Err(BundleError::UnknownKey(PublicKey::of(&issuing()).key_id())));
}

#[test]
fn bad_bundle_signature() {
    let mut bytes = bundle().sign(&bundling()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(Bundle::open(&bytes, &root_key()), Err(BundleError::BadSignature));
}

#[test]
fn bundle_key_states() {
    let id = PublicKey::of(&bundling()).key_id();
    for (state, error) in
        [(KeyState::Retired, BundleError::KeyRetired(id)), (KeyState::Compromised, BundleError::KeyCompromised(id))]
    {
        let mut list = trust_list();
        list.bundle_keys[0].state = state;
        assert_eq!(open(&bundle_of(&list)), Err(error));
    }
}

#[test]
fn bundle_key_not_valid() {
    let id = PublicKey::of(&bundling()).key_id();
    for (not_before, not_after) in [(BUNDLE_ISSUED + 1, LATE), (NEW_YEAR, BUNDLE_ISSUED - 1)] {
        let mut list = trust_list();
        (list.bundle_keys[0].not_before, list.bundle_keys[0].not_after) = (not_before, not_after);
        assert_eq!(open(&bundle_of(&list)), Err(BundleError::KeyNotValid(id)));
    }
    let mut list = trust_list();
    (list.bundle_keys[0].not_before, list.bundle_keys[0].not_after) = (BUNDLE_ISSUED, BUNDLE_ISSUED);
    assert!(open(&bundle_of(&list)).is_ok(), "both ends belong to it");
}

#[test]
fn bundle_version_zero() {
    assert_eq!(sign_changed(|bundle| bundle.version = 0), BundleError::Version);
}

#[test]
fn bundle_validity() {
    assert_eq!(sign_changed(|bundle| bundle.expires_at = bundle.issued_at), BundleError::Validity);
    assert_eq!(sign_changed(|bundle| bundle.expires_at = MAX_TIME + 1), BundleError::Validity);
}

#[test]
fn lists_out_of_order() {
    let mut list = trust_list();
    list.issuing_keys.push(issuing_entry(&key(9), KeyState::Active));
    let good = bundle_of(&list);
    assert!(open(&good).is_ok());
    assert_eq!(
        sign_changed(|bundle| bundle.lists = good.lists.iter().rev().cloned().collect()),
        BundleError::ListOrder
    );
    assert_eq!(sign_changed(|bundle| bundle.lists.push(bundle.lists[0].clone())), BundleError::ListOrder);
}

#[test]
fn missing_list() {
    let id = PublicKey::of(&issuing()).key_id();
    assert_eq!(open(&Bundle { lists: vec![], ..bundle() }), Err(BundleError::MissingList(id)));
    let mut list = trust_list();
    list.issuing_keys[0].state = KeyState::Retired;
    let without = Bundle { lists: vec![], ..bundle_of(&list) };
    assert_eq!(open(&without), Err(BundleError::MissingList(id)), "a retired key's cards stay good");
}

#[test]
fn unknown_list() {
    let stranger = PublicKey::of(&key(9));
    let mut bundle = bundle();
    bundle.lists.push(list_status(&key(9)));
    bundle.lists.sort_by_key(|list| list.issuing_key);
    assert_eq!(open(&bundle), Err(BundleError::UnknownList(stranger.key_id())));
    let mut list = trust_list();
    list.issuing_keys[0].state = KeyState::Compromised;
    let with = Bundle { lists: vec![list_status(&issuing())], ..bundle_of(&list) };
    assert_eq!(open(&with), Err(BundleError::UnknownList(PublicKey::of(&issuing()).key_id())));
    assert!(open(&bundle_of(&list)).is_ok());
}

#[test]
fn sets_overlap() {
    for pair in [[0, 1], [0, 2], [1, 2]] {
        let error = sign_changed(|bundle| {
            let list = &mut bundle.lists[0];
            let sets = [&mut list.revoked, &mut list.suspended, &mut list.superseded];
            for (at, set_of) in sets.into_iter().enumerate() {
                *set_of = if pair.contains(&at) { set(&[at as u32, 77]) } else { set(&[at as u32 + 10]) };
            }
        });
        assert_eq!(error, BundleError::SetsOverlap(77));
    }
}

#[test]
fn offers() {
    let twice = vec![Offer::new("a", OfferKind::Free, "x"), Offer::new("a", OfferKind::Free, "y")];
    assert_eq!(sign_changed(|bundle| bundle.offers = twice), BundleError::OfferTwice);
    let many = (0..1001).map(|n| Offer::new(n.to_string(), OfferKind::Free, "x")).collect();
    assert_eq!(sign_changed(|bundle| bundle.offers = many), BundleError::TooManyOffers);
    let error = open_payload(|payload| {
        payload.pop();
        payload.extend(hex("9bffffffffffffffff"));
    });
    assert_eq!(error, BundleError::TooManyOffers);
}

#[test]
fn a_set_badly_made() {
    // The payload ends with three empty sets (83 00 00 40) and no offers (80).
    let error = open_payload(|payload| {
        let at = payload.len() - 2;
        assert_eq!(payload[at - 3..], hex("83000040 80".replace(' ', "").as_str())[..]);
        payload[at - 1] = 1;
    });
    assert_eq!(error, BundleError::StatusSet(StatusSetError::ParameterNotBest));
}

#[test]
fn thumbprint_size() {
    let error = open_payload(|payload| {
        let thumbprint = PublicKey::of(&issuing()).thumbprint();
        let at = payload.windows(32).rposition(|window| window == thumbprint.0).unwrap();
        payload[at - 1] = 31;
        payload.remove(at);
    });
    assert_eq!(error, BundleError::ThumbprintSize(31));
}

#[test]
fn bundle_badly_encoded() {
    assert_eq!(open_payload(|payload| payload.push(0)), BundleError::Encoding(EncodingError::TrailingBytes));
    assert_eq!(
        open_payload(|payload| {
            payload.pop();
        }),
        BundleError::Encoding(EncodingError::End)
    );
    let mut bytes = bundle().sign(&bundling()).unwrap();
    bytes.push(0);
    let trailing = BundleError::Encoding(EncodingError::TrailingBytes);
    assert_eq!(Bundle::open(&bytes, &root_key()), Err(trailing));
}

#[test]
fn bundle_claims() {
    let open = |payload: &str| Bundle::open(&seal(&hex(payload), Some(BUNDLE_TYPE), &bundling()), &root_key());
    assert_eq!(open("a10100"), Err(BundleError::UnknownClaim(1)));
    assert_eq!(open("a204010601"), Err(BundleError::MissingClaim(-70003)));
    assert_eq!(open("a206013a00011172840140"), Err(BundleError::MissingClaim(4)));
    assert_eq!(open("a204013a00011172840140"), Err(BundleError::MissingClaim(6)));
    assert_eq!(open("a4040106013a0001117284014080803a0001117300"), Err(BundleError::ClaimAfter));
    assert_eq!(open("a3040106013a00011172820140"), Err(BundleError::Items(2)));
}
