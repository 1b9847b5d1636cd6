//! Key files: created exclusively and durably, read with their permissions looked at.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::error::KeyError;

/// More than any key file needs; a file put here by mistake is not read into memory.
const MAX_BYTES: u64 = 64 * 1024;

/// Who may read a new file (on Unix; elsewhere the folder's access list rules).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Privacy {
    OwnerOnly,
    Public,
}

/// Creates `path` with `content`, or changes nothing. Durable on return: file and folder are synced.
pub(super) fn create(path: &Path, content: &[u8], privacy: Privacy) -> Result<(), KeyError> {
    let mut file = options(privacy).open(path).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => KeyError::AlreadyExists { path: path.to_owned() },
        _ => KeyError::io(path, "创建", source),
    })?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    drop(file);
    written.and_then(|()| sync_folder(path)).map_err(|source| {
        // Ours since create_new succeeded; a half-written key would block the next attempt.
        let _ = fs::remove_file(path);
        KeyError::io(path, "写入", source)
    })
}

/// The text of a private key file, refused when others can read it.
pub(super) fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let file = open(path)?;
    refuse_open_permissions(path, &file)?;
    read(path, file)
}

/// The text of a public file.
pub(super) fn read_public(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    read(path, open(path)?)
}

/// Creates the folder `path` (mode 0700 on Unix) with its parents, or does nothing when it exists.
pub(super) fn create_folder(path: &Path) -> Result<(), KeyError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|source| KeyError::io(path, "创建文件夹", source))
}

fn open(path: &Path) -> Result<File, KeyError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => KeyError::NotFound {
            path: path.to_owned(),
            advice: "新安装请运行 zyz init；换发密钥请运行 zyz key rotate；否则请从备份恢复",
        },
        _ => KeyError::io(path, "打开", source),
    })?;
    let is_file = file.metadata().map_err(|source| KeyError::io(path, "打开", source))?.is_file();
    if is_file { Ok(file) } else { Err(KeyError::NotPem { path: path.to_owned() }) }
}

fn read(path: &Path, file: File) -> Result<Zeroizing<String>, KeyError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|source| KeyError::io(path, "读取", source))?;
    match str::from_utf8(&bytes) {
        Ok(text) if text.len() as u64 <= MAX_BYTES => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(KeyError::NotPem { path: path.to_owned() }),
    }
}

fn options(privacy: Privacy) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(match privacy {
            Privacy::OwnerOnly => 0o600,
            Privacy::Public => 0o644,
        });
    }
    #[cfg(not(unix))]
    let _ = privacy;
    options
}

#[cfg(unix)]
fn refuse_open_permissions(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|source| KeyError::io(path, "打开", source))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::TooOpen { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_open_permissions(_: &Path, _: &File) -> Result<(), KeyError> {
    Ok(())
}

/// A new name is durable only once its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
