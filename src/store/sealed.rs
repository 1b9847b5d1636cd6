//! Personal data at rest: sealed columns and blind indexes (个人信息保护法: protect, minimise).
//!
//! A sealed value is `0x01 ‖ nonce (24) ‖ XChaCha20-Poly1305 ciphertext and tag`, with `table 0x00 column 0x00 row id`
//! (the id as eight bytes, big-endian) as additional data: a value moved to another row or column does not open.
//! A blind index is HMAC-SHA-256 under a second key over `column 0x00 value`: equal values are found, and nothing else is
//! learnt without the key.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// The two keys that personal data need: one seals columns, one makes blind indexes.
#[derive(Clone)]
pub struct ColumnKeys {
    /// Key of XChaCha20-Poly1305.
    pub column: [u8; 32],
    /// Key of HMAC-SHA-256.
    pub index: [u8; 32],
}

impl Drop for ColumnKeys {
    fn drop(&mut self) {
        self.column.zeroize();
        self.index.zeroize();
    }
}

impl fmt::Debug for ColumnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ColumnKeys(…)")
    }
}

/// Why a sealed column did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Too short, or of a version this program does not know.
    #[error("加密数据格式无法识别（{table}.{column}，第 {row} 行）")]
    Format {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Row id.
        row: i64,
    },
    /// Changed, moved from another row or column, or sealed under another key: the cipher cannot tell these apart. That
    /// the key is the database's own was checked when it was opened.
    #[error(
        "加密数据未通过校验：可能被改动或从别的行移来（{table}.{column}，第 {row} 行）。请核对审计记录并从备份恢复"
    )]
    Tampered {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Row id.
        row: i64,
    },
    /// What was sealed is not text.
    #[error("加密数据的内容不是文字（{table}.{column}，第 {row} 行）")]
    NotText {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Row id.
        row: i64,
    },
}

/// The ciphers made ready once.
#[derive(Clone)]
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
    index: Hmac<Sha256>,
}

impl Sealer {
    pub fn new(keys: &ColumnKeys) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(&Key::from(keys.column)),
            index: Hmac::new_from_slice(&keys.index).expect("HMAC takes a key of any length"),
        }
    }

    /// Seals `plain` for one place. `nonce` must be random and used once.
    pub fn seal(&self, place: Place, nonce: &[u8; NONCE], plain: &str) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(1 + NONCE + plain.len() + TAG);
        self.seal_into(&mut sealed, place, nonce, plain);
        sealed
    }

    /// As [`Self::seal`], for what is no text.
    pub fn seal_bytes(&self, place: Place, nonce: &[u8; NONCE], plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(1 + NONCE + plain.len() + TAG);
        self.seal_bytes_into(&mut sealed, place, nonce, plain);
        sealed
    }

    /// As [`Self::seal`], into a vector whose content it replaces.
    pub fn seal_into(&self, sealed: &mut Vec<u8>, place: Place, nonce: &[u8; NONCE], plain: &str) {
        self.seal_bytes_into(sealed, place, nonce, plain.as_bytes());
    }

    fn seal_bytes_into(&self, sealed: &mut Vec<u8>, place: Place, nonce: &[u8; NONCE], plain: &[u8]) {
        sealed.clear();
        sealed.push(VERSION);
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(plain);
        let mut data = [0; 64];
        let data = place.additional_data(&mut data);
        let tag = self
            .cipher
            .encrypt_inout_detached(&XNonce::from(*nonce), data, (&mut sealed[1 + NONCE..]).into())
            .expect("a column is shorter than the cipher's 256 GB");
        sealed.extend_from_slice(&tag);
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Zeroizing<String>, SealError> {
        let Place { table, column, row } = place;
        let mut plain = self.open_bytes(place, sealed)?;
        let text = String::from_utf8(std::mem::take(&mut *plain)).map_err(|error| {
            error.into_bytes().zeroize();
            SealError::NotText { table, column, row }
        })?;
        Ok(Zeroizing::new(text))
    }

    /// Opens what [`Self::seal_bytes`] made for the same place.
    pub fn open_bytes(&self, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let Place { table, column, row } = place;
        if sealed.len() < 1 + NONCE + TAG || sealed[0] != VERSION {
            return Err(SealError::Format { table, column, row });
        }
        let nonce = XNonce::try_from(&sealed[1..=NONCE]).map_err(|_| SealError::Format { table, column, row })?;
        let (body, tag) = sealed[1 + NONCE..].split_at(sealed.len() - 1 - NONCE - TAG);
        let tag = Tag::try_from(tag).map_err(|_| SealError::Format { table, column, row })?;
        let mut plain = Zeroizing::new(body.to_vec());
        let mut data = [0; 64];
        let data = place.additional_data(&mut data);
        self.cipher
            .decrypt_inout_detached(&nonce, data, plain.as_mut_slice().into(), &tag)
            .map_err(|_| SealError::Tampered { table, column, row })?;
        Ok(plain)
    }

    /// The blind index of `value` in `column`.
    pub fn blind(&self, column: &'static str, value: &str) -> [u8; 32] {
        let mut mac = self.index.clone();
        mac.update(column.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Where a sealed value stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub table: &'static str,
    pub column: &'static str,
    pub row: i64,
}

impl Place {
    fn additional_data(self, buffer: &mut [u8; 64]) -> &[u8] {
        let mut end = 0;
        for part in [self.table.as_bytes(), &[0], self.column.as_bytes(), &[0], &self.row.to_be_bytes()] {
            buffer[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        &buffer[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { table: "volunteer", column: "phone", row: 7 };

    fn sealer() -> Sealer {
        Sealer::new(&ColumnKeys { column: [1; 32], index: [2; 32] })
    }

    #[test]
    fn opens_in_its_own_place_only() {
        let sealed = sealer().seal(PLACE, &[9; 24], "13800000000");
        assert_eq!(sealer().open(PLACE, &sealed).unwrap().as_str(), "13800000000");
        let elsewhere =
            [Place { row: 8, ..PLACE }, Place { column: "email", ..PLACE }, Place { table: "unit", ..PLACE }];
        for place in elsewhere {
            assert!(matches!(sealer().open(place, &sealed), Err(SealError::Tampered { .. })), "{place:?}");
        }
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let sealed = sealer().seal(PLACE, &[9; 24], "一二三");
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(sealer().open(PLACE, &changed).is_err(), "byte {i}");
        }
    }

    #[test]
    fn short_and_unknown_versions_are_refused() {
        for wrong in [&[][..], &[1; 40], &[2; 60]] {
            assert!(matches!(sealer().open(PLACE, wrong), Err(SealError::Format { .. })));
        }
    }

    #[test]
    fn an_empty_value_seals_too() {
        let sealed = sealer().seal(PLACE, &[9; 24], "");
        assert_eq!(sealed.len(), 1 + NONCE + TAG);
        assert_eq!(sealer().open(PLACE, &sealed).unwrap().as_str(), "");
    }

    #[test]
    fn another_key_does_not_open() {
        let other = Sealer::new(&ColumnKeys { column: [3; 32], index: [2; 32] });
        let sealed = sealer().seal(PLACE, &[9; 24], "x");
        assert!(matches!(other.open(PLACE, &sealed), Err(SealError::Tampered { .. })));
    }

    #[test]
    fn blind_indexes_are_separate_by_column_and_key() {
        let other = Sealer::new(&ColumnKeys { column: [1; 32], index: [3; 32] });
        let index = sealer().blind("identity", "530802199001010018");
        assert_eq!(index, sealer().blind("identity", "530802199001010018"));
        assert_ne!(index, sealer().blind("phone", "530802199001010018"));
        assert_ne!(index, other.blind("identity", "530802199001010018"));
    }

    #[test]
    fn keys_do_not_show_in_debug() {
        assert_eq!(format!("{:?}", ColumnKeys { column: [1; 32], index: [2; 32] }), "ColumnKeys(…)");
    }
}
