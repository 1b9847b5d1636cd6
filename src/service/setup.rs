//! `zyz init`: keys and database of a new federation.

use std::sync::Arc;

use ed25519_dalek::SigningKey;

use super::keys::{issuing_end, list_uri};
use super::{Federation, ServiceError};
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::domain::star::StarPolicy;
use crate::keystore::{KeyFolder, KeyName, Passphrase, Role};
use crate::store::{ColumnKeys, DatabaseUrl, KeyRole, NewKey, Store, StoreError};
use zyz_credential::PublicKey;

impl Federation {
    /// Makes database and keys, and signs the first trust list.
    ///
    /// A `root.pem` or `data.pem` that stands in the folder already is used instead of a new one: so a root key made
    /// elsewhere (`openssl genpkey`) can be brought along, and an interrupted `init` is finished by running it again.
    ///
    /// # Errors
    /// The database has keys already; a key file does not open; the disk refuses.
    pub async fn initialise(
        folder: KeyFolder,
        url: &DatabaseUrl,
        passphrase: Passphrase,
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        actor: String,
    ) -> Result<Self, ServiceError> {
        let data = if folder.contains(KeyName::Data) {
            folder.open_data_keys(&passphrase)?
        } else {
            folder.create_data_keys(&passphrase, &*entropy)?
        };
        let columns = ColumnKeys { column: *data.column_key(), index: *data.blind_index_key() };
        let store = match Store::create(url, &columns, entropy.clone()).await {
            Err(StoreError::AlreadyInitialised) => Store::open(url, &columns, entropy.clone()).await?,
            made => made?,
        };
        let federation = Self::new(store, folder, passphrase, config, clock, entropy, actor);
        federation.first_keys().await?;
        Ok(federation)
    }

    async fn first_keys(&self) -> Result<(), ServiceError> {
        let mut tx = self.begin().await?;
        if let Some(root) = tx.signing_keys(Some(KeyRole::Root)).await?.pop() {
            return Err(ServiceError::AlreadyInitialised { root: hex::encode(root.public_key) });
        }
        let root = if self.folder.contains(KeyName::Root) {
            self.folder.open_signing_key(KeyName::Root, &self.passphrase)?
        } else {
            self.folder.create_signing_key(Role::Root, &self.passphrase, &*self.entropy)?.key
        };
        let issuing = self.folder.create_signing_key(Role::Issuing, &self.passphrase, &*self.entropy)?.key;
        let bundle = self.folder.create_signing_key(Role::Bundle, &self.passphrase, &*self.entropy)?.key;
        let now = tx.now();
        for (role, key) in [(KeyRole::Root, &root), (KeyRole::Issuing, &issuing), (KeyRole::Bundle, &bundle)] {
            tx.insert_key(&self.new_key(role, key, now)?).await?;
        }
        tx.add_star_policy(&StarPolicy::of_the_notice()).await?;
        self.sign_trust_list(&mut tx, &root).await?;
        if !self.folder.root_public_path().exists() {
            self.folder.write_root_public(&PublicKey::of(&root))?;
        }
        Ok(tx.commit().await?)
    }

    /// The row of a key that begins to be used at `now`.
    pub(super) fn new_key(
        &self,
        role: KeyRole,
        key: &SigningKey,
        now: jiff::Timestamp,
    ) -> Result<NewKey, ServiceError> {
        let public = PublicKey::of(key);
        Ok(NewKey {
            role,
            kid: public.key_id().0,
            public_key: *public.as_bytes(),
            not_before: now,
            not_after: if role == KeyRole::Root { None } else { Some(issuing_end(now)?) },
            list_uri: (role == KeyRole::Issuing).then(|| list_uri(&self.config.public_url, public.key_id())),
        })
    }
}
