//! The node's data folder: where it is, who may read it, and that one process has it at a time.
//!
//! - `lock`, `state`: [`StateDir`]: the versions seen and the bundle accepted last. `zyz-verify check --state` reads the same.
//! - `node.db` (with `node.db-wal`): [`Ledger`](crate::ledger::Ledger): who the node is, and the offers given.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::state::{StateDir, StateError};

/// The locked folder. The lock ends when this is dropped, also when the process is killed.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    state: StateDir,
}

/// Why the folder cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The variables that say where programs keep data are not set.
    #[error("不知道数据应放在哪里。请用 --data 指明一个文件夹")]
    NoDefault,
    /// There is no such folder, and it is not to be made now.
    #[error("数据文件夹 {} 不存在，本机还没有登记。请先运行 zyz-verify enrol 登记链接", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// Another `zyz-verify` works in it.
    #[error("数据文件夹 {} 正被另一个 zyz-verify 使用。每个文件夹只能由一个程序使用，请先关闭那一个", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder or a file in it cannot be made or opened.
    #[error("无法使用数据文件夹 {}：{source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Its state is not usable.
    #[error(transparent)]
    State(StateError),
}

impl DataDir {
    /// Makes the folder if need be, for its owner only, and locks it.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn create(path: &Path) -> Result<Self, DataError> {
        make_private(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        Self::open(path)
    }

    /// Locks a folder that is there.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn open(path: &Path) -> Result<Self, DataError> {
        if !path.is_dir() {
            return Err(DataError::Missing { path: path.to_owned() });
        }
        let state = StateDir::lock(path).map_err(|error| match error {
            StateError::Locked { path } => DataError::InUse { path },
            other => DataError::State(other),
        })?;
        Ok(Self { path: path.to_owned(), state })
    }

    /// What is remembered of bundles.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// The database's file, made empty and for its owner only where there is none.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn database(&self) -> Result<PathBuf, DataError> {
        let path = self.path.join("node.db");
        make_file_private(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
        Ok(path)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Where the data is kept unless `--data` says otherwise: `%LOCALAPPDATA%\zyz-verify` on Windows, elsewhere
/// `$XDG_DATA_HOME/zyz-verify` or `~/.local/share/zyz-verify`.
///
/// # Errors
/// [`DataError::NoDefault`].
pub fn default_folder() -> Result<PathBuf, DataError> {
    folder_from(|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
}

fn folder_from(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, DataError> {
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        // A relative path there is to be ignored (XDG Base Directory Specification).
        let own = variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
        own.or_else(|| variable("HOME").map(|home| home.join(".local").join("share")))
    };
    base.map(|base| base.join("zyz-verify")).ok_or(DataError::NoDefault)
}

/// Makes the folder and those above it. One that is there keeps its rights: they may be meant.
fn make_private(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The token is in this file. On Windows the folder under the user's profile has the rights of the profile.
fn make_file_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(windows))]
    fn the_usual_places() {
        let with = |own: Option<&str>, home: Option<&str>| {
            folder_from(|name| if name == "HOME" { home } else { own }.map(PathBuf::from)).ok()
        };
        assert_eq!(with(Some("/d"), Some("/h")), Some("/d/zyz-verify".into()));
        assert_eq!(with(Some("d"), Some("/h")), Some("/h/.local/share/zyz-verify".into()));
        assert_eq!(with(None, Some("/h")), Some("/h/.local/share/zyz-verify".into()));
        assert_eq!(with(None, None), None);
    }
}
