//! Builds the application from its options: configuration, keys, database, services. The only place that knows all.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::config::{Config, ConfigError};
use crate::keystore::{KeyError, KeyFolder, Passphrase, PassphraseError};
use crate::service::desk::accounts::staff::AccountError;
use crate::service::enrol::{EnrolLinkError, RevokeDeviceError};
use crate::service::offers::{AddOfferError, EndOfferError};
use crate::service::partners::PartnerError;
use crate::service::{Federation, ServiceError};
use crate::store::{ColumnKeys, DatabaseUrl, Store, StoreError};

/// Options every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Data folder: database, keys, configuration
    #[arg(long, global = true, default_value = "./data", value_name = "DIR")]
    pub data: PathBuf,
    /// Configuration file [default: zyz.toml in the data folder, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read the passphrase of the keys from the first line of this file instead of asking for it
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// PostgreSQL or SQLite database [default: zyz.db in the data folder]
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Name written into the audit trail as the one who acts [default: the login name]
    #[arg(long, global = true, value_name = "NAME")]
    pub actor: Option<String>,
    /// Print the result as JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
}

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum AppError {
    /// The configuration file.
    Config(#[from] ConfigError),
    /// A key file.
    Key(#[from] KeyError),
    /// The passphrase.
    Passphrase(#[from] PassphraseError),
    /// The database.
    Store(#[from] StoreError),
    /// A use case.
    Service(#[from] ServiceError),
    /// Partners.
    Partner(#[from] PartnerError),
    /// Adding an offer.
    AddOffer(#[from] AddOfferError),
    /// Ending an offer.
    EndOffer(#[from] EndOfferError),
    /// Making an enrolment link.
    EnrolLink(#[from] EnrolLinkError),
    /// Revoking a device.
    RevokeDevice(#[from] RevokeDeviceError),
    /// Accounts of the console.
    Account(#[from] AccountError),
    /// Starting the program.
    #[error("程序无法启动：{0}")]
    Runtime(std::io::Error),
    /// A file or folder.
    #[error("{path}：{source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// What was asked for makes no sense; says what to do.
    #[error("{0}")]
    Usage(String),
}

/// The application of one run of the program.
pub struct App {
    /// Options of the command line.
    pub global: Global,
    /// The configuration in force.
    pub config: Config,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl App {
    /// An application on the machine's clock and randomness.
    ///
    /// # Errors
    /// The configuration is unreadable or wrong.
    pub fn new(global: Global) -> Result<Self, AppError> {
        let config = Config::load(global.config.as_deref(), &global.data)?;
        Ok(Self { global, config, clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) })
    }

    /// The key folder of this installation.
    pub fn key_folder(&self) -> KeyFolder {
        KeyFolder::at(self.global.data.join("keys"))
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The random generator.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.entropy
    }

    /// Who acts, for the audit trail.
    pub fn actor(&self) -> String {
        let login = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        self.global.actor.clone().or_else(login).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".into())
    }

    /// The passphrase of existing keys, from the file or by prompt.
    ///
    /// # Errors
    /// The file is unreadable or empty, or there is no terminal to ask at.
    pub fn passphrase(&self) -> Result<Passphrase, AppError> {
        match &self.global.passphrase_file {
            Some(path) => Ok(passphrase_from(path)?),
            None => Ok(Passphrase::prompt("密钥口令：")?),
        }
    }

    /// The passphrase of keys about to be made: by prompt it is asked for twice.
    ///
    /// # Errors
    /// As [`Self::passphrase`], and two entries that differ.
    pub fn new_passphrase(&self) -> Result<Passphrase, AppError> {
        match &self.global.passphrase_file {
            Some(path) => Ok(passphrase_from(path)?),
            None => Ok(Passphrase::prompt_new("新的密钥口令：", "再输入一次：")?),
        }
    }

    /// The database in use.
    ///
    /// # Errors
    /// The URL names no known kind of database.
    pub fn database_url(&self) -> Result<DatabaseUrl, AppError> {
        match &self.global.database_url {
            Some(url) => Ok(DatabaseUrl::parse(url)?),
            None => Ok(DatabaseUrl::sqlite(self.global.data.join("zyz.db"))),
        }
    }

    /// Opens keys and database.
    ///
    /// # Errors
    /// A key or the database is missing, locked or of another installation; each says what to do.
    pub async fn federation(&self) -> Result<Federation, AppError> {
        let folder = self.key_folder();
        let passphrase = self.passphrase()?;
        let data = folder.open_data_keys(&passphrase)?;
        let keys = ColumnKeys { column: *data.column_key(), index: *data.blind_index_key() };
        let store = Store::open(&self.database_url()?, &keys, self.entropy.clone()).await?;
        Ok(Federation::new(
            store,
            folder,
            passphrase,
            self.config.clone(),
            self.clock.clone(),
            self.entropy.clone(),
            self.actor(),
        ))
    }

    /// Brings an existing database up to this program.
    ///
    /// # Errors
    /// There is none, or it belongs to a newer program.
    pub async fn migrate(&self) -> Result<(), AppError> {
        Ok(Store::migrate(&self.database_url()?).await?)
    }

    /// Makes keys and database, or finishes making them, and opens them.
    ///
    /// # Errors
    /// The database has keys already; a key or the database cannot be made.
    pub async fn initialise(&self) -> Result<Federation, AppError> {
        let folder = KeyFolder::create(self.global.data.join("keys"))?;
        let url = self.database_url()?;
        let passphrase = self.new_passphrase()?;
        Ok(Federation::initialise(
            folder,
            &url,
            passphrase,
            self.config.clone(),
            self.clock.clone(),
            self.entropy.clone(),
            self.actor(),
        )
        .await?)
    }
}

/// The passphrase in a file; what its owner should hear about it goes to the log.
///
/// # Errors
/// The file is unreadable, empty, or not a line of text.
pub fn passphrase_from(path: &std::path::Path) -> Result<Passphrase, PassphraseError> {
    let (passphrase, warning) = Passphrase::from_file(path)?;
    if let Some(warning) = warning {
        tracing::warn!(file = %path.display(), "{warning}");
    }
    Ok(passphrase)
}
