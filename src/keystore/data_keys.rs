//! The two symmetric keys that protect personal data in the database.

use std::fmt;

use zeroize::Zeroizing;

use crate::clock::Entropy;

/// 64 random bytes: a key to encrypt columns with, and another to find duplicates by. Wiped when dropped.
///
/// Two keys, because an index under the encryption key would tie the two uses' fates together. Lost keys cannot be made
/// again: without them the personal data in the database cannot be read.
#[derive(Clone)]
pub struct DataKeys(Zeroizing<[u8; 64]>);

impl DataKeys {
    /// New keys.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0_u8; 64]);
        entropy.fill(bytes.as_mut());
        Self(bytes)
    }

    /// Encrypts columns (XChaCha20-Poly1305).
    pub fn column_key(&self) -> &[u8; 32] {
        self.0.first_chunk().expect("32 of 64 bytes")
    }

    /// Keys the blind index (HMAC-SHA-256).
    pub fn blind_index_key(&self) -> &[u8; 32] {
        self.0.last_chunk().expect("32 of 64 bytes")
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 64] = bytes.try_into().ok()?;
        Some(Self(Zeroizing::new(*bytes)))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0[..]
    }
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKeys(..)")
    }
}
