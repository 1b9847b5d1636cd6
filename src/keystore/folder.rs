//! The folder of keys: names, and unlocking several at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ed25519_dalek::SigningKey;
use zyz_credential::{KeyId, PublicKey};

use super::container;
use super::data_keys::DataKeys;
use super::error::KeyError;
use super::file::{self, Privacy};
use super::passphrase::Passphrase;
use super::{generate, open_key, write_key};
use crate::clock::Entropy;

/// What a signing key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The trust list.
    Root,
    /// Cards, and their status lists.
    Issuing,
    /// Bundles.
    Bundle,
}

/// One key file of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyName {
    /// `root.pem`
    Root,
    /// `issuing-<kid>.pem`
    Issuing(KeyId),
    /// `bundle-<kid>.pem`
    Bundle(KeyId),
    /// `data.pem`
    Data,
}

impl KeyName {
    /// The file's name within the folder.
    pub fn file_name(&self) -> String {
        match self {
            Self::Root => "root.pem".to_owned(),
            Self::Issuing(id) => format!("issuing-{id}.pem"),
            Self::Bundle(id) => format!("bundle-{id}.pem"),
            Self::Data => "data.pem".to_owned(),
        }
    }

    /// What to do when it is missing.
    fn advice(&self) -> &'static str {
        match self {
            Self::Root => "根密钥离线保存时，请插入存放它的介质并指明位置；新安装请运行 zyz init",
            Self::Issuing(_) | Self::Bundle(_) => "请从备份恢复，或运行 zyz key rotate 换发新密钥",
            Self::Data => "请从备份恢复：没有它，数据库里的个人信息无法读取。新安装请运行 zyz init",
        }
    }
}

/// A signing key just made.
#[derive(Debug)]
pub struct NewKey {
    /// Its name in the folder.
    pub name: KeyName,
    /// Its public half, with id and thumbprint.
    pub public: PublicKey,
    /// Where it was written.
    pub path: PathBuf,
    /// The key itself.
    pub key: SigningKey,
}

/// The folder that holds an installation's keys, `DIR/keys`.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    folder: PathBuf,
    root: PathBuf,
}

impl KeyFolder {
    /// An existing folder. Nothing is read yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let root = folder.join(KeyName::Root.file_name());
        Self { folder, root }
    }

    /// Makes the folder (mode 0700 on Unix) unless it exists.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn create(folder: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let this = Self::at(folder);
        file::create_folder(&this.folder)?;
        Ok(this)
    }

    /// The same folder with the root key's private half elsewhere, for one that is kept offline.
    pub fn with_root(self, path: impl Into<PathBuf>) -> Self {
        Self { root: path.into(), ..self }
    }

    /// Where the key `name` is, or would be.
    pub fn path(&self, name: KeyName) -> PathBuf {
        match name {
            KeyName::Root => self.root.clone(),
            other => self.folder.join(other.file_name()),
        }
    }

    /// Whether there is a file for `name`; it may still refuse to open.
    pub fn contains(&self, name: KeyName) -> bool {
        self.path(name).exists()
    }

    /// Where the public root key is, `root.pub`.
    pub fn root_public_path(&self) -> PathBuf {
        self.folder.join("root.pub")
    }

    /// Makes a signing key and writes it under the name of its role and id.
    ///
    /// # Errors
    /// As [`super::create_key`].
    pub fn create_signing_key(
        &self,
        role: Role,
        passphrase: &Passphrase,
        entropy: &dyn Entropy,
    ) -> Result<NewKey, KeyError> {
        let key = generate(entropy);
        let public = PublicKey::of(&key);
        let name = match role {
            Role::Root => KeyName::Root,
            Role::Issuing => KeyName::Issuing(public.key_id()),
            Role::Bundle => KeyName::Bundle(public.key_id()),
        };
        let path = self.path(name);
        write_key(&path, &key, passphrase, entropy)?;
        Ok(NewKey { name, public, path, key })
    }

    /// Makes the data keys and writes `data.pem`.
    ///
    /// # Errors
    /// As [`super::create_key`].
    pub fn create_data_keys(&self, passphrase: &Passphrase, entropy: &dyn Entropy) -> Result<DataKeys, KeyError> {
        let keys = DataKeys::generate(entropy);
        let pem = container::seal_data(&keys, passphrase, entropy);
        file::create(&self.path(KeyName::Data), pem.as_bytes(), Privacy::OwnerOnly)?;
        Ok(keys)
    }

    /// Writes `root.pub`: 64 hex digits and a newline.
    ///
    /// # Errors
    /// As [`super::create_key`].
    pub fn write_root_public(&self, key: &PublicKey) -> Result<(), KeyError> {
        let text = format!("{}\n", hex::encode(key.as_bytes()));
        file::create(&self.root_public_path(), text.as_bytes(), Privacy::Public)
    }

    /// Reads `root.pub`, which is there also when the private half is not.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`KeyError::NotPublicKey`], [`KeyError::Io`].
    pub fn root_public(&self) -> Result<PublicKey, KeyError> {
        let path = self.root_public_path();
        let text = file::read_public(&path)?;
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .ok()
            .and_then(|()| PublicKey::accept(&bytes).ok())
            .ok_or(KeyError::NotPublicKey { path })
    }

    /// Opens the data keys.
    ///
    /// # Errors
    /// As [`super::open_key`].
    pub fn open_data_keys(&self, passphrase: &Passphrase) -> Result<DataKeys, KeyError> {
        let path = self.path(KeyName::Data);
        let pem = file::read_private(&path).map_err(|error| with_advice(error, KeyName::Data))?;
        container::open_data(&pem, passphrase).map_err(|flaw| KeyError::from_flaw(&path, flaw))
    }

    /// Opens a signing key, and checks that it is the one its name says.
    ///
    /// # Errors
    /// As [`super::open_key`]; [`KeyError::WrongKey`]; [`KeyError::WrongAlgorithm`] for [`KeyName::Data`].
    pub fn open_signing_key(&self, name: KeyName, passphrase: &Passphrase) -> Result<SigningKey, KeyError> {
        let path = self.path(name);
        let key = open_key(&path, passphrase).map_err(|error| with_advice(error, name))?;
        let found = PublicKey::of(&key).key_id();
        match name {
            KeyName::Issuing(id) | KeyName::Bundle(id) if id != found => {
                Err(KeyError::WrongKey { path, found: found.to_string() })
            }
            _ => Ok(key),
        }
    }

    /// Opens all of `names` with one passphrase. Each costs a scrypt of its own (some 40 ms), so they are opened on all
    /// cores; ask only for what is needed.
    ///
    /// # Errors
    /// The first, in the order of `names`.
    pub fn unlock(&self, names: &[KeyName], passphrase: &Passphrase) -> Result<Keyring, KeyError> {
        let results: Vec<Mutex<Option<Result<Opened, KeyError>>>> = names.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((name, slot)) = names.iter().zip(&results).nth(next.fetch_add(1, Ordering::Relaxed)) {
                let opened = match name {
                    KeyName::Data => self.open_data_keys(passphrase).map(Opened::Data),
                    name => self.open_signing_key(*name, passphrase).map(Opened::Signing),
                };
                *slot.lock().expect("no panic while it is held") = Some(opened);
            }
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 1..cores.min(names.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut ring = Keyring::default();
        for (name, slot) in names.iter().zip(results) {
            match slot.into_inner().expect("no panic while it was held").expect("every slot is filled")? {
                Opened::Data(keys) => ring.data = Some(keys),
                Opened::Signing(key) => drop(ring.signing.insert(*name, key)),
            }
        }
        Ok(ring)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Unlocked keys. `None` from a method means that this key was not asked for in [`KeyFolder::unlock`].
#[derive(Default)]
pub struct Keyring {
    signing: BTreeMap<KeyName, SigningKey>,
    data: Option<DataKeys>,
}

impl Keyring {
    /// The root key.
    pub fn root(&self) -> Option<&SigningKey> {
        self.signing.get(&KeyName::Root)
    }

    /// An issuing key.
    pub fn issuing(&self, id: KeyId) -> Option<&SigningKey> {
        self.signing.get(&KeyName::Issuing(id))
    }

    /// A bundle key.
    pub fn bundle(&self, id: KeyId) -> Option<&SigningKey> {
        self.signing.get(&KeyName::Bundle(id))
    }

    /// The data keys.
    pub fn data(&self) -> Option<&DataKeys> {
        self.data.as_ref()
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("signing", &self.signing.keys()).field("data", &self.data.is_some()).finish()
    }
}

enum Opened {
    Signing(SigningKey),
    Data(DataKeys),
}

fn with_advice(error: KeyError, name: KeyName) -> KeyError {
    match error {
        KeyError::NotFound { path, .. } => KeyError::NotFound { path, advice: name.advice() },
        other => other,
    }
}
