//! Judging a code online, as a partner would offline: by the core, with the present bundle.

use zyz_credential::{Verdict, judge};

use super::bundles::{Audience, BundleError};
use super::{Federation, seconds};
use crate::domain::partner::PartnerId;

impl Federation {
    /// Judges the text of a code; with a partner, its offers are part of the verdict.
    ///
    /// # Errors
    /// As [`Self::bundle_for`]; what is wrong with the code is in the verdict.
    pub async fn verify(&self, code: &str, partner: Option<PartnerId>) -> Result<Verdict, BundleError> {
        let held = self.present_bundle(partner.map_or(Audience::Public, Audience::Partner)).await?;
        let state = held.trust_state()?;
        Ok(judge(code, &state, seconds(self.now()), None))
    }
}
