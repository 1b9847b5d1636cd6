//! One vector byte by byte, and one named case for each malformation of the claims. Those of the envelope are in
//! `envelope.rs`.

use minicbor::Encoder;
use zyz_credential::*;

use crate::support::*;

/// The card of the contract's example, byte by byte.
fn vector() -> Vec<u8> {
    hex(concat!(
        "d2", // tag 18: COSE_Sign1
        "84", // array of 4
        "49", // protected, 9 bytes:
        "a2", //   map of 2
        "01",
        "32", //   alg: -19, Ed25519
        "04",
        "44",
        "01565176", //   kid: 4 bytes
        "a0",       // unprotected: empty map
        "58",
        "2b", // payload, 43 bytes:
        "a4", //   map of 4
        "02",
        "6a",
        "30323030303132333439", //   sub: "0200012349"
        "04",
        "1a",
        "6d17af7f", //   exp: 2027-12-31T15:59:59Z
        "06",
        "1a",
        "6b03f280", //   iat: 2026-11-23T08:00:00Z
        "3a",
        "00011170", //   -70001
        "83",       //   array of 3
        "03",       //     star 3
        "1a",
        "0001e240", //     status 123456
        "65",
        "e5bca02a2a", //     holder "张**"
        "58",
        "40", // signature, 64 bytes:
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    ))
}

#[test]
fn the_example_byte_by_byte() {
    let bytes = sign_credential(&claims(), &issuing()).unwrap();
    let expected = vector();
    let body = expected.len() - 64;
    assert_eq!(::hex::encode(&bytes[..body]), ::hex::encode(&expected[..body]));
    assert_eq!(bytes.len(), expected.len());
}

#[test]
fn round_trip() {
    for holder in [None, Some(Holder::masked("𬭎三").unwrap()), Some(Holder::masked(&"岩".repeat(15)).unwrap())] {
        for (star, status) in [(0, 0), (5, LIST_SIZE - 1), (1, 23), (2, 24), (3, 255), (4, 65_536)] {
            let claims = Claims { star, status, holder, ..claims() };
            let bytes = sign_credential(&claims, &issuing()).unwrap();
            let credential = Credential::parse(&bytes).unwrap();
            assert_eq!(credential.claims, claims);
            assert_eq!(credential.key_id(), PublicKey::of(&issuing()).key_id());
            assert_eq!(credential.verify(&PublicKey::of(&issuing())), Ok(()));
            assert_eq!(credential.verify(&PublicKey::of(&root())), Err(BadSignature));
            assert!(bytes.len() <= MAX_CREDENTIAL_LEN);
        }
    }
}

#[test]
fn small_enough_for_the_symbols_promised() {
    // Version 8-M holds 152 data codewords (1,216 bits), 7-M 124 (992); byte segment 4 + 8 + 8n, numeric 4 + 10 + 10/3 n.
    let bits = |prefix: usize, digits: usize| {
        let text = if prefix == 0 { 0 } else { 12 + 8 * (prefix + 1) };
        text + 14 + digits / 3 * 10 + [0, 4, 7][digits % 3]
    };
    let largest = Claims { status: LIST_SIZE - 1, ..claims() };
    let digits = digits::encode(&sign_credential(&largest, &issuing()).unwrap());
    assert!(bits(23, digits.len()) <= 1232, "{} bits", bits(23, digits.len()));
    let bare = Claims { holder: None, ..largest };
    let digits = digits::encode(&sign_credential(&bare, &issuing()).unwrap());
    assert!(bits(0, digits.len()) <= 992, "{} bits", bits(0, digits.len()));
}

#[test]
fn the_longest_credential() {
    let holder = Some(Holder::masked(&format!("𬭎{}", "三".repeat(14))).unwrap());
    let claims = Claims { holder, status: LIST_SIZE - 1, issued_at: MAX_TIME - 1, expires_at: MAX_TIME, ..claims() };
    assert_eq!(sign_credential(&claims, &issuing()).unwrap().len(), 145);
}

// Everything below is about the claims: the payload is made by hand, the signature is good.

fn parse(payload: &[u8]) -> Result<Claims, CredentialError> {
    Credential::parse(&seal(payload, None, &issuing())).map(|credential| credential.claims)
}

/// The claims of the example, with one of them written by the caller.
fn with(changed: i64, write: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Result<Claims, CredentialError> {
    parse(&cbor(|e| {
        e.map(4).unwrap();
        for key in [2, 4, 6, -70001] {
            e.i64(key).unwrap();
            match key {
                key if key == changed => write(e),
                2 => {
                    e.str("0200012349").unwrap();
                }
                4 => {
                    e.u64(CARD_EXPIRES).unwrap();
                }
                6 => {
                    e.u64(NOW).unwrap();
                }
                _ => card(e, 3, 123_456, Some("张**")),
            }
        }
    }))
}

fn card(e: &mut Encoder<&mut Vec<u8>>, star: u64, status: u64, holder: Option<&str>) {
    e.array(if holder.is_some() { 3 } else { 2 }).unwrap().u64(star).unwrap().u64(status).unwrap();
    if let Some(holder) = holder {
        e.str(holder).unwrap();
    }
}

fn raw(e: &mut Encoder<&mut Vec<u8>>, bytes: &str) {
    e.writer_mut().extend(hex(bytes));
}

fn encoding(error: EncodingError) -> Result<Claims, CredentialError> {
    Err(CredentialError::Encoding(error))
}

#[test]
fn unchanged_it_is_read() {
    assert_eq!(with(0, |_| {}), Ok(claims()));
}

#[test]
fn trailing_byte() {
    let mut bytes = sign_credential(&claims(), &issuing()).unwrap();
    bytes.push(0);
    assert_eq!(Credential::parse(&bytes).unwrap_err(), CredentialError::Encoding(EncodingError::TrailingBytes));
}

#[test]
fn trailing_byte_in_payload() {
    let mut payload = payload_of(&sign_credential(&claims(), &issuing()).unwrap());
    payload.push(0);
    assert_eq!(parse(&payload), encoding(EncodingError::TrailingBytes));
}

#[test]
fn cut_off_anywhere() {
    let bytes = sign_credential(&claims(), &issuing()).unwrap();
    for end in 0..bytes.len() {
        assert!(Credential::parse(&bytes[..end]).is_err(), "{end}");
    }
    assert_eq!(Credential::parse(&bytes[..60]).unwrap_err(), CredentialError::Encoding(EncodingError::End));
    assert_eq!(Credential::parse(&[]).unwrap_err(), CredentialError::Encoding(EncodingError::End));
}

#[test]
fn longer_than_any() {
    assert_eq!(Credential::parse(&[0xd2; 257]).unwrap_err(), CredentialError::TooLong(257));
}

#[test]
fn longer_integer_in_a_value() {
    assert_eq!(
        with(-70001, |e| raw(e, "83 1803 1a0001e240 65e5bca02a2a".replace(' ', "").as_str())),
        encoding(EncodingError::LongerInteger)
    );
    assert_eq!(with(6, |e| raw(e, "1b000000006b03f280")), encoding(EncodingError::LongerInteger));
    assert_eq!(with(-70001, |e| raw(e, "83031a0000ffff65e5bca02a2a")), encoding(EncodingError::LongerInteger));
    assert_eq!(with(-70001, |e| raw(e, "83031900ff65e5bca02a2a")), encoding(EncodingError::LongerInteger));
}

#[test]
fn longer_length() {
    assert_eq!(with(2, |e| raw(e, "780a30323030303132333439")), encoding(EncodingError::LongerInteger));
    assert_eq!(with(-70001, |e| raw(e, "9803031865e5bca02a2a")), encoding(EncodingError::LongerInteger));
}

#[test]
fn longer_key() {
    assert_eq!(parse(&hex("a11802")), encoding(EncodingError::LongerInteger));
}

#[test]
fn indefinite_map() {
    assert_eq!(parse(&hex("bf02ff")), encoding(EncodingError::IndefiniteLength));
}

#[test]
fn indefinite_array() {
    assert_eq!(with(-70001, |e| raw(e, "9f0300ff")), encoding(EncodingError::IndefiniteLength));
}

#[test]
fn indefinite_text() {
    assert_eq!(with(2, |e| raw(e, "7f6a30323030303132333439ff")), encoding(EncodingError::IndefiniteLength));
}

#[test]
fn a_break() {
    assert_eq!(with(2, |e| raw(e, "ff")), encoding(EncodingError::IndefiniteLength));
}

#[test]
fn reserved_forms() {
    for form in ["1c", "1d", "1e", "1f", "7c", "dc", "3f"] {
        assert_eq!(with(6, |e| raw(e, form)), encoding(EncodingError::Reserved), "{form}");
    }
}

#[test]
fn duplicate_key() {
    assert_eq!(parse(&hex("a204010401")), encoding(EncodingError::DuplicateKey));
}

#[test]
fn unsorted_keys() {
    assert_eq!(parse(&hex("a206010401")), encoding(EncodingError::UnsortedKey));
    // Bytewise, not by value: -70001 (3a…) sorts after 6.
    assert_eq!(parse(&hex("a23a000111708200000601")), encoding(EncodingError::UnsortedKey));
}

#[test]
fn unknown_tag_in_a_value() {
    assert_eq!(with(6, |e| raw(e, "c11a6b03f280")), encoding(EncodingError::UnknownTag(1)));
    assert_eq!(with(2, |e| raw(e, "d8206a30323030303132333439")), encoding(EncodingError::UnknownTag(32)));
}

#[test]
fn unknown_tag_on_a_key() {
    assert_eq!(parse(&hex("a1c10200")), encoding(EncodingError::UnknownTag(1)));
}

#[test]
fn unknown_claim() {
    // 1 (iss) comes before the claims known, 5 (nbf) between, -70002 after.
    assert_eq!(parse(&hex("a10163666f6f")), Err(CredentialError::UnknownClaim(1)));
    assert_eq!(parse(&hex("a1051a6b03f280")), Err(CredentialError::UnknownClaim(5)));
    let mut payload = payload_of(&sign_credential(&claims(), &issuing()).unwrap());
    payload[0] = 0xa5;
    payload.extend(hex("3a0001117100"));
    assert_eq!(parse(&payload), Err(CredentialError::UnknownClaim(-70002)));
}

#[test]
fn missing_claims() {
    for missing in [2, 4, 6, -70001] {
        let payload = cbor(|e| {
            e.map(3).unwrap();
            for key in [2, 4, 6, -70001].into_iter().filter(|key| *key != missing) {
                e.i64(key).unwrap();
                match key {
                    2 => {
                        e.str("0200012349").unwrap();
                    }
                    4 => {
                        e.u64(CARD_EXPIRES).unwrap();
                    }
                    6 => {
                        e.u64(NOW).unwrap();
                    }
                    _ => card(e, 3, 1, None),
                }
            }
        });
        assert_eq!(parse(&payload), Err(CredentialError::MissingClaim(missing)));
    }
}

#[test]
fn not_a_map() {
    assert_eq!(parse(&hex("80")), encoding(EncodingError::UnexpectedKind));
    assert_eq!(parse(&[]), encoding(EncodingError::End));
}

#[test]
fn text_key() {
    assert_eq!(parse(&hex("a16130ff")), encoding(EncodingError::UnexpectedKind));
}

#[test]
fn wrong_kinds_of_values() {
    assert_eq!(
        with(2, |e| {
            e.bytes(b"0200012349").unwrap();
        }),
        encoding(EncodingError::UnexpectedKind)
    );
    assert_eq!(
        with(4, |e| {
            e.i64(-1).unwrap();
        }),
        encoding(EncodingError::UnexpectedKind)
    );
    assert_eq!(
        with(6, |e| {
            e.f64(1.8e9).unwrap();
        }),
        encoding(EncodingError::UnexpectedKind)
    );
    assert_eq!(
        with(6, |e| {
            e.null().unwrap();
        }),
        encoding(EncodingError::UnexpectedKind)
    );
    assert_eq!(
        with(-70001, |e| {
            e.map(0).unwrap();
        }),
        encoding(EncodingError::UnexpectedKind)
    );
}

#[test]
fn map_with_more_entries_than_bytes() {
    assert_eq!(parse(&hex("bbffffffffffffffff")), encoding(EncodingError::End));
}

#[test]
fn key_beyond_64_bits_signed() {
    assert_eq!(parse(&hex("a13bffffffffffffffff00")), encoding(EncodingError::IntegerRange));
}

#[test]
fn card_items() {
    assert_eq!(with(-70001, |e| raw(e, "8103")), Err(CredentialError::CardItems(1)));
    assert_eq!(with(-70001, |e| raw(e, "84030065e5bca02a2a00")), Err(CredentialError::CardItems(4)));
}

#[test]
fn star_range() {
    assert_eq!(with(-70001, |e| card(e, 6, 1, None)), Err(CredentialError::StarRange(6)));
    assert_eq!(with(-70001, |e| card(e, u64::MAX, 1, None)), Err(CredentialError::StarRange(u64::MAX)));
    assert_eq!(sign_credential(&Claims { star: 6, ..claims() }, &issuing()), Err(CredentialError::StarRange(6)));
}

#[test]
fn status_range() {
    let beyond = u64::from(LIST_SIZE);
    assert_eq!(with(-70001, |e| card(e, 1, beyond, None)), Err(CredentialError::StatusRange(beyond)));
    let claims = Claims { status: LIST_SIZE, ..claims() };
    assert_eq!(sign_credential(&claims, &issuing()), Err(CredentialError::StatusRange(beyond)));
}

#[test]
fn expires_as_or_before_it_is_issued() {
    for expires_at in [NOW, NOW - 1, 0] {
        assert_eq!(
            with(4, |e| {
                e.u64(expires_at).unwrap();
            }),
            Err(CredentialError::ExpiresBeforeIssued)
        );
        let claims = Claims { expires_at, ..claims() };
        assert_eq!(sign_credential(&claims, &issuing()), Err(CredentialError::ExpiresBeforeIssued));
    }
}

#[test]
fn time_range() {
    let late = MAX_TIME + 1;
    assert_eq!(
        with(4, |e| {
            e.u64(late).unwrap();
        }),
        Err(CredentialError::TimeRange(late))
    );
    assert_eq!(
        with(6, |e| {
            e.u64(u64::MAX).unwrap();
        }),
        Err(CredentialError::TimeRange(u64::MAX))
    );
}

#[test]
fn number_check_digit() {
    assert_eq!(
        with(2, |e| {
            e.str("0200012348").unwrap();
        }),
        Err(CredentialError::Number(NumberError::CheckDigit))
    );
}

#[test]
fn number_length() {
    assert_eq!(
        with(2, |e| {
            e.str("02 0001234 9").unwrap();
        }),
        Err(CredentialError::Number(NumberError::Length(12)))
    );
    assert_eq!(
        with(2, |e| {
            e.str("").unwrap();
        }),
        Err(CredentialError::Number(NumberError::Length(0)))
    );
}

#[test]
fn number_not_digits() {
    assert_eq!(
        with(2, |e| {
            e.str("０0000000").unwrap();
        }),
        Err(CredentialError::Number(NumberError::NotADigit))
    );
    assert_eq!(
        with(2, |e| {
            e.str("02000123x9").unwrap();
        }),
        Err(CredentialError::Number(NumberError::NotADigit))
    );
}

#[test]
fn holder_empty() {
    assert_eq!(with(-70001, |e| card(e, 1, 1, Some(""))), Err(CredentialError::Holder(HolderError::Empty)));
}

#[test]
fn holder_too_long() {
    let long = format!("张{}", "*".repeat(15));
    assert_eq!(with(-70001, |e| card(e, 1, 1, Some(&long))), Err(CredentialError::Holder(HolderError::TooLong)));
}

#[test]
fn holder_not_masked() {
    for holder in ["张三丰", "张", "张*丰", "张＊＊", "张* "] {
        let read = with(-70001, |e| card(e, 1, 1, Some(holder)));
        assert_eq!(read, Err(CredentialError::Holder(HolderError::NotMasked)), "{holder}");
    }
}

#[test]
fn holder_first_character() {
    // A star, a digit, a space, right-to-left override, zero-width joiner, private use, a look-alike sign.
    for holder in ["***", "1**", " **", "\u{202e}**", "\u{200d}**", "\u{e000}**", "✓**", "Ａ**"] {
        let read = with(-70001, |e| card(e, 1, 1, Some(holder)));
        assert_eq!(read, Err(CredentialError::Holder(HolderError::FirstCharacter)), "{holder:?}");
    }
}

#[test]
fn invalid_utf8_in_holder() {
    assert_eq!(with(-70001, |e| raw(e, "83030065e5bc2a2a2a")), encoding(EncodingError::InvalidUtf8));
}

#[test]
fn invalid_utf8_in_number() {
    assert_eq!(with(2, |e| raw(e, "6aff323030303132333439")), encoding(EncodingError::InvalidUtf8));
}

#[test]
fn holder_is_masked_by_characters() {
    for (name, masked) in
        [("张三丰", "张**"), ("岩·温扁", "岩***"), ("𬭎𫖯", "𬭎*"), ("玉波罕", "玉**"), ("Anna", "A***")]
    {
        let holder = Holder::masked(name).unwrap();
        assert_eq!(holder.to_string(), masked);
        assert_eq!(Holder::from_wire(masked), Ok(holder));
    }
    assert_eq!(Holder::masked(""), Err(HolderError::Empty));
    assert_eq!(Holder::masked("张"), Err(HolderError::NotMasked));
    assert_eq!(Holder::masked(&"张".repeat(16)), Err(HolderError::TooLong));
    assert_eq!(Holder::masked("·张"), Err(HolderError::FirstCharacter));
}
