//! One named case for each malformation of the envelope, on a credential and, where it matters, on a bundle.

use minicbor::data::Tag;
use zyz_credential::*;

use crate::support::*;

/// Splits a good credential into protected, payload and signature for putting it together wrongly.
fn parts() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let good = sign_credential(&claims(), &issuing()).unwrap();
    (headers(&issuing(), None), payload_of(&good), good[good.len() - 64..].to_vec())
}

fn refusal(bytes: &[u8]) -> CredentialError {
    Credential::parse(bytes).unwrap_err()
}

fn with_headers(protected: &str) -> CredentialError {
    refusal(&seal_with(&hex(&protected.replace(' ', "")), &parts().1, &issuing()))
}

#[test]
fn put_together_rightly_it_is_read() {
    let (protected, payload, signature) = parts();
    let bytes = cbor(|e| {
        e.tag(Tag::new(18)).unwrap().array(4).unwrap().bytes(&protected).unwrap().map(0).unwrap();
        e.bytes(&payload).unwrap().bytes(&signature).unwrap();
    });
    assert_eq!(bytes, sign_credential(&claims(), &issuing()).unwrap());
    assert_eq!(Credential::parse(&bytes).unwrap().verify(&PublicKey::of(&issuing())), Ok(()));
}

#[test]
fn no_tag() {
    let good = sign_credential(&claims(), &issuing()).unwrap();
    assert_eq!(refusal(&good[1..]), CredentialError::Encoding(EncodingError::MissingTag));
}

#[test]
fn unknown_tag() {
    let mut bytes = sign_credential(&claims(), &issuing()).unwrap();
    bytes[0] = 0xd1; // 17: COSE_Mac0
    assert_eq!(refusal(&bytes), CredentialError::Encoding(EncodingError::UnknownTag(17)));
}

#[test]
fn cwt_tag_before_the_cose_tag() {
    let mut bytes = hex("d83d");
    bytes.extend(sign_credential(&claims(), &issuing()).unwrap());
    assert_eq!(refusal(&bytes), CredentialError::Encoding(EncodingError::UnknownTag(61)));
}

#[test]
fn longer_tag() {
    let mut bytes = hex("d812");
    bytes.extend(&sign_credential(&claims(), &issuing()).unwrap()[1..]);
    assert_eq!(refusal(&bytes), CredentialError::Encoding(EncodingError::LongerInteger));
}

#[test]
fn not_four_items() {
    let (protected, payload, _) = parts();
    let bytes = cbor(|e| {
        e.tag(Tag::new(18)).unwrap().array(3).unwrap().bytes(&protected).unwrap().map(0).unwrap();
        e.bytes(&payload).unwrap();
    });
    assert_eq!(refusal(&bytes), CredentialError::Envelope(EnvelopeError::Items(3)));
}

#[test]
fn indefinite_array() {
    let mut bytes = sign_credential(&claims(), &issuing()).unwrap();
    bytes[1] = 0x9f;
    bytes.push(0xff);
    assert_eq!(refusal(&bytes), CredentialError::Encoding(EncodingError::IndefiniteLength));
}

#[test]
fn unprotected_not_empty() {
    let (protected, payload, signature) = parts();
    let bytes = cbor(|e| {
        e.tag(Tag::new(18)).unwrap().array(4).unwrap().bytes(&protected).unwrap();
        e.map(1).unwrap().u8(4).unwrap().bytes(&[0; 4]).unwrap();
        e.bytes(&payload).unwrap().bytes(&signature).unwrap();
    });
    assert_eq!(refusal(&bytes), CredentialError::Envelope(EnvelopeError::UnprotectedNotEmpty));
}

#[test]
fn detached_payload() {
    let (protected, _, signature) = parts();
    let bytes = cbor(|e| {
        e.tag(Tag::new(18)).unwrap().array(4).unwrap().bytes(&protected).unwrap().map(0).unwrap();
        e.null().unwrap().bytes(&signature).unwrap();
    });
    assert_eq!(refusal(&bytes), CredentialError::Encoding(EncodingError::UnexpectedKind));
}

#[test]
fn signature_size() {
    let (protected, payload, signature) = parts();
    for size in [0, 63, 65] {
        let bytes = cbor(|e| {
            e.tag(Tag::new(18)).unwrap().array(4).unwrap().bytes(&protected).unwrap().map(0).unwrap();
            e.bytes(&payload).unwrap().bytes(&[&signature[..], &[0]].concat()[..size]).unwrap();
        });
        assert_eq!(refusal(&bytes), CredentialError::Envelope(EnvelopeError::SignatureSize(size)));
    }
}

#[test]
fn other_algorithms() {
    // -8 EdDSA, -7 ES256, 5 HMAC.
    for (bytes, algorithm) in
        [("a2 01 27 04 44 01020304", -8), ("a2 01 26 04 44 01020304", -7), ("a2 01 05 04 44 01020304", 5)]
    {
        assert_eq!(with_headers(bytes), CredentialError::Envelope(EnvelopeError::Algorithm(algorithm)));
    }
}

#[test]
fn algorithm_as_text() {
    assert_eq!(
        with_headers("a2 01 6745643235353139 04 44 01020304"),
        CredentialError::Encoding(EncodingError::UnexpectedKind)
    );
}

#[test]
fn missing_headers() {
    assert_eq!(with_headers("a1 04 44 01020304"), CredentialError::Envelope(EnvelopeError::MissingHeader(1)));
    assert_eq!(with_headers("a1 01 32"), CredentialError::Envelope(EnvelopeError::MissingHeader(4)));
    assert_eq!(with_headers("a0"), CredentialError::Envelope(EnvelopeError::MissingHeader(1)));
    assert_eq!(with_headers(""), CredentialError::Encoding(EncodingError::End));
}

#[test]
fn key_id_size() {
    assert_eq!(with_headers("a2 01 32 04 43 010203"), CredentialError::Envelope(EnvelopeError::KeyIdSize(3)));
    assert_eq!(with_headers("a2 01 32 04 45 0102030405"), CredentialError::Envelope(EnvelopeError::KeyIdSize(5)));
    assert_eq!(with_headers("a2 01 32 04 40"), CredentialError::Envelope(EnvelopeError::KeyIdSize(0)));
}

#[test]
fn unknown_headers() {
    // 2 crit, 33 x5chain, 35 x5u, -1 ephemeral key.
    assert_eq!(
        with_headers("a3 01 32 02 8103 04 44 01020304"),
        CredentialError::Envelope(EnvelopeError::UnknownHeader(2))
    );
    assert_eq!(
        with_headers("a3 01 32 04 44 01020304 1821 40"),
        CredentialError::Envelope(EnvelopeError::UnknownHeader(33))
    );
    assert_eq!(
        with_headers("a3 01 32 04 44 01020304 1823 40"),
        CredentialError::Envelope(EnvelopeError::UnknownHeader(35))
    );
    assert_eq!(
        with_headers("a3 01 32 04 44 01020304 20 40"),
        CredentialError::Envelope(EnvelopeError::UnknownHeader(-1))
    );
}

#[test]
fn headers_badly_encoded() {
    let encoding = CredentialError::Encoding;
    assert_eq!(with_headers("a2 01 32 04 44 01020304 00"), encoding(EncodingError::TrailingBytes));
    assert_eq!(with_headers("a2 04 44 01020304 01 32"), encoding(EncodingError::UnsortedKey));
    assert_eq!(with_headers("a3 01 32 01 32 04 44 01020304"), encoding(EncodingError::DuplicateKey));
    assert_eq!(with_headers("a2 01 3812 04 44 01020304"), encoding(EncodingError::LongerInteger));
    assert_eq!(with_headers("a2 01 32 04 5804 01020304"), encoding(EncodingError::LongerInteger));
    assert_eq!(with_headers("bf 01 32 04 44 01020304 ff"), encoding(EncodingError::IndefiniteLength));
    assert_eq!(with_headers("b802 01 32 04 44 01020304"), encoding(EncodingError::LongerInteger));
}

#[test]
fn no_kind_of_document_passes_for_another() {
    let bundle_bytes = bundle().sign(&bundling()).unwrap();
    let trust_list_bytes = bundle().trust_list;
    let status_token = status_list::cwt(
        &status_list::StatusListToken { uri: "u", issued_at: 1, expires_at: 2, ttl: 1, compressed: b"" },
        &issuing(),
    );
    let typed = CredentialError::Envelope(EnvelopeError::UnknownHeader(16));
    assert_eq!(refusal(&status_token), typed);
    // Signed with the right keys, but as another kind: the payload of each in the envelope of the others.
    let root_key = PublicKey::of(&root());
    for media_type in [None, Some(BUNDLE_TYPE), Some("application/cwt"), Some("application/vnd.zyz.trust-list")] {
        let wrong = seal(&payload_of(&trust_list_bytes), media_type, &root());
        let expected = media_type.map_or(EnvelopeError::MissingHeader(16), |_| EnvelopeError::Type);
        assert_eq!(TrustList::open(&wrong, &root_key), Err(TrustListError::Envelope(expected)));
    }
    for media_type in [None, Some(TRUST_LIST_TYPE), Some(status_list::CWT_TYPE)] {
        let wrong = seal(&payload_of(&bundle_bytes), media_type, &bundling());
        let expected = media_type.map_or(EnvelopeError::MissingHeader(16), |_| EnvelopeError::Type);
        assert_eq!(Bundle::open(&wrong, &root_key), Err(BundleError::Envelope(expected)));
    }
    assert_eq!(refusal(&seal(&parts().1, Some(BUNDLE_TYPE), &issuing())), typed);
}
