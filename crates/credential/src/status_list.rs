//! The published form of the same facts: a Token Status List (IETF draft-ietf-oauth-status-list-21), two bits an entry, as
//! the standard's signed CWT and JWT.
//!
//! Compression is the caller's: [`bits`] → zlib (RFC 1950) → [`StatusListToken`] → [`cwt`] and [`jwt`].

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ed25519_dalek::{Signer, SigningKey};

use crate::Seconds;
use crate::cbor::Writer;
use crate::claims::{CLAIM_EXP, CLAIM_IAT, CLAIM_SUB};
use crate::envelope::seal;
use crate::key::PublicKey;
use crate::status_set::{LIST_SIZE, StatusSet};

/// The header `typ` of the CWT, and its media type.
pub const CWT_TYPE: &str = "application/statuslist+cwt";
/// The header `typ` of the JWT; its media type has `application/` before it.
pub const JWT_TYPE: &str = "statuslist+jwt";
/// Bits an entry.
pub const BITS: u8 = 2;

const CLAIM_STATUS_LIST: i64 = 65533;
const CLAIM_TTL: i64 = 65534;

/// What a list says of one card; the values of the IETF registry, 3 being the application's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Status {
    /// Good.
    Valid = 0,
    /// For good: exit, misuse, error (INVALID).
    Revoked = 1,
    /// For a time.
    Suspended = 2,
    /// A newer card of the same volunteer stands in its place (APPLICATION_SPECIFIC).
    Superseded = 3,
}

/// What a status list token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusListToken<'a> {
    /// The list's own address, as in the trust list.
    pub uri: &'a str,
    /// When the facts were so.
    pub issued_at: Seconds,
    /// From when on the token must not be used.
    pub expires_at: Seconds,
    /// How many seconds a copy may be kept before asking again.
    pub ttl: u64,
    /// [`bits`], compressed as zlib (RFC 1950).
    pub compressed: &'a [u8],
}

/// The 2^20 entries of a list, two bits each, the first entry in the low bits of the first byte: 262,144 bytes.
///
/// An index in several sets (which a bundle refuses) counts as revoked before suspended before superseded.
pub fn bits(revoked: &StatusSet, suspended: &StatusSet, superseded: &StatusSet) -> Vec<u8> {
    let mut bits = vec![0u8; LIST_SIZE as usize / 4];
    let sets = [(superseded, Status::Superseded), (suspended, Status::Suspended), (revoked, Status::Revoked)];
    for (set, status) in sets {
        for index in set.as_slice() {
            let (byte, shift) = place(*index);
            bits[byte] = bits[byte] & !(0b11 << shift) | (status as u8) << shift;
        }
    }
    bits
}

/// The entry at `index`, or `None` beyond the end.
pub fn status_at(bits: &[u8], index: u32) -> Option<Status> {
    let (byte, shift) = place(index);
    Some(match bits.get(byte)? >> shift & 0b11 {
        0 => Status::Valid,
        1 => Status::Revoked,
        2 => Status::Suspended,
        _ => Status::Superseded,
    })
}

/// The signed CWT: COSE_Sign1 with `typ` [`CWT_TYPE`], claims `sub`, `exp`, `iat`, `status_list` (65533), `ttl` (65534).
pub fn cwt(token: &StatusListToken<'_>, key: &SigningKey) -> Vec<u8> {
    let mut writer = Writer::with_capacity(token.compressed.len() + token.uri.len() + 64);
    writer.map(5);
    writer.integer(CLAIM_SUB).text(token.uri);
    writer.integer(CLAIM_EXP).unsigned(token.expires_at);
    writer.integer(CLAIM_IAT).unsigned(token.issued_at);
    // Bytewise order puts the shorter key first: "lst" (63…) before "bits" (64…).
    writer.integer(CLAIM_STATUS_LIST).map(2).text("lst").bytes(token.compressed).text("bits").unsigned(u64::from(BITS));
    writer.integer(CLAIM_TTL).unsigned(token.ttl);
    seal(&writer.finish(), Some(CWT_TYPE), key)
}

/// The signed JWT, compact serialisation (RFC 7515 §7.1): `alg` Ed25519 (RFC 9864), `typ` [`JWT_TYPE`], `kid` the key id
/// as eight hex digits.
pub fn jwt(token: &StatusListToken<'_>, key: &SigningKey) -> String {
    let header = alloc::format!(r#"{{"alg":"Ed25519","kid":"{}","typ":"{JWT_TYPE}"}}"#, PublicKey::of(key).key_id());
    let claims = alloc::format!(
        r#"{{"exp":{},"iat":{},"status_list":{{"bits":{BITS},"lst":"{}"}},"sub":{},"ttl":{}}}"#,
        token.expires_at,
        token.issued_at,
        BASE64URL.encode(token.compressed),
        json_string(token.uri),
        token.ttl
    );
    let mut text = BASE64URL.encode(header.as_bytes());
    text.push('.');
    text.push_str(&BASE64URL.encode(claims.as_bytes()));
    let signature = key.sign(text.as_bytes());
    text.push('.');
    text.push_str(&BASE64URL.encode(signature.to_bytes()));
    text
}

fn place(index: u32) -> (usize, u32) {
    (index as usize / 4, index % 4 * 2)
}

/// A JSON string (RFC 8259 §7).
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\u{1F}' => json.push_str(&alloc::format!("\\u{:04x}", character as u32)),
            _ => json.push(character),
        }
    }
    json.push('"');
    json
}
