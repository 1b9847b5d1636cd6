//! Identity and telephone numbers in the clear: with a reason, noted in the audit trail.

use serde_json::json;
use zeroize::Zeroizing;
use zyz_credential::CertificateNumber;

use super::{Desk, DeskError, FieldError, grouped, reason};
use crate::domain::correction::Fact;
use crate::domain::staff::Permission;

/// What was asked for, in the clear. Shown once; neither kept nor logged.
pub struct Revealed {
    /// Certificate number in groups.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// What each is called, and its value; 「未登记」 for what is not there.
    pub values: Vec<(&'static str, Zeroizing<String>)>,
    /// The reason given.
    pub reason: String,
}

impl Desk {
    /// Shows some of a volunteer's sealed data (`volunteer.reveal`, with what was seen and why, never the values).
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`]; [`DeskError::Invalid`] without a reason or when nothing was asked
    /// for.
    pub async fn reveal(&self, number: CertificateNumber, what: &[Fact], why: &str) -> Result<Revealed, DeskError> {
        self.need(Permission::RevealPersonal)?;
        let mut tx = self.office().begin().await?;
        let person = self.within_reach(&mut tx, number).await?;
        let mut wrong = Vec::new();
        let why = reason(why).unwrap_or_else(|error| {
            wrong.push(error);
            String::new()
        });
        let what: Vec<Fact> = what.iter().copied().filter(|fact| fact.is_sealed()).collect();
        if what.is_empty() {
            wrong.push(FieldError { field: "what", message: "请选择要查看的内容".into() });
        }
        if !wrong.is_empty() {
            return Err(DeskError::Invalid(wrong));
        }
        let private = tx.personal_data(person.id).await?.ok_or(DeskError::NotFound)?;
        let none = || Zeroizing::new("未登记".to_owned());
        let values = what
            .iter()
            .map(|fact| {
                let value = match fact {
                    Fact::Identity => private.identity.clone(),
                    Fact::Phone => private.phone.clone().unwrap_or_else(none),
                    Fact::Email => private.email.clone().unwrap_or_else(none),
                    _ => private.address.clone().unwrap_or_else(none),
                };
                (fact.label(), value)
            })
            .collect();
        let names: Vec<&str> = what.iter().map(|fact| fact.as_str()).collect();
        tx.audit("volunteer.reveal", format!("volunteer/{number}"), json!({"what": names, "reason": why}));
        // Noted before it is shown: what was not noted is not seen.
        tx.commit().await?;
        Ok(Revealed { grouped: grouped(&person.number), name: person.name, values, reason: why })
    }
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Revealed({})", self.grouped)
    }
}
