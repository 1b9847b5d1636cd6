//! Use cases, one file each. They put the rooms below together and decide nothing that `domain` or the credential core
//! could decide.
//!
//! To add a use case: a file with an `impl Federation` block, its request and result types, its errors in `error.rs`,
//! a command in `cli`.
//!
//! Each change is one transaction with its audit events, except `issue`, which is one a thousand cards and can be
//! resumed, and files for people, which are written under another name and renamed when complete.

pub mod bundles;
pub mod card_jobs;
pub mod desk;
pub mod doctor;
pub mod enrol;
mod error;
mod files;
pub mod hours;
pub mod housekeeping;
pub mod import;
pub mod issue;
pub mod jobs;
pub mod keys;
pub mod lifecycle;
mod lookup;
pub mod offers;
pub mod partners;
pub mod print;
pub mod publish;
pub mod reading;
pub mod redeem;
mod setup;
mod signing;
pub mod stars;
mod verify;
pub mod volunteers;

use std::sync::Arc;

use jiff::Timestamp;
use zyz_credential::{CertificateNumber, Seconds};

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::keystore::{KeyFolder, Passphrase};
use crate::store::{Reader, Store, Tx, Unit};

pub use error::ServiceError;
use error::service_errors;

/// The federation's office: database, keys and configuration together. Every use case is a method.
pub struct Federation {
    store: Store,
    folder: KeyFolder,
    passphrase: Arc<Passphrase>,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    actor: String,
    /// Why whoever acts does so, in words that the audit trail keeps.
    why: Option<String>,
    signing: Arc<signing::Signing>,
}

/// Which volunteers or cards a batch is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everybody.
    All,
    /// One unit's people, by its exact name.
    Unit(String),
    /// Certain numbers.
    Numbers(Vec<CertificateNumber>),
    /// Valid cards that were never printed (for printing only; for issuing the same as `All`).
    Unprinted,
}

/// Told how many of how many steps are done; of an import, whose rows are counted as they come, as many as are read.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

impl Federation {
    /// Puts opened parts together.
    pub fn new(
        store: Store,
        folder: KeyFolder,
        passphrase: Passphrase,
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        actor: String,
    ) -> Self {
        let (passphrase, config) = (Arc::new(passphrase), Arc::new(config));
        Self { store, folder, passphrase, config, clock, entropy, actor, why: None, signing: Arc::default() }
    }

    /// The same office with another one who acts. Connections, keys and what is kept signed are shared.
    pub fn acting_as(&self, actor: &str) -> Self {
        Self {
            store: self.store.clone(),
            folder: self.folder.clone(),
            passphrase: self.passphrase.clone(),
            config: self.config.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            actor: actor.to_owned(),
            why: None,
            signing: self.signing.clone(),
        }
    }

    /// The same office, whose steps the audit trail keeps with this reason in words: in the event of the step itself, so
    /// that neither is there without the other.
    pub(crate) fn because(&self, why: &str) -> Self {
        Self { why: Some(why.to_owned()), ..self.acting_as(&self.actor) }
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The folder for files under way: uploads, finished print jobs. Beside the keys, readable by its owner only.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn work_folder(&self) -> Result<std::path::PathBuf, ServiceError> {
        let keys = self.folder.folder();
        let folder = keys.parent().unwrap_or(keys).join("work");
        files::make_private_folder(&folder)?;
        Ok(folder)
    }

    async fn begin(&self) -> Result<Tx, ServiceError> {
        self.begin_as(&self.actor).await
    }

    /// As [`Self::begin`], with another one who acts: a partner, through the server.
    async fn begin_as(&self, actor: &str) -> Result<Tx, ServiceError> {
        let mut tx = self.store.begin(actor, self.now()).await?.dated(self.now())?;
        if let Some(why) = &self.why {
            tx.because(why);
        }
        Ok(tx)
    }

    /// The one unit of this name.
    async fn unit_named(&self, reader: &mut Reader, name: &str) -> Result<Unit, ServiceError> {
        let mut units = reader.units_named(name).await?;
        match units.len() {
            0 => Err(ServiceError::UnknownUnit { name: name.to_owned() }),
            1 => Ok(units.remove(0)),
            count => Err(ServiceError::AmbiguousUnit { name: name.to_owned(), count }),
        }
    }
}

/// Seconds since 1970, as signed things carry them. A clock before 1970 counts as 1970.
fn seconds(at: Timestamp) -> Seconds {
    at.as_second().try_into().unwrap_or(0)
}

/// RFC 3339 in UTC, whole seconds, for programs.
fn rfc3339(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).map_or_else(|_| at.to_string(), |whole| whole.to_string())
}
