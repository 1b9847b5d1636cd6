//! Public keys that may be trusted, and how they are named.

use alloc::vec::Vec;
use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The first four bytes of a [`Thumbprint`]: names a key in a credential, without being unique.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

/// The SHA-256 COSE key thumbprint of a public key (RFC 9679).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(pub [u8; 32]);

/// An Ed25519 public key that passed every check of [`PublicKey::accept`], decompressed once for all.
#[derive(Clone, Copy)]
pub struct PublicKey {
    verifying: VerifyingKey,
    thumbprint: Thumbprint,
}

/// Why 32 bytes are not taken as a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyRefusal {
    /// No point of the curve has this encoding.
    #[error("these bytes are no point of the curve")]
    NotAPoint,
    /// The point is encoded in another than its one canonical form (RFC 8032 §5.1.3).
    #[error("the key is not in canonical form")]
    NotCanonical,
    /// A point of low order: signatures under it hold for almost any message.
    #[error("the key is weak (of low order)")]
    Weak,
    /// A point with a torsion component: implementations disagree on what verifies under it.
    #[error("the key is of mixed order")]
    MixedOrder,
}

/// The signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature does not hold")]
pub struct BadSignature;

impl PublicKey {
    /// Takes the 32 bytes of an Ed25519 public key (RFC 8032) if they are canonical, not weak and torsion free.
    ///
    /// # Errors
    /// [`KeyRefusal`] names which of these does not hold.
    pub fn accept(bytes: &[u8; 32]) -> Result<Self, KeyRefusal> {
        let verifying = VerifyingKey::from_bytes(bytes).map_err(|_| KeyRefusal::NotAPoint)?;
        let point = verifying.to_edwards();
        if point.compress().as_bytes() != bytes {
            return Err(KeyRefusal::NotCanonical);
        }
        if point.is_small_order() {
            return Err(KeyRefusal::Weak);
        }
        if !point.is_torsion_free() {
            return Err(KeyRefusal::MixedOrder);
        }
        Ok(Self { verifying, thumbprint: Thumbprint::of(bytes) })
    }

    /// The public half of a signing key.
    pub fn of(key: &ed25519_dalek::SigningKey) -> Self {
        let verifying = key.verifying_key();
        Self { verifying, thumbprint: Thumbprint::of(verifying.as_bytes()) }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.verifying.as_bytes()
    }

    /// The RFC 9679 thumbprint, computed once.
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The first four bytes of the thumbprint.
    pub fn key_id(&self) -> KeyId {
        self.thumbprint.key_id()
    }

    /// The one judge of signatures: strict verification (RFC 8032 §5.1.7, and `R` neither of low order nor in another
    /// than its canonical form).
    ///
    /// # Errors
    /// [`BadSignature`], also for a signature that is not 64 bytes long.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let signature = Signature::from_slice(signature).map_err(|_| BadSignature)?;
        self.verifying.verify_strict(message, &signature).map_err(|_| BadSignature)
    }
}

impl Thumbprint {
    /// The thumbprint of an Ed25519 public key: SHA-256 over the deterministic encoding of `{1: 1, -1: 6, -2: x}`.
    pub fn of(public: &[u8; 32]) -> Self {
        // a3 map(3); 01 01 kty: OKP; 20 06 crv: Ed25519; 21 5820 x: 32 bytes (RFC 9679 §4.1, RFC 9053 §7.2)
        const HEAD: [u8; 8] = [0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20];
        Self(Sha256::new().chain_update(HEAD).chain_update(public).finalize().into())
    }

    /// The first four bytes.
    pub fn key_id(&self) -> KeyId {
        let [a, b, c, d, ..] = self.0;
        KeyId([a, b, c, d])
    }
}

/// What a COSE_Sign1 signature is made over (RFC 9052 §4.4): `["Signature1", protected, h'', payload]`.
pub(crate) fn signature_input(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut writer = crate::cbor::Writer::with_capacity(24 + protected.len() + payload.len());
    writer.array(4).text("Signature1").bytes(protected).bytes(&[]).bytes(payload);
    writer.finish()
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id())
    }
}

macro_rules! hex_name {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

hex_name!(KeyId);
hex_name!(Thumbprint);
