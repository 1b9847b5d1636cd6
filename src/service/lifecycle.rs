//! Revoking, suspending, resuming, replacing; leaving and coming back.

use serde::Serialize;
use zyz_credential::CertificateNumber;

use super::{Federation, Selection, ServiceError};
use crate::domain::certificate::{CertificateState, Reason, VolunteerState};
use crate::store::{Certificate, Contact, Reader, ReissueWhen, StateChange, Tx, Volunteer};

/// What a change of standing came to.
#[derive(Debug, Serialize)]
pub struct StatusChange {
    /// Certificate number.
    pub number: String,
    /// The card's state now; none if the volunteer has no card.
    pub state: Option<&'static str>,
    /// Whether anything changed.
    pub changed: bool,
    /// In words.
    pub message: String,
}

impl Federation {
    /// Takes a card back for good. With [`Reason::Exit`] the volunteer leaves (有退出的自由): contact data are erased,
    /// hours and the audit trail stay; it works without a card too, and repeating it changes nothing.
    ///
    /// # Errors
    /// Unknown number; no card, or one that is final already.
    pub async fn revoke(&self, number: CertificateNumber, reason: Reason) -> Result<StatusChange, ServiceError> {
        let mut tx = self.begin().await?;
        let person = self.known(&mut tx, number).await?;
        let card = tx.certificate(number.as_str()).await?;
        let leaving = matches!(reason, Reason::Exit | Reason::Deceased);
        let mut changed = false;
        match &card {
            Some(card) if card.state.is_live() => {
                changed = change(&mut tx, number, card, CertificateState::Revoked, reason).await?;
            }
            Some(card) if card.state == CertificateState::Superseded && !leaving => {
                return Err(wrong_state(number, card, "已不能使用，无需注销"));
            }
            Some(_) => {}
            None if leaving => {}
            None => return Err(no_card(number)),
        }
        let mut message = format!("{} {} 的证件已注销（{}）", number.grouped(), person.name, reason.label());
        if leaving {
            let left = tx.exit_volunteer(person.id).await?;
            changed |= left == crate::store::ExitOutcome::Exited;
            message.push_str("，联系方式已删除，服务记录按规定保留");
        }
        if !changed {
            message = format!("{} {} 的证件此前已注销，未作改动", number.grouped(), person.name);
        }
        tx.commit().await?;
        Ok(StatusChange {
            number: number.to_string(),
            state: card.map(|_| CertificateState::Revoked.as_str()),
            changed,
            message: message + "。",
        })
    }

    /// Holds a card back for a while.
    ///
    /// # Errors
    /// Unknown number; no card, or one that is final already.
    pub async fn suspend(&self, number: CertificateNumber, reason: Reason) -> Result<StatusChange, ServiceError> {
        self.move_to(number, CertificateState::Suspended, reason, "不能暂停").await
    }

    /// Lifts a suspension.
    ///
    /// # Errors
    /// Unknown number; no card, or one that is final already.
    pub async fn resume(&self, number: CertificateNumber, reason: Reason) -> Result<StatusChange, ServiceError> {
        self.move_to(number, CertificateState::Valid, reason, "不能恢复；需要时请重新签发：zyz issue --volunteer").await
    }

    /// Supersedes the card and signs a new one with the same number and a new index.
    ///
    /// # Errors
    /// Unknown number, the volunteer has left, no card, or one that is suspended or final.
    pub async fn replace(&self, number: CertificateNumber, reason: Reason) -> Result<StatusChange, ServiceError> {
        let mut tx = self.begin().await?;
        let person = self.active_volunteer(&mut tx, number).await?;
        let card = tx.certificate(number.as_str()).await?.ok_or_else(|| no_card(number))?;
        match card.state {
            CertificateState::Valid => {}
            CertificateState::Suspended => {
                return Err(wrong_state(number, &card, "请先恢复（zyz resume）或注销再换发"));
            }
            CertificateState::Revoked | CertificateState::Superseded => {
                return Err(wrong_state(number, &card, "不能换发；需要时请重新签发：zyz issue --volunteer"));
            }
        }
        let selection = self.whose(&Selection::Numbers(vec![number])).await?;
        let any = ReissueWhen { any: true, ..ReissueWhen::default() };
        let live = tx.live_certificates(&selection, any, None, 1).await?.pop().ok_or_else(|| no_card(number))?;
        self.replace_one(&mut tx, live, reason).await?;
        tx.commit().await?;
        Ok(StatusChange {
            number: number.to_string(),
            state: Some(CertificateState::Valid.as_str()),
            changed: true,
            message: format!(
                "{} {} 的证件已换发（{}）：旧证随下一个数据包失效。请打印新证：zyz print --number {number} --out 目录",
                number.grouped(),
                person.name,
                reason.label()
            ),
        })
    }

    /// Takes somebody back who had left, in the same unit; contact data come with the next roster or form.
    ///
    /// # Errors
    /// Unknown number, or they have not left.
    pub async fn readmit(&self, number: CertificateNumber) -> Result<StatusChange, ServiceError> {
        let mut tx = self.begin().await?;
        let person = self.known(&mut tx, number).await?;
        if !tx.readmit_volunteer(person.id, person.unit, &Contact::default()).await? {
            return Err(ServiceError::NotExited { number: number.grouped() });
        }
        tx.commit().await?;
        Ok(StatusChange {
            number: number.to_string(),
            state: None,
            changed: true,
            message: format!(
                "{} {} 已重新加入，编号与服务记录沿用。请制发新证：zyz issue --volunteer {number}",
                number.grouped(),
                person.name
            ),
        })
    }

    /// The volunteer of this number, active or not.
    pub(super) async fn known(
        &self,
        reader: &mut Reader,
        number: CertificateNumber,
    ) -> Result<Volunteer, ServiceError> {
        let person = reader.volunteer(number.as_str()).await?;
        person.ok_or_else(|| ServiceError::UnknownVolunteer { number: number.grouped() })
    }

    /// The volunteer of this number, who must not have left.
    pub(super) async fn active_volunteer(
        &self,
        reader: &mut Reader,
        number: CertificateNumber,
    ) -> Result<Volunteer, ServiceError> {
        let person = self.known(reader, number).await?;
        if person.state == VolunteerState::Exited {
            return Err(ServiceError::Exited { number: number.to_string() });
        }
        Ok(person)
    }

    async fn move_to(
        &self,
        number: CertificateNumber,
        to: CertificateState,
        reason: Reason,
        hint: &'static str,
    ) -> Result<StatusChange, ServiceError> {
        let mut tx = self.begin().await?;
        let person = self.known(&mut tx, number).await?;
        let card = tx.certificate(number.as_str()).await?.ok_or_else(|| no_card(number))?;
        if card.state != to && !card.state.may_become(to) {
            return Err(wrong_state(number, &card, hint));
        }
        let changed = change(&mut tx, number, &card, to, reason).await?;
        tx.commit().await?;
        let verb = if to == CertificateState::Valid { "已恢复使用" } else { to.label() };
        let message = if changed {
            format!("{} {} 的证件{verb}（{}）。", number.grouped(), person.name, reason.label())
        } else {
            format!("{} {} 的证件现为“{}”，未作改动。", number.grouped(), person.name, to.label())
        };
        Ok(StatusChange { number: number.to_string(), state: Some(to.as_str()), changed, message })
    }
}

/// Moves a card; false if it was there already. Writers take turns, so what was read in this transaction still holds.
async fn change(
    tx: &mut Tx,
    number: CertificateNumber,
    card: &Certificate,
    to: CertificateState,
    reason: Reason,
) -> Result<bool, ServiceError> {
    match tx.change_certificate(card.id, card.state, to, reason).await? {
        StateChange::Changed => Ok(true),
        StateChange::AlreadyThere => Ok(false),
        StateChange::Lost(state) => {
            Err(ServiceError::WrongState {
                number: number.grouped(), state, hint: "刚被其他操作改动，请查看后重试"
            })
        }
    }
}

fn wrong_state(number: CertificateNumber, card: &Certificate, hint: &'static str) -> ServiceError {
    ServiceError::WrongState { number: number.grouped(), state: card.state, hint }
}

fn no_card(number: CertificateNumber) -> ServiceError {
    ServiceError::NoCertificate { number: number.to_string() }
}
