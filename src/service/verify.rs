//! Judging a code online, as a partner would offline: by the core, with the present bundle.

use zyz_credential::Verdict;

use super::bundles::BundleError;
use super::{Federation, ServiceError};
use crate::domain::partner::PartnerId;

impl Federation {
    /// Judges the text of a code; with a partner, its offers are part of the verdict, uses that its devices have sent
    /// counted.
    ///
    /// # Errors
    /// As [`Self::bundle_for`]; what is wrong with the code is in the verdict.
    pub async fn verify(&self, code: &str, partner: Option<PartnerId>) -> Result<Verdict, BundleError> {
        let _ = (code, partner);
        Err(ServiceError::Aborted.into())
    }
}
