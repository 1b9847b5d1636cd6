//! The pinned root key: given as 64 hex digits, or in the file `root.pub` that holds them.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zyz_credential::{KeyRefusal, PublicKey};

use crate::file;

/// The key that everything else is believed by. It comes from the partner's own hands, never from a code or a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootKey(PublicKey);

/// Why there is no root key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RootError {
    /// Neither 64 hex digits nor a file that is there.
    #[error("根公钥“{argument}”既不是 64 位十六进制数字，也不是能读取的文件（{source}）。请使用联合会提供的 root.pub")]
    Unreadable {
        /// What was given.
        argument: String,
        /// Why it could not be read as a file.
        source: io::Error,
    },
    /// A file with something else in it.
    #[error("文件 {} 里不是根公钥（应为 64 位十六进制数字）。请使用联合会提供的 root.pub", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// 32 bytes that are not a key to be trusted.
    #[error("根公钥不合格，不能使用（{0}）。请向联合会重新索取 root.pub")]
    Refused(#[from] KeyRefusal),
}

impl RootKey {
    /// From 64 hex digits, or else from the file of that name.
    ///
    /// # Errors
    /// [`RootError`].
    pub fn from_argument(argument: &str) -> Result<Self, RootError> {
        match parse(argument) {
            Some(bytes) => Self::from_bytes(&bytes),
            None => Self::from_file(Path::new(argument)),
        }
    }

    /// From a file with 64 hex digits, white space around them allowed.
    ///
    /// # Errors
    /// [`RootError`].
    pub fn from_file(path: &Path) -> Result<Self, RootError> {
        let unreadable = |source| RootError::Unreadable { argument: path.display().to_string(), source };
        let format = || RootError::Format { path: path.to_owned() };
        let bytes = file::read_bounded(path, 1024).map_err(unreadable)?.ok_or_else(format)?;
        let text = str::from_utf8(&bytes).map_err(|_| format())?;
        Self::from_bytes(&parse(text).ok_or_else(format)?)
    }

    /// From the 32 bytes of an Ed25519 public key.
    ///
    /// # Errors
    /// [`RootError::Refused`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, RootError> {
        Ok(Self(PublicKey::accept(bytes)?))
    }

    /// From 64 hex digits; `None` for anything else.
    pub(crate) fn from_hex(text: &str) -> Option<Result<Self, RootError>> {
        parse(text).map(|bytes| Self::from_bytes(&bytes))
    }

    /// 64 hex digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.as_bytes())
    }

    /// The 64 hex digits in groups of four, two lines of eight groups: for two people to compare by telephone.
    pub fn fingerprint(&self) -> String {
        let hex = self.to_hex();
        let group = |at: usize| &hex[at * 4..at * 4 + 4];
        let line = |from: usize| (from..from + 8).map(group).collect::<Vec<_>>().join(" ");
        format!("{}\n{}", line(0), line(8))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
    Some(bytes)
}
