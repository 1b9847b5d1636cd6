use zyz_credential::*;

use crate::support::*;

fn standard() -> StandardClaims {
    StandardClaims::derive(&claims(), &issuing_entry(&issuing(), KeyState::Active))
}

#[test]
fn the_long_form_byte_by_byte() {
    let mut standard = standard();
    standard.issuer = "F".into();
    standard.list_uri = "https://f.cn/1".into();
    let expected = hex(concat!(
        "a6", // map of 6
        "01",
        "61",
        "46", // iss: "F"
        "02",
        "6a",
        "30323030303132333439", // sub
        "04",
        "1a",
        "6d17af7f", // exp
        "06",
        "1a",
        "6b03f280", // iat
        "19ffff",   // 65535 status:
        "a1",
        "6b",
        "7374617475735f6c697374", // {"status_list":
        "a2",
        "63",
        "696478",
        "1a",
        "0001e240", //   {"idx": 123456,
        "63",
        "757269",
        "6e",
        "68747470733a2f2f662e636e2f31", //   "uri": "https://f.cn/1"}}
        "3a",
        "00011170",
        "83",
        "03",
        "1a",
        "0001e240",
        "65",
        "e5bca02a2a", // -70001: as on the card
    ));
    assert_eq!(::hex::encode(standard.encode()), ::hex::encode(expected));
}

#[test]
fn nothing_is_lost() {
    for holder in [None, Some(Holder::masked("玉波罕").unwrap())] {
        let mut standard = standard();
        standard.claims.holder = holder;
        let back = StandardClaims::decode(&standard.encode()).unwrap();
        assert_eq!(back, standard);
        // The card itself can be made again from it, byte for byte.
        let card = sign_credential(&standard.claims, &issuing()).unwrap();
        assert_eq!(sign_credential(&back.claims, &issuing()).unwrap(), card);
    }
}

#[test]
fn signed_it_is_no_card() {
    let signed = standard().sign(&issuing());
    assert_eq!(StandardClaims::open(&signed, &PublicKey::of(&issuing())), Ok(standard()));
    assert_eq!(StandardClaims::open(&signed, &PublicKey::of(&root())), Err(DeriveError::Signature(BadSignature)));
    assert!(Credential::parse(&signed).is_err());
}

#[test]
fn another_index_in_the_reference() {
    let mut bytes = standard().encode();
    let at = bytes.windows(4).position(|window| window == [0x63, b'i', b'd', b'x']).unwrap() + 4;
    bytes[at + 4] ^= 1;
    assert_eq!(StandardClaims::decode(&bytes), Err(DeriveError::StatusIndex));
}

#[test]
fn not_a_reference() {
    let mut bytes = standard().encode();
    let at = bytes.windows(3).position(|window| window == b"idx").unwrap();
    bytes[at] = b'j';
    assert_eq!(StandardClaims::decode(&bytes), Err(DeriveError::StatusReference));
}

#[test]
fn other_malformations() {
    let mut bytes = standard().encode();
    bytes.push(0);
    assert_eq!(
        StandardClaims::decode(&bytes),
        Err(DeriveError::Credential(CredentialError::Encoding(EncodingError::TrailingBytes)))
    );
    let card = payload_of(&sign_credential(&claims(), &issuing()).unwrap());
    assert_eq!(StandardClaims::decode(&card), Err(DeriveError::Credential(CredentialError::MissingClaim(65535))));
}
