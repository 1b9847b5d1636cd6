//! Correcting an identity number: the federation's alone, because who somebody is hangs on it.

use zeroize::Zeroizing;
use zyz_credential::CertificateNumber;

use super::correct::{keep, must_be_active};
use super::history::last_change;
use super::{Desk, DeskError, FieldError, grouped, reason};
use crate::domain::identity::IdentityNumber;
use crate::domain::staff::Permission;
use crate::store::{Change, CorrectOutcome, Corrected};

/// What the form sends.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct IdentityInput {
    /// Revision that the form showed.
    pub revision: i64,
    /// The right number.
    pub identity: String,
    /// Why.
    pub reason: String,
}

impl Desk {
    /// Corrects an identity number, and with it the birth date. If the number stands on a registration that was merged into
    /// this one, the two change places.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`], [`DeskError::Conflict`]; [`DeskError::Invalid`] for no number, the
    /// same one, or somebody else's.
    pub async fn correct_identity(&self, number: CertificateNumber, input: &IdentityInput) -> Result<(), DeskError> {
        self.need(Permission::MergePeople)?;
        let mut tx = self.office().begin().await?;
        let person = self.within_reach(&mut tx, number).await?;
        must_be_active(&person)?;
        if person.revision != input.revision {
            let (who, when) = last_change(&mut tx, &person).await?;
            return Err(DeskError::Conflict { who, when });
        }
        let mut wrong = Vec::new();
        let why = keep(&mut wrong, reason(&input.reason));
        let says = |message: String| FieldError { field: "identity", message };
        let identity = match IdentityNumber::parse(&input.identity) {
            Ok(identity) => Some(identity),
            Err(error) => {
                wrong.push(says(error.to_string()));
                None
            }
        };
        let (Some(identity), true) = (identity, wrong.is_empty()) else { return Err(DeskError::Invalid(wrong)) };
        let mut exchange = None;
        match tx.volunteer_by_identity(identity.as_str()).await? {
            Some(same) if same.id == person.id => {
                return Err(DeskError::Invalid(vec![says("与现在登记的号码相同，无需更正".into())]));
            }
            Some(merged) if merged.merged_into == Some(person.id) => exchange = Some(merged.id),
            Some(other) => {
                let message = format!(
                    "这个号码已登记在 {} {} 名下。若是同一人，请先办理合并",
                    grouped(&other.number),
                    other.name
                );
                return Err(DeskError::Invalid(vec![says(message)]));
            }
            None => {}
        }
        let mut corrected = Corrected::as_stored(&person);
        corrected.birth_date = identity.birth_date();
        match exchange {
            Some(merged) => {
                tx.exchange_identities(person.id, merged).await?;
                tx.audit(
                    "volunteer.correct",
                    format!("volunteer/{number}"),
                    serde_json::json!({"facts": ["identity"], "exchanged": true, "reason": why}),
                );
            }
            None => corrected.identity = Change::Set(Zeroizing::new(identity.as_str().to_owned())),
        }
        if tx.correct_volunteer(person.id, person.revision, &corrected, &why).await? == CorrectOutcome::Conflict {
            let (who, when) = last_change(&mut tx, &person).await?;
            return Err(DeskError::Conflict { who, when });
        }
        tx.commit().await?;
        Ok(())
    }
}

impl std::fmt::Debug for IdentityInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdentityInput(revision {})", self.revision)
    }
}
