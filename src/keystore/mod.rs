//! Private keys on disk: made once, encrypted, never overwritten.
//!
//! | file | what | who needs it |
//! |---|---|---|
//! | `root.pem` | signs the trust list and nothing else; may be kept elsewhere, offline | `zyz init`, `zyz key …` |
//! | `root.pub` | the root's public half, 64 hex digits and a newline: what every partner pins | everybody |
//! | `issuing-<kid>.pem` | signs cards and the status lists of these cards | `zyz issue`, `zyz publish` |
//! | `bundle-<kid>.pem` | signs what partners download | `zyz publish` |
//! | `data.pem` | encrypts personal columns, and keys the blind index ([`DataKeys`]) | whatever opens the database |
//!
//! Every `.pem` is PKCS#8 (RFC 5208, so version 1: OpenSSL 3.0 refuses version 2) in an `EncryptedPrivateKeyInfo`: PBES2
//! with scrypt and AES-256-CBC. `openssl pkey -in FILE` opens the signing keys, and a key made by
//! `openssl genpkey -algorithm ed25519 -aes-256-cbc` is accepted. See `container.rs` for the bytes.
//!
//! To make the keys of a new installation:
//!
//! ```no_run
//! # use zyz::{clock::SystemEntropy, keystore::{KeyFolder, KeyName, Passphrase, Role}};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let passphrase = Passphrase::prompt_new("新口令：", "再输入一次：")?;
//! let folder = KeyFolder::create("data/keys")?;
//! let root = folder.create_signing_key(Role::Root, &passphrase, &SystemEntropy)?;
//! let issuing = folder.create_signing_key(Role::Issuing, &passphrase, &SystemEntropy)?;
//! folder.create_data_keys(&passphrase, &SystemEntropy)?;
//! folder.write_root_public(&root.public)?;
//! // Later, each in its own process: everything wanted is unlocked at once, on all cores.
//! let keys = folder.unlock(&[issuing.name, KeyName::Data], &passphrase)?;
//! # let _ = keys; Ok(()) }
//! ```
//!
//! Invariant: nothing here writes over or removes a file that it did not create in the same call.

mod container;
mod data_keys;
mod error;
mod file;
mod folder;
mod passphrase;

use std::path::Path;

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::clock::Entropy;

pub use data_keys::DataKeys;
pub use error::{KeyError, PassphraseError};
pub use folder::{KeyFolder, KeyName, Keyring, NewKey, Role};
pub use passphrase::{Passphrase, PassphraseWarning};

/// Makes an Ed25519 key and writes it, encrypted, to the new file `path` (mode 0600 on Unix).
///
/// # Errors
/// [`KeyError::AlreadyExists`] when there is anything at `path`; [`KeyError::Io`] when it cannot be written, and then
/// no half-written file stays.
pub fn create_key(path: &Path, passphrase: &Passphrase, entropy: &dyn Entropy) -> Result<SigningKey, KeyError> {
    let key = generate(entropy);
    write_key(path, &key, passphrase, entropy)?;
    Ok(key)
}

/// Writes an existing `key`, encrypted, to the new file `path`: for a copy under another passphrase.
///
/// # Errors
/// As [`create_key`].
pub fn write_key(
    path: &Path,
    key: &SigningKey,
    passphrase: &Passphrase,
    entropy: &dyn Entropy,
) -> Result<(), KeyError> {
    let pem = container::seal_signing(key, passphrase, entropy);
    file::create(path, pem.as_bytes(), file::Privacy::OwnerOnly)
}

/// Opens the Ed25519 key in the file `path`.
///
/// # Errors
/// One [`KeyError`] for each way in which the file can be missing, exposed, of another kind or locked.
pub fn open_key(path: &Path, passphrase: &Passphrase) -> Result<SigningKey, KeyError> {
    let pem = file::read_private(path)?;
    container::open_signing(&pem, passphrase).map_err(|flaw| KeyError::from_flaw(path, flaw))
}

/// An Ed25519 key from 32 fresh bytes (RFC 8032, section 5.1.5, step 1).
fn generate(entropy: &dyn Entropy) -> SigningKey {
    let mut seed = Zeroizing::new([0_u8; 32]);
    entropy.fill(seed.as_mut());
    SigningKey::from_bytes(&seed)
}
