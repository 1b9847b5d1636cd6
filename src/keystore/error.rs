//! Everything that can be wrong with a key file or a passphrase, in words for the administrator.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::container::Flaw;

/// Why a key file was not made or not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No such file.
    #[error("没有找到密钥文件 {}。{advice}", path.display())]
    NotFound {
        /// Where it should be.
        path: PathBuf,
        /// Which command makes one.
        advice: &'static str,
    },
    /// Readable by others than its owner (Unix).
    #[error("密钥文件 {0} 的权限是 {mode:04o}，其他用户可以读到，因此不予使用。请运行 chmod 600 {0}，并考虑密钥是否已泄露", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something is there already; keys are never written over.
    #[error("{} 已经存在，密钥文件从不覆盖。确需新密钥时，请先把旧文件移到安全的地方", path.display())]
    AlreadyExists {
        /// The file.
        path: PathBuf,
    },
    /// Not a key file, or a damaged one.
    #[error("{} 不是完整的 PEM 密钥文件（应以 -----BEGIN ENCRYPTED PRIVATE KEY----- 开头）。请从备份恢复", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
    },
    /// PEM of another kind.
    #[error("{} 里是“{label}”，不是加密的 PKCS#8 私钥。请检查文件是否放错", path.display())]
    OtherPem {
        /// The file.
        path: PathBuf,
        /// Its PEM label.
        label: String,
    },
    /// A private key without a passphrase.
    #[error("{0} 是没有加密的私钥，因此不予使用。请用 openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt -in {0} -out 新文件 加密，再彻底删除原文件", path.display())]
    Unencrypted {
        /// The file.
        path: PathBuf,
    },
    /// Encrypted in a way that is not supported, or that asks for unreasonable memory or time.
    #[error("{0} 的加密方式不支持（{what}）。支持 PBES2：scrypt 或 PBKDF2-SHA256 加 AES-CBC。请用 openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt -in {0} -out 新文件 转换", path.display())]
    UnsupportedEncryption {
        /// The file.
        path: PathBuf,
        /// Which part.
        what: &'static str,
    },
    /// The passphrase does not open it.
    #[error("口令打不开 {}。请检查口令（或口令文件的第一行）；口令无误则文件已损坏，请从备份恢复", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// A key, but not of the kind wanted here.
    #[error("{} 里的密钥种类是 {found}，这里需要 {wanted}。请检查文件是否放错", path.display())]
    WrongAlgorithm {
        /// The file.
        path: PathBuf,
        /// What is in it.
        found: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The public key stored beside the private key is another key's.
    #[error("{} 里附带的公钥与私钥不成对，文件被改动过。请从备份恢复，并查明原因", path.display())]
    PublicKeyMismatch {
        /// The file.
        path: PathBuf,
    },
    /// The file's name says another key.
    #[error("{} 里的密钥编号是 {found}，与文件名不符。请检查文件是否放错", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
        /// The key id of the key inside.
        found: String,
    },
    /// Not 64 hex digits of a sound Ed25519 key.
    #[error("{} 不是根公钥（应为 64 位十六进制数字）。请从联合会重新取得", path.display())]
    NotPublicKey {
        /// The file.
        path: PathBuf,
    },
    /// The operating system said no.
    #[error("无法{action} {}：{source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl KeyError {
    pub(super) fn from_flaw(path: &Path, flaw: Flaw) -> Self {
        let path = path.to_owned();
        match flaw {
            Flaw::NotPem => Self::NotPem { path },
            Flaw::OtherPem(label) => Self::OtherPem { path, label },
            Flaw::Unencrypted => Self::Unencrypted { path },
            Flaw::Encryption(what) => Self::UnsupportedEncryption { path, what },
            Flaw::Passphrase => Self::WrongPassphrase { path },
            Flaw::Algorithm { found, wanted } => Self::WrongAlgorithm { path, found, wanted },
            Flaw::PublicKeyMismatch => Self::PublicKeyMismatch { path },
        }
    }

    pub(super) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), action, source }
    }
}

/// Why there is no passphrase.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// The passphrase file is not there or cannot be read.
    #[error("无法读取口令文件 {}：{source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Nothing on the first line, or nothing typed.
    #[error("口令是空的。请在口令文件的第一行写上口令，或重新输入")]
    Empty,
    /// Longer than OpenSSL would read.
    #[error("口令超过 1000 字节。请换一个短些的，或检查是否指错了口令文件")]
    TooLong,
    /// UTF-16, a byte order mark, control characters.
    #[error("口令文件不是 UTF-8 纯文本（无 BOM）。请用纯文本重新保存，只写一行口令")]
    NotPlainText,
    /// The two entries differ.
    #[error("两次输入的口令不一致。请重新运行")]
    Mismatch,
    /// Nobody to ask.
    #[error("没有可以输入口令的终端。请用 --passphrase-file 文件 给出口令")]
    NoTerminal,
    /// The terminal gave an error.
    #[error("读取口令时出错：{0}。可改用 --passphrase-file 文件")]
    Terminal(io::Error),
}
