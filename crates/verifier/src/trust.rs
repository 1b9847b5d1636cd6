//! What the node believes now: read by every request without waiting, replaced as a whole when a bundle is accepted.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use thiserror::Error;
use zyz_credential::{Accepted, BundleError, TrustState};

use crate::check::{describe, is_fork};
use crate::data::DataDir;
use crate::root::{RootError, RootKey};
use crate::state::StateError;

/// The trust state with its durable memory.
#[derive(Debug)]
pub struct Trust {
    current: RwLock<Arc<Current>>,
    /// Held while a bundle is looked at and remembered, so that two never race.
    data: Mutex<DataDir>,
}

/// A trust state and what is known of its bundle.
#[derive(Debug, Clone)]
pub struct Current {
    /// To judge by.
    pub state: TrustState,
    /// The bundle in it; `None` while there is none.
    pub bundle: Option<Accepted>,
}

/// Why a bundle was not taken. What was believed before still is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// It is not good, or a step back.
    #[error("新收到的数据包没有采用：{}", describe(.0))]
    Bundle(#[from] BundleError),
    /// It could not be remembered, and what cannot be remembered is not relied on.
    #[error(transparent)]
    State(#[from] StateError),
    /// The root key is not good.
    #[error(transparent)]
    Root(#[from] RootError),
}

impl Trust {
    /// Takes up what the folder remembers.
    ///
    /// # Errors
    /// [`TrustError`]: a memory that cannot be read is for a person to decide on, never a fresh start.
    pub fn load(data: DataDir, root: &RootKey) -> Result<Self, TrustError> {
        let current = match data.state().load(root)? {
            Some(remembered) => {
                let mut state = remembered.trust;
                let bundle = state.accept(&remembered.bundle)?;
                Current { state, bundle: Some(bundle) }
            }
            None => Current { state: TrustState::new(root.as_bytes()).map_err(RootError::from)?, bundle: None },
        };
        Ok(Self { current: RwLock::new(Arc::new(current)), data: Mutex::new(data) })
    }

    /// What is believed at this moment.
    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a bundle: judges it, remembers it durably, then believes it. Blocks on the disk.
    ///
    /// # Errors
    /// [`TrustError`]: nothing has changed then.
    pub fn accept(&self, bytes: &[u8]) -> Result<Accepted, TrustError> {
        let data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Current::clone(&self.current());
        let accepted = next.state.accept(bytes)?;
        if accepted.new {
            data.state().remember(next.state.ratchet(), bytes)?;
        }
        next.bundle = Some(accepted);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(accepted)
    }
}

impl TrustError {
    /// Names it for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bundle(
                BundleError::Older { .. } | BundleError::TrustListOlder { .. } | BundleError::IssuedEarlier,
            ) => "bundle_older",
            Self::Bundle(error) if is_fork(error) => "bundle_forked",
            Self::Bundle(BundleError::KeyRetired(_) | BundleError::KeyCompromised(_) | BundleError::KeyNotValid(_)) => {
                "bundle_key_refused"
            }
            Self::Bundle(_) => "bundle_corrupt",
            Self::State(error) if error.is_full() => "storage_full",
            Self::State(_) => "storage_failed",
            Self::Root(_) => "root_refused",
        }
    }
}
