//! The bytes of a key file: PEM (RFC 7468) ∘ `EncryptedPrivateKeyInfo` (RFC 5208, section 6) ∘ PBES2 (RFC 8018) ∘
//! `PrivateKeyInfo` version 1. No files here, and no paths.
//!
//! ```text
//! -----BEGIN ENCRYPTED PRIVATE KEY-----
//!   SEQUENCE
//!     SEQUENCE  PBES2, { scrypt (RFC 7914; N 2^14, r 8, p 1, salt 16 bytes), aes256-CBC (iv 16 bytes) }
//!     OCTET STRING  encrypted:
//!       SEQUENCE                       48 bytes for Ed25519
//!         INTEGER 0                    version 1
//!         SEQUENCE  OID                1.3.101.112 (Ed25519, RFC 8410) or 1.2.840.113549.1.7.1 (our data keys)
//!         OCTET STRING                 Ed25519: 04 20 and the 32-byte seed; data keys: the 64 bytes
//! ```
//!
//! The scrypt parameters are those of the `pkcs5` crate, which OpenSSL 3 opens within its default memory limit: 16 MiB
//! and some 40 ms a key.

use ed25519_dalek::SigningKey;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, SecretDocument};
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef, LineEnding, ObjectIdentifier, PrivateKeyInfoRef};
use zeroize::{Zeroize, Zeroizing};

use super::data_keys::DataKeys;
use super::passphrase::Passphrase;
use crate::clock::Entropy;

/// PEM label of everything we write and open (RFC 7468, section 11).
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Ed25519 (RFC 8410, section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// `id-data` (RFC 5652, section 4): "arbitrary octet strings". It names no algorithm of any kind, so no program that
/// knows its PKCS#8 can take the data keys for a signature key.
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");

/// log₂ of scrypt's N.
const SCRYPT_LOG_N: u8 = 14;
/// A file may ask for this much scrypt memory (128 · N · r bytes) and no more: a hostile one would ask for all of it.
const SCRYPT_MEMORY: u64 = 256 << 20;
/// … for this many lanes …
const SCRYPT_LANES: u16 = 16;
/// … and for this many rounds of PBKDF2, some seconds. (OWASP recommends 600,000; OpenSSL's default is 2,048.)
const PBKDF2_ROUNDS: u32 = 10_000_000;

/// What is wrong with a key file's content. [`super::KeyError`] adds the path and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    NotPem,
    /// PEM, but of another label: a public key, a certificate, another program's key format.
    OtherPem(String),
    Unencrypted,
    /// A structure or a cipher that we do not open.
    Encryption(&'static str),
    Passphrase,
    /// A key of another kind: the name of its algorithm, or its object identifier; and the kind asked for.
    Algorithm {
        found: String,
        wanted: &'static str,
    },
    PublicKeyMismatch,
}

/// PEM of `key` under `passphrase`; salt and initialisation vector come from `entropy`.
pub(super) fn seal_signing(key: &SigningKey, passphrase: &Passphrase, entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut inner = Zeroizing::new([0_u8; 34]);
    inner[..2].copy_from_slice(&[0x04, 0x20]);
    inner[2..].copy_from_slice(key.as_bytes());
    seal(ED25519, &inner[..], passphrase, entropy)
}

/// PEM of the data keys under `passphrase`.
pub(super) fn seal_data(keys: &DataKeys, passphrase: &Passphrase, entropy: &dyn Entropy) -> Zeroizing<String> {
    seal(DATA, keys.as_bytes(), passphrase, entropy)
}

/// Opens an Ed25519 key.
pub(super) fn open_signing(pem: &str, passphrase: &Passphrase) -> Result<SigningKey, Flaw> {
    let document = decrypt(pem, passphrase)?;
    let info = private_key_info(&document)?;
    expect_algorithm(&info.algorithm, ED25519)?;
    let seed: &[u8; 32] = match info.private_key.as_bytes() {
        [0x04, 0x20, seed @ ..] => seed.try_into().map_err(|_| malformed(ED25519))?,
        _ => return Err(malformed(ED25519)),
    };
    let key = SigningKey::from_bytes(seed);
    if let Some(public) = info.public_key
        && public.as_bytes() != Some(key.verifying_key().as_bytes())
    {
        return Err(Flaw::PublicKeyMismatch);
    }
    Ok(key)
}

/// Opens the data keys.
pub(super) fn open_data(pem: &str, passphrase: &Passphrase) -> Result<DataKeys, Flaw> {
    let document = decrypt(pem, passphrase)?;
    let info = private_key_info(&document)?;
    expect_algorithm(&info.algorithm, DATA)?;
    DataKeys::from_slice(info.private_key.as_bytes()).ok_or_else(|| malformed(DATA))
}

fn seal(algorithm: ObjectIdentifier, key: &[u8], passphrase: &Passphrase, entropy: &dyn Entropy) -> Zeroizing<String> {
    let (mut salt, mut iv) = ([0_u8; 16], [0_u8; 16]);
    entropy.fill(&mut salt);
    entropy.fill(&mut iv);
    let scheme = scrypt::Params::new(SCRYPT_LOG_N, 8, 1)
        .ok()
        .and_then(|params| pbes2::Parameters::generate_scrypt_aes256cbc(params, &salt, iv).ok())
        .expect("the constants are scrypt's own recommendation");
    let algorithm = AlgorithmIdentifierRef { oid: algorithm, parameters: None };
    let key = OctetStringRef::new(key).expect("a key is shorter than DER's limit");
    PrivateKeyInfoRef::new(algorithm, key)
        .encrypt_with_params(scheme, passphrase.as_bytes())
        .and_then(|document| Ok(document.to_pem(ENCRYPTED, LineEnding::LF)?))
        .expect("a short key under a supported scheme is encrypted")
}

fn decrypt(pem: &str, passphrase: &Passphrase) -> Result<SecretDocument, Flaw> {
    let (label, document) = SecretDocument::from_pem(pem).map_err(|_| refuse_pem(pem))?;
    if label != ENCRYPTED {
        return Err(refuse_pem(pem));
    }
    let sealed = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes())
        .map_err(|_| Flaw::Encryption("EncryptedPrivateKeyInfo"))?;
    let scheme = sealed.encryption_algorithm.pbes2().ok_or(Flaw::Encryption("PBES1"))?;
    within_limits(&scheme.kdf)?;
    match scheme.decrypt(passphrase.as_bytes(), sealed.encrypted_data.as_bytes()) {
        // Padding tells a wrong passphrase 255 times of 256; the rest shows as DER that cannot be read.
        Ok(mut plain) => {
            let document = SecretDocument::try_from(plain.as_slice()).map_err(|_| Flaw::Passphrase);
            plain.zeroize();
            document
        }
        Err(pkcs8::pkcs5::Error::DecryptFailed) => Err(Flaw::Passphrase),
        Err(_) => Err(Flaw::Encryption("PBES2")),
    }
}

/// Why this text is not an encrypted PKCS#8 key, by the label of its first PEM block.
fn refuse_pem(pem: &str) -> Flaw {
    let label = pem.lines().find_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"));
    match label {
        None | Some(ENCRYPTED) => Flaw::NotPem,
        Some("PRIVATE KEY") => Flaw::Unencrypted,
        Some(other) => Flaw::OtherPem(other.chars().take(40).collect()),
    }
}

fn within_limits(kdf: &pbes2::Kdf) -> Result<(), Flaw> {
    let modest = match kdf {
        pbes2::Kdf::Scrypt(params) => {
            let memory = params.cost_parameter.checked_mul(u64::from(params.block_size) * 128);
            params.cost_parameter.is_power_of_two()
                && memory.is_some_and(|bytes| bytes <= SCRYPT_MEMORY)
                && params.parallelization <= SCRYPT_LANES
        }
        pbes2::Kdf::Pbkdf2(params) => params.iteration_count <= PBKDF2_ROUNDS,
        _ => return Err(Flaw::Encryption("KDF")),
    };
    if modest { Ok(()) } else { Err(Flaw::Encryption("KDF")) }
}

fn private_key_info(document: &SecretDocument) -> Result<PrivateKeyInfoRef<'_>, Flaw> {
    PrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| Flaw::Passphrase)
}

fn expect_algorithm(algorithm: &AlgorithmIdentifierRef<'_>, wanted: ObjectIdentifier) -> Result<(), Flaw> {
    if algorithm.oid == wanted && algorithm.parameters.is_none() {
        return Ok(());
    }
    Err(Flaw::Algorithm { found: name(algorithm.oid), wanted: wanted_name(wanted) })
}

/// The right object identifier over content that does not fit it.
fn malformed(wanted: ObjectIdentifier) -> Flaw {
    Flaw::Algorithm { found: format!("格式不对的 {}", name(wanted)), wanted: wanted_name(wanted) }
}

fn wanted_name(wanted: ObjectIdentifier) -> &'static str {
    if wanted == DATA { "数据密钥（data.pem）" } else { "Ed25519 签名密钥" }
}

fn name(oid: ObjectIdentifier) -> String {
    match oid.to_string().as_str() {
        "1.3.101.112" => "Ed25519".into(),
        "1.3.101.110" => "X25519".into(),
        "1.3.101.113" => "Ed448".into(),
        "1.2.840.113549.1.1.1" => "RSA".into(),
        "1.2.840.10045.2.1" => "EC".into(),
        "1.2.840.113549.1.7.1" => "数据密钥（data.pem）".into(),
        oid => oid.to_owned(),
    }
}
