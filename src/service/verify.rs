//! Judging a code online, as a partner would offline: by the core, with the present bundle.

use zyz_credential::{OfferLimits, Verdict, judge};

use super::bundles::{Audience, BundleError};
use super::{Federation, seconds};
use crate::domain::partner::PartnerId;

impl Federation {
    /// Judges the text of a code; with a partner, its offers are part of the verdict, held against their limits by the uses
    /// that its devices have sent.
    ///
    /// # Errors
    /// As [`Self::bundle_for`]; what is wrong with the code is in the verdict.
    pub async fn verify(&self, code: &str, partner: Option<PartnerId>) -> Result<Verdict, BundleError> {
        let held = self.present_bundle(partner.map_or(Audience::Public, Audience::Partner)).await?;
        let state = held.trust_state()?;
        let now = seconds(self.now());
        let mut verdict = judge(code, &state, now, None);
        let limited = verdict.offers.iter().flatten().any(|judged| judged.offer.limits != OfferLimits::default());
        if let (Some(partner), Some(certificate), true) = (partner, verdict.certificate, limited) {
            let numbers = [certificate.number.to_string()];
            let mut uses = self.store.read().await?.uses_of_holders(partner, &numbers).await?;
            uses.retain(|used| used.reversed_at.is_none());
            verdict.count_uses(now, |_, offer| {
                uses.iter().filter(|used| used.offer == offer).map(|used| seconds(used.redeemed_at)).collect()
            });
        }
        Ok(verdict)
    }
}
