//! TLS by this process: certificate and key from PEM files, read again when they change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use axum_server::tls_rustls::RustlsConfig;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing or unreadable.
    #[error("读不到 {path}：{source}。请检查 --tls-cert、--tls-key 的路径和权限")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate chain and key that belong together.
    #[error("证书 {cert} 与私钥 {key} 不能使用：{why}。应为 PEM 格式，证书在前、中间证书在后，私钥不加密且与证书成对")]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library said.
        why: String,
    },
}

/// Certificate and key in use, and the files they came from.
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    config: RustlsConfig,
    seen: Mutex<Marks>,
}

/// By which a changed file is noticed: time and length of both.
type Marks = [Option<(SystemTime, u64)>; 2];

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub async fn open(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        // Others of this process (HTTP clients) may have installed it before: the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (cert, key) = (cert.to_owned(), key.to_owned());
        let seen = Mutex::new(marks(&cert, &key));
        let config = RustlsConfig::from_pem(read(&cert)?, read(&key)?).await;
        let config = config.map_err(|error| unusable(&cert, &key, &error))?;
        Ok(Self { cert, key, config, seen })
    }

    /// For the server; sees what is reloaded later.
    pub fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Whether a file is another than when it was last read.
    pub fn changed(&self) -> bool {
        *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) != marks(&self.cert, &self.key)
    }

    /// Reads both files again; new connections get what they hold. If they cannot be used, what was in use stays.
    ///
    /// # Errors
    /// [`TlsError`]. Not tried again before a file changes once more.
    pub async fn reload(&self) -> Result<(), TlsError> {
        *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = marks(&self.cert, &self.key);
        let done = self.config.reload_from_pem(read(&self.cert)?, read(&self.key)?).await;
        done.map_err(|error| unusable(&self.cert, &self.key, &error))
    }
}

fn unusable(cert: &Path, key: &Path, error: &io::Error) -> TlsError {
    TlsError::Unusable { cert: cert.to_owned(), key: key.to_owned(), why: error.to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

fn marks(cert: &Path, key: &Path) -> Marks {
    [cert, key].map(|path| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    })
}
