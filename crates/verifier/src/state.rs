//! What a verifier remembers between runs: the ratchet (versions and times only go up) and the bundle accepted last.
//!
//! The folder holds
//! - `state`: the line `zyz-verify state 1`, the SHA-256 of the rest, the ratchet's length (4 bytes, big-endian), the
//!   ratchet, the bundle. One file, replaced as a whole, so that the two never disagree. The hash finds damage (a bad
//!   disk, an editor); against somebody who can write here nothing helps.
//! - `lock`: empty; locked while `state` is read and replaced.
//!
//! Invariant: a state that cannot be read is an error for a person to decide on, never a fresh start. A fresh start would
//! believe an old bundle again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use thiserror::Error;
use zyz_credential::{Ratchet, RatchetError, TrustState};

use crate::check::MAX_BUNDLE_BYTES;
use crate::file;
use crate::root::RootKey;

const MAGIC: &[u8] = b"zyz-verify state 1\n";
const HASH_BYTES: usize = 32;
/// A ratchet is some hundred bytes for each bundle key ever seen.
const MAX_STATE_BYTES: u64 = MAX_BUNDLE_BYTES + 1024 * 1024;
/// Another check takes milliseconds; one that holds the lock for longer is stuck.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The locked state folder. The lock ends when this is dropped, also when the process is killed.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// What was remembered.
#[derive(Debug)]
pub struct Remembered {
    /// The root and the ratchet; the bundle has to be accepted anew.
    pub trust: TrustState,
    /// The bundle accepted last.
    pub bundle: Vec<u8>,
}

/// Why the state cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The folder or a file in it cannot be made, read or written.
    #[error("无法{action}状态文件夹 {}：{source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Another process has held the lock for two seconds.
    #[error("状态文件夹 {} 正被另一个程序使用。请等它结束，或关闭它后再试", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// Not what was written.
    #[error("状态文件 {} 已损坏（{reason}）。它防止旧数据被重新使用，所以不会自动重建。请从备份恢复；没有备份时，先向联合会取得最新的数据包，核对版本号后再删除此文件", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In what way.
        reason: &'static str,
    },
    /// Made under another root key.
    #[error("状态文件 {} 属于另一个根公钥。请核对 --root；联合会确已更换根公钥时，请另用一个新的状态文件夹", path.display())]
    OtherRoot {
        /// The file.
        path: PathBuf,
    },
}

impl StateError {
    /// Whether the disk has no room.
    pub fn is_full(&self) -> bool {
        let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
        matches!(self, Self::Io { source, .. } if full.contains(&source.kind()))
    }
}

impl StateDir {
    /// Makes the folder if it is not there, and locks it; waits up to two seconds for another process.
    ///
    /// # Errors
    /// [`StateError::Io`], [`StateError::Locked`].
    pub fn lock(path: &Path) -> Result<Self, StateError> {
        let fail = |action| move |source| StateError::Io { path: path.to_owned(), action, source };
        fs::create_dir_all(path).map_err(fail("创建"))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let lock = options.open(path.join("lock")).map_err(fail("写入"))?;
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: path.to_owned(), _lock: lock }),
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(source)) => return Err(fail("锁定")(source)),
            }
        }
        Err(StateError::Locked { path: path.to_owned() })
    }

    /// What was remembered, or `None` before the first [`StateDir::remember`].
    ///
    /// # Errors
    /// [`StateError::Damaged`], [`StateError::OtherRoot`], [`StateError::Io`].
    pub fn load(&self, root: &RootKey) -> Result<Option<Remembered>, StateError> {
        let path = self.file();
        let bytes = match file::read_bounded(&path, MAX_STATE_BYTES) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(StateError::Damaged { path, reason: "文件过大" }),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { path, action: "读取", source }),
        };
        let Some((ratchet, bundle)) = split(&bytes) else {
            return Err(StateError::Damaged { path, reason: "内容不完整或被改动" });
        };
        match TrustState::restore(root.as_bytes(), ratchet) {
            Ok(trust) => Ok(Some(Remembered { trust, bundle: bundle.to_vec() })),
            Err(RatchetError::OtherRoot) => Err(StateError::OtherRoot { path }),
            Err(_) => Err(StateError::Damaged { path, reason: "版本记录无法读取" }),
        }
    }

    /// Remembers `ratchet` and the bundle that led to it. Durable on return.
    ///
    /// # Errors
    /// [`StateError::Io`]: then nothing has changed, and the verdict must not be relied on.
    pub fn remember(&self, ratchet: &Ratchet, bundle: &[u8]) -> Result<(), StateError> {
        let ratchet = ratchet.to_bytes();
        let length = (ratchet.len() as u32).to_be_bytes();
        let hash = Sha256::new().chain_update(length).chain_update(&ratchet).chain_update(bundle).finalize();
        let path = self.file();
        file::replace(&path, &[MAGIC, &hash, &length, &ratchet, bundle]).map_err(|source| StateError::Io {
            path,
            action: "写入",
            source,
        })
    }

    fn file(&self) -> PathBuf {
        self.path.join("state")
    }
}

/// Ratchet and bundle, when everything fits.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (hash, rest) = bytes.strip_prefix(MAGIC)?.split_at_checked(HASH_BYTES)?;
    if Sha256::digest(rest)[..] != *hash {
        return None;
    }
    let (length, rest) = rest.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)
}
