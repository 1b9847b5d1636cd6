//! The passphrase that opens the keys: from a file or from a person, never from an argument or the configuration.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::PassphraseError;

/// In bytes; OpenSSL reads 1,024 of a passphrase file at most.
const MAX_BYTES: usize = 1000;

/// A passphrase. Wiped when dropped; `Debug` does not show it, and there is no `Display`.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

/// What the administrator should hear about a passphrase file that works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassphraseWarning {
    /// Every user of the machine can read it (Unix).
    WorldReadable(PathBuf),
}

impl fmt::Display for PassphraseWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorldReadable(path) => {
                write!(f, "本机所有用户都能读到口令文件 {0}，建议运行 chmod 600 {0}", path.display())
            }
        }
    }
}

impl Passphrase {
    /// From text that the program already holds (a demonstration, a test).
    ///
    /// # Errors
    /// [`PassphraseError::Empty`], [`PassphraseError::TooLong`], [`PassphraseError::NotPlainText`].
    pub fn new(text: impl Into<String>) -> Result<Self, PassphraseError> {
        let text = Zeroizing::new(text.into());
        match text.len() {
            0 => Err(PassphraseError::Empty),
            1..=MAX_BYTES if text.chars().any(char::is_control) || text.starts_with('\u{feff}') => {
                Err(PassphraseError::NotPlainText)
            }
            1..=MAX_BYTES => Ok(Self(text)),
            _ => Err(PassphraseError::TooLong),
        }
    }

    /// The first line of a file, without its line end (`\n` or `\r\n`); blanks belong to the passphrase.
    ///
    /// # Errors
    /// [`PassphraseError::Unreadable`] and those of [`Passphrase::new`].
    pub fn from_file(path: &Path) -> Result<(Self, Option<PassphraseWarning>), PassphraseError> {
        let unreadable = |source| PassphraseError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let warning =
            world_readable(&file).map_err(unreadable)?.then(|| PassphraseWarning::WorldReadable(path.to_owned()));
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 3));
        file.take(MAX_BYTES as u64 + 3).read_to_end(&mut bytes).map_err(unreadable)?;
        let line = match bytes.iter().position(|&byte| byte == b'\n') {
            Some(end) => &bytes[..end],
            None if bytes.len() > MAX_BYTES + 1 => return Err(PassphraseError::TooLong),
            None => &bytes[..],
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = str::from_utf8(line).map_err(|_| PassphraseError::NotPlainText)?;
        Ok((Self::new(text)?, warning))
    }

    /// Asks on the terminal, without echo.
    ///
    /// # Errors
    /// [`PassphraseError::NoTerminal`], [`PassphraseError::Terminal`] and those of [`Passphrase::new`].
    pub fn prompt(prompt: &str) -> Result<Self, PassphraseError> {
        let text = rpassword::prompt_password(prompt).map_err(terminal_error)?;
        Self::new(text)
    }

    /// Asks twice, for keys that are about to be made.
    ///
    /// # Errors
    /// [`PassphraseError::Mismatch`] and those of [`Passphrase::prompt`].
    pub fn prompt_new(first: &str, again: &str) -> Result<Self, PassphraseError> {
        let one = Self::prompt(first)?;
        let two = Self::prompt(again)?;
        if one.0 == two.0 { Ok(one) } else { Err(PassphraseError::Mismatch) }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// A process without a terminal cannot open `/dev/tty` or `CONIN$`; anything later is a terminal that broke.
fn terminal_error(error: io::Error) -> PassphraseError {
    /// `ENXIO` on Unix, `ERROR_INVALID_HANDLE` on Windows.
    const NO_SUCH_DEVICE: i32 = 6;
    /// `ENOTTY`.
    const NOT_A_TERMINAL: i32 = 25;
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::UnexpectedEof, _)
        | (_, Some(NO_SUCH_DEVICE | NOT_A_TERMINAL)) => PassphraseError::NoTerminal,
        _ => PassphraseError::Terminal(error),
    }
}

#[cfg(unix)]
fn world_readable(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    // A pipe (`--passphrase-file <(…)`) has mode bits that mean nothing.
    let metadata = file.metadata()?;
    Ok(metadata.is_file() && metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn world_readable(_: &File) -> io::Result<bool> {
    Ok(false)
}
