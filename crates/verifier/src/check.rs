//! One check: root key, state, bundle and text in; verdict out.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;
use zyz_credential::{BundleError, TrustListError, TrustState, Verdict, judge};

use crate::file;
use crate::root::{RootError, RootKey};
use crate::state::{StateDir, StateError};

/// Bundles are some tens of kilobytes for a million cards; a file above this is something else.
pub const MAX_BUNDLE_BYTES: u64 = 16 * 1024 * 1024;

/// What is to be checked, and by what.
#[derive(Debug, Clone, Copy)]
pub struct CheckRequest<'a> {
    /// The text of the code, as scanned or typed.
    pub text: &'a str,
    /// The pinned root key.
    pub root: RootKey,
    /// The bundle; without one, that of the state folder is used.
    pub bundle: Option<&'a Path>,
    /// The folder that remembers versions between runs. Without one, an old bundle cannot be told from the newest.
    pub state: Option<&'a Path>,
    /// The moment to judge at. Moments before 1970 count as 1970.
    pub now: Timestamp,
    /// The oldest status data that the partner wants, in seconds.
    pub max_age: Option<u64>,
}

/// Why there is no verdict. A bad card is a verdict, not an error.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// No root key.
    #[error(transparent)]
    Root(#[from] RootError),
    /// No usable state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The bundle's file is not there or cannot be read.
    #[error("无法读取数据包 {}：{source}。{hint}", path.display())]
    BundleUnreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// Longer than [`MAX_BUNDLE_BYTES`].
    #[error("文件 {} 太大，不是数据包（上限 16 MB）。请检查 --bundle 是否指错", path.display())]
    BundleTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// None given, and none in the state folder.
    #[error("还没有数据包。请用 --bundle 指明联合会提供的 bundle.cose")]
    NoBundle,
    /// The version of bundle or trust list goes back.
    #[error(
        "{what}比以前用过的旧：以前用过第 {seen} 版，这次是第 {got} 版。旧数据里没有新近注销的证，不能使用，请换成最新的数据包"
    )]
    Older {
        /// Bundle or trust list.
        what: &'static str,
        /// The version seen before.
        seen: u64,
        /// The version in this bundle.
        got: u64,
    },
    /// The bundle is not to be believed.
    #[error("数据包不能使用：{}（{reason}）", .reason.advice())]
    Bundle {
        /// What is wrong with it, for engineers.
        reason: BundleError,
    },
}

/// Checks one text.
///
/// With a state folder, everything that was learnt is durable before the verdict is given; the folder is written to only
/// when the bundle is newer than any before it.
///
/// # Errors
/// [`CheckError`].
pub fn check(request: &CheckRequest<'_>) -> Result<Verdict, CheckError> {
    let trust = trust(request)?;
    let now = request.now.as_second().try_into().unwrap_or(0);
    Ok(judge(request.text, &trust, now, request.max_age))
}

/// The trust state after accepting the bundle.
fn trust(request: &CheckRequest<'_>) -> Result<TrustState, CheckError> {
    let Some(folder) = request.state else {
        let bundle = read_bundle(request.bundle.ok_or(CheckError::NoBundle)?, "请检查 --bundle 的路径")?;
        let mut trust = TrustState::new(request.root.as_bytes()).map_err(RootError::from)?;
        trust.accept(&bundle).map_err(refusal)?;
        return Ok(trust);
    };
    let folder = StateDir::lock(folder)?;
    let remembered = folder.load(&request.root)?;
    let hint = match remembered {
        Some(_) => "请检查路径；也可以不写 --bundle，使用上次保存的数据包",
        None => "请检查 --bundle 的路径",
    };
    let given = request.bundle.map(|path| read_bundle(path, hint)).transpose()?;
    let (mut trust, bundle) = match (remembered, given) {
        (Some(remembered), given) => (remembered.trust, given.unwrap_or(remembered.bundle)),
        (None, Some(given)) => (TrustState::new(request.root.as_bytes()).map_err(RootError::from)?, given),
        (None, None) => return Err(CheckError::NoBundle),
    };
    if trust.accept(&bundle).map_err(refusal)?.new {
        folder.remember(trust.ratchet(), &bundle)?;
    }
    Ok(trust)
}

fn read_bundle(path: &Path, hint: &'static str) -> Result<Vec<u8>, CheckError> {
    let hint = |source: &io::Error| if source.kind() == ErrorKind::NotFound { hint } else { "请检查文件权限" };
    match file::read_bounded(path, MAX_BUNDLE_BYTES) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(CheckError::BundleTooLarge { path: path.to_owned() }),
        Err(source) => {
            let hint = hint(&source);
            Err(CheckError::BundleUnreadable { path: path.to_owned(), source, hint })
        }
    }
}

fn refusal(error: BundleError) -> CheckError {
    match error {
        BundleError::Older { seen, got } => CheckError::Older { what: "数据包", seen, got },
        BundleError::TrustListOlder { seen, got } => {
            CheckError::Older { what: "数据包里的信任清单", seen, got }
        }
        reason => CheckError::Bundle { reason },
    }
}

/// The same for a bundle that came over the network, where nobody can fetch another by hand.
pub(crate) fn describe(error: &BundleError) -> String {
    let what = match error {
        BundleError::Older { seen, got } => {
            return format!("它是第 {got} 版，比已有的第 {seen} 版旧。本机继续使用原有数据");
        }
        BundleError::TrustListOlder { seen, got } => {
            return format!("其中的信任清单是第 {got} 版，比已有的第 {seen} 版旧。本机继续使用原有数据");
        }
        BundleError::TrustList(TrustListError::OtherRoot(_) | TrustListError::BadSignature) => {
            "它不是由登记时的根公钥授权的。请立即告知联合会"
        }
        BundleError::KeyRetired(_) | BundleError::KeyCompromised(_) | BundleError::KeyNotValid(_) => {
            "签署它的密钥已停用或不在有效期。请告知联合会"
        }
        BundleError::IssuedEarlier => "它比已有的数据包更早签发。本机继续使用原有数据",
        BundleError::Forked(_) | BundleError::TrustListForked(_) => {
            "同一版本出现了内容不同的两份，可能有人冒充联合会。请立即告知联合会"
        }
        _ => "内容不完整或被改动。本机继续使用原有数据，稍后自动重试",
    };
    format!("{what}（{error}）")
}

/// Whether two different documents claim one version.
pub(crate) fn is_fork(error: &BundleError) -> bool {
    matches!(error, BundleError::Forked(_) | BundleError::TrustListForked(_))
}
