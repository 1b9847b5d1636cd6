//! The ratchet: versions and times only go up, a refusal changes nothing, a restart forgets nothing.

use zyz_credential::*;

use crate::support::*;

/// The usual trust list with another version and another key beside the usual bundle key.
fn list(version: u64, bundle_keys: &[(&SigningKey, KeyState)]) -> TrustList {
    let bundle_keys = bundle_keys.iter().map(|(key, state)| bundle_entry(key, *state)).collect();
    TrustList { version, issued_at: TRUST_ISSUED + version, bundle_keys, ..trust_list() }
}

fn only_usual(version: u64) -> TrustList {
    list(version, &[(&bundling(), KeyState::Active)])
}

fn signed(list: &TrustList, version: u64, issued_at: u64, key: &SigningKey) -> Vec<u8> {
    Bundle { version, issued_at, ..bundle_of(list) }.sign(key).unwrap()
}

/// Accepting must fail with `error` and leave everything as it was, also after a restart.
fn refuses(state: &mut TrustState, bytes: &[u8], error: BundleError) {
    let (before, ratchet) = (format!("{state:?}"), state.ratchet().clone());
    assert_eq!(state.accept(bytes), Err(error));
    assert_eq!(format!("{state:?}"), before, "a refusal changed the state");
    let mut restarted = restart(state);
    assert_eq!(restarted.accept(bytes), Err(error), "after a restart");
    assert_eq!(*restarted.ratchet(), ratchet);
}

fn restart(state: &TrustState) -> TrustState {
    TrustState::restore(PublicKey::of(&root()).as_bytes(), &state.ratchet().to_bytes()).unwrap()
}

#[test]
fn what_is_accepted() {
    let mut state = fresh_state();
    assert!(state.trust_list().is_none());
    let bytes = signed(&only_usual(1), 42, BUNDLE_ISSUED, &bundling());
    let first = Accepted {
        trust_list_version: 1,
        bundle_version: 42,
        issued_at: BUNDLE_ISSUED,
        expires_at: BUNDLE_EXPIRES,
        new: true,
    };
    assert_eq!(state.accept(&bytes), Ok(first));
    assert_eq!(state.newest_signed(), BUNDLE_ISSUED);
    assert_eq!(state.trust_list(), Some(&only_usual(1)));
    assert_eq!(state.ratchet().trust_list_version(), Some(1));
    assert_eq!(state.ratchet().bundle_version(&PublicKey::of(&bundling()).thumbprint()), Some(42));
    assert_eq!(state.accept(&bytes), Ok(Accepted { new: false, ..first }), "the same bytes again");
    assert_eq!(restart(&state).accept(&bytes), Ok(Accepted { new: false, ..first }), "the same bytes after a restart");
}

#[test]
fn older_bundle() {
    let mut state = fresh_state();
    state.accept(&signed(&only_usual(1), 42, BUNDLE_ISSUED, &bundling())).unwrap();
    let older = signed(&only_usual(1), 41, BUNDLE_ISSUED + 5, &bundling());
    refuses(&mut state, &older, BundleError::Older { seen: 42, got: 41 });
}

#[test]
fn same_version_other_bytes() {
    let mut state = fresh_state();
    state.accept(&signed(&only_usual(1), 42, BUNDLE_ISSUED, &bundling())).unwrap();
    let other = signed(&only_usual(1), 42, BUNDLE_ISSUED + 1, &bundling());
    refuses(&mut state, &other, BundleError::Forked(42));
}

#[test]
fn older_trust_list() {
    let mut state = fresh_state();
    state.accept(&signed(&only_usual(2), 42, BUNDLE_ISSUED, &bundling())).unwrap();
    let older = signed(&only_usual(1), 43, BUNDLE_ISSUED, &bundling());
    refuses(&mut state, &older, BundleError::TrustListOlder { seen: 2, got: 1 });
}

#[test]
fn same_trust_list_version_other_bytes() {
    let mut state = fresh_state();
    state.accept(&signed(&only_usual(2), 42, BUNDLE_ISSUED, &bundling())).unwrap();
    let other = TrustList { expires_at: LATE - 1, ..only_usual(2) };
    refuses(&mut state, &signed(&other, 43, BUNDLE_ISSUED, &bundling()), BundleError::TrustListForked(2));
}

#[test]
fn refusals_of_the_document_change_nothing() {
    let mut state = fresh_state();
    refuses(&mut state, b"", BundleError::Encoding(EncodingError::End));
    state.accept(&signed(&only_usual(2), 42, BUNDLE_ISSUED, &bundling())).unwrap();
    refuses(&mut state, b"", BundleError::Encoding(EncodingError::End));
    // A newer trust list in a bundle that is refused is not taken up either.
    let mut bytes = signed(&only_usual(3), 43, BUNDLE_ISSUED + 9, &bundling());
    *bytes.last_mut().unwrap() ^= 1;
    refuses(&mut state, &bytes, BundleError::BadSignature);
    let older = signed(&only_usual(3), 41, BUNDLE_ISSUED + 9, &bundling());
    refuses(&mut state, &older, BundleError::Older { seen: 42, got: 41 });
    assert_eq!(state.ratchet().trust_list_version(), Some(2));
    assert_eq!(state.newest_signed(), BUNDLE_ISSUED);
}

#[test]
fn rotating_the_bundle_key_resets_that_keys_ratchet_only() {
    let (old, new) = (bundling(), key(5));
    let mut state = fresh_state();
    state.accept(&signed(&only_usual(1), 42, BUNDLE_ISSUED, &old)).unwrap();
    let rotated = list(2, &[(&old, KeyState::Retired), (&new, KeyState::Active)]);
    // The new key counts from 1 again…
    state.accept(&signed(&rotated, 1, BUNDLE_ISSUED + 10, &new)).unwrap();
    assert_eq!(state.ratchet().bundle_version(&PublicKey::of(&new).thumbprint()), Some(1));
    // …its own versions only go up, the old key's are remembered, and the trust list's too.
    state.accept(&signed(&rotated, 2, BUNDLE_ISSUED + 20, &new)).unwrap();
    refuses(&mut state, &signed(&rotated, 1, BUNDLE_ISSUED + 10, &new), BundleError::Older { seen: 2, got: 1 });
    assert_eq!(state.ratchet().bundle_version(&PublicKey::of(&old).thumbprint()), Some(42));
    let id = PublicKey::of(&old).key_id();
    refuses(&mut state, &signed(&rotated, 43, BUNDLE_ISSUED + 30, &old), BundleError::KeyRetired(id));
    let back = signed(&only_usual(1), 42, BUNDLE_ISSUED, &old);
    refuses(&mut state, &back, BundleError::TrustListOlder { seen: 2, got: 1 });
    // Made active again by the root, the old key goes on where it was.
    let again = list(3, &[(&old, KeyState::Active), (&new, KeyState::Retired)]);
    refuses(&mut state, &signed(&again, 42, BUNDLE_ISSUED + 40, &old), BundleError::Forked(42));
    state.accept(&signed(&again, 43, BUNDLE_ISSUED + 40, &old)).unwrap();
}

#[test]
fn a_bundle_of_another_key_must_not_be_issued_earlier() {
    let (one, two) = (bundling(), key(5));
    let both = list(2, &[(&one, KeyState::Active), (&two, KeyState::Active)]);
    let mut state = fresh_state();
    let first = signed(&both, 7, BUNDLE_ISSUED, &one);
    state.accept(&first).unwrap();
    refuses(&mut state, &signed(&both, 1, BUNDLE_ISSUED - 1, &two), BundleError::IssuedEarlier);
    state.accept(&signed(&both, 1, BUNDLE_ISSUED + 100, &two)).unwrap();
    // The newest bundle of the first key is older than what is in force: replayed, it would bring back revoked cards.
    refuses(&mut state, &first, BundleError::IssuedEarlier);
    refuses(&mut state, &signed(&both, 8, BUNDLE_ISSUED + 99, &one), BundleError::IssuedEarlier);
    state.accept(&signed(&both, 8, BUNDLE_ISSUED + 100, &one)).unwrap();
}

#[test]
fn what_a_compromised_key_said_is_forgotten() {
    let (stolen, new) = (bundling(), key(5));
    let mut state = fresh_state();
    state.accept(&signed(&only_usual(1), 42, BUNDLE_ISSUED, &stolen)).unwrap();
    // The thief dates a bundle far ahead, so that every clock is suspect and no later bundle passes.
    let far = BUNDLE_EXPIRES - 1;
    state.accept(&signed(&only_usual(1), u64::MAX, far, &stolen)).unwrap();
    assert_eq!(state.newest_signed(), far);
    let rotated = list(2, &[(&stolen, KeyState::Compromised), (&new, KeyState::Active)]);
    state.accept(&signed(&rotated, 1, BUNDLE_ISSUED + 10, &new)).unwrap();
    assert_eq!(state.newest_signed(), BUNDLE_ISSUED + 10);
    assert_eq!(state.ratchet().bundle_version(&PublicKey::of(&stolen).thumbprint()), None);
    let id = PublicKey::of(&stolen).key_id();
    refuses(&mut state, &signed(&rotated, 43, far, &stolen), BundleError::KeyCompromised(id));
}

#[test]
fn a_key_dropped_from_the_list_is_remembered() {
    let (old, new) = (bundling(), key(5));
    let mut state = fresh_state();
    state.accept(&signed(&only_usual(1), 42, BUNDLE_ISSUED, &old)).unwrap();
    let without = list(2, &[(&new, KeyState::Active)]);
    refuses(&mut state, &signed(&without, 1, BUNDLE_ISSUED - 1, &new), BundleError::IssuedEarlier);
    state.accept(&signed(&without, 1, BUNDLE_ISSUED, &new)).unwrap();
    let readded = list(3, &[(&old, KeyState::Active)]);
    refuses(&mut state, &signed(&readded, 41, BUNDLE_ISSUED + 5, &old), BundleError::Older { seen: 42, got: 41 });
}

#[test]
fn bundle_keys_that_share_a_key_id() {
    let (one, two) = colliding_keys();
    let list = list(2, &[(&one, KeyState::Active), (&two, KeyState::Active)]);
    let mut state = fresh_state();
    state.accept(&signed(&list, 5, BUNDLE_ISSUED, &one)).unwrap();
    state.accept(&signed(&list, 1, BUNDLE_ISSUED + 1, &two)).unwrap();
    assert_eq!(state.ratchet().bundle_version(&PublicKey::of(&one).thumbprint()), Some(5));
    assert_eq!(state.ratchet().bundle_version(&PublicKey::of(&two).thumbprint()), Some(1));
}

#[test]
fn the_trust_lists_own_time_counts() {
    let mut state = fresh_state();
    let list = TrustList { issued_at: BUNDLE_ISSUED + 1000, ..only_usual(1) };
    state.accept(&signed(&list, 1, BUNDLE_ISSUED, &bundling())).unwrap();
    assert_eq!(state.newest_signed(), BUNDLE_ISSUED + 1000);
    assert_eq!(restart(&state).newest_signed(), BUNDLE_ISSUED + 1000);
}

#[test]
fn the_earlier_expiry_counts() {
    let mut state = fresh_state();
    let list = TrustList { expires_at: BUNDLE_EXPIRES - 5, ..only_usual(1) };
    let accepted = state.accept(&signed(&list, 1, BUNDLE_ISSUED, &bundling())).unwrap();
    assert_eq!(accepted.expires_at, BUNDLE_EXPIRES - 5);
}

#[test]
fn ratchet_round_trip() {
    let mut state = fresh_state();
    assert_eq!(Ratchet::from_bytes(&state.ratchet().to_bytes()).as_ref(), Ok(state.ratchet()));
    for (version, seed) in [(1, 20), (2, 21), (3, 22)] {
        let signer = key(seed);
        let list = list(version, &[(&signer, KeyState::Active)]);
        state.accept(&signed(&list, version, BUNDLE_ISSUED, &signer)).unwrap();
        assert_eq!(Ratchet::from_bytes(&state.ratchet().to_bytes()).as_ref(), Ok(state.ratchet()));
    }
}

#[test]
fn ratchet_of_another_root() {
    let state = fresh_state();
    let restored = TrustState::restore(PublicKey::of(&key(9)).as_bytes(), &state.ratchet().to_bytes());
    assert_eq!(restored.unwrap_err(), RatchetError::OtherRoot);
}

#[test]
fn ratchet_damaged() {
    let good = state_with(&bundle()).ratchet().to_bytes();
    for end in 0..good.len() {
        assert!(Ratchet::from_bytes(&good[..end]).is_err(), "{end}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(Ratchet::from_bytes(&longer), Err(RatchetError::Encoding(EncodingError::TrailingBytes)));
    // A last bundle key that is not among those seen.
    let mut other = good.clone();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(Ratchet::from_bytes(&other), Err(RatchetError::Shape));
    assert_eq!(Ratchet::from_bytes(&hex("80")), Err(RatchetError::Shape));
}

#[test]
fn a_root_that_must_not_be_trusted() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(TrustState::new(&identity).unwrap_err(), KeyRefusal::Weak);
}
