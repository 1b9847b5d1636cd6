//! Objections of volunteers to what was recorded of them (民政部令第67号: the volunteer may see and correct).

use zyz_credential::CertificateNumber;

use super::activity::reason_of;
use super::records::{Correction, RecordRow};
use super::rows::{conflict, moment, row};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError, sought};
use crate::store::{Dispute, DisputeOutcome, DisputeSearch, RecordId, StoreError, UnitId};

/// Lines of a page.
const PAGE: u32 = 50;

/// An objection, for people.
#[derive(Debug, Clone)]
pub struct DisputeLine {
    /// Key.
    pub id: i64,
    /// What the volunteer says.
    pub objection: String,
    /// Name of who noted it.
    pub noted_by: String,
    /// When, Beijing time.
    pub noted_at: String,
    /// 待处理, 属实：作废, 属实：更正, 不予支持.
    pub state: &'static str,
    /// Whether it waits.
    pub open: bool,
    /// Why so decided.
    pub reason: String,
    /// Name of who decided.
    pub decided_by: String,
    /// When, Beijing time.
    pub decided_at: String,
    /// The record it is about.
    pub record: Option<RecordRow>,
}

/// What is decided about an objection.
#[derive(Debug, Clone)]
pub enum Decision {
    /// The volunteer is right: the record is void. With the revision shown and the reason.
    Void {
        /// The revision that the page showed.
        revision: i64,
        /// Why.
        reason: String,
    },
    /// The volunteer is right: the record is corrected.
    Correct(Box<Correction>),
    /// The record stands.
    Reject {
        /// Why.
        reason: String,
    },
}

impl DisputeLine {
    pub(super) fn of(dispute: &Dispute, record: Option<&RecordRow>) -> Self {
        Self {
            id: dispute.id,
            objection: dispute.objection.clone(),
            noted_by: dispute.noted_by.clone(),
            noted_at: moment(dispute.noted_at),
            state: match dispute.outcome {
                None => "待处理",
                Some(DisputeOutcome::Void) => "属实：已作废",
                Some(DisputeOutcome::Corrected) => "属实：已更正",
                Some(DisputeOutcome::Rejected) => "不予支持",
            },
            open: dispute.outcome.is_none(),
            reason: dispute.reason.clone().unwrap_or_default(),
            decided_by: dispute.decided_by.clone().unwrap_or_default(),
            decided_at: dispute.decided_at.map(moment).unwrap_or_default(),
            record: record.cloned(),
        }
    }
}

impl Desk {
    /// Notes a volunteer's objection to a record. Returns its key.
    ///
    /// # Errors
    /// No words; the record is void or out of reach; another objection waits.
    pub async fn note_dispute(&self, record: i64, objection: &str) -> Result<i64, DeskError> {
        self.need(Permission::WriteHours)?;
        let words = objection.trim();
        if words.is_empty() || words.chars().count() > 500 {
            let message = "请写明志愿者的异议，最多 500 个字".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "objection", message }]));
        }
        let mut tx = self.office().begin().await?;
        let line = self.record_within(&mut tx, record).await?;
        if line.void {
            return Err(DeskError::Refused("这条记录已经作废，不再计入时长，无需提出异议".into()));
        }
        if line.disputed {
            return Err(DeskError::Refused("这条记录已有一个待处理的异议，请在其中补充".into()));
        }
        let id = tx.note_dispute(RecordId(record), (line.record.unit, line.county), words).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Decides an objection. Whoever entered the record or noted the objection leaves it to somebody else.
    ///
    /// # Errors
    /// No reason or wrong values; decided already; the record changed meanwhile ([`DeskError::Conflict`]).
    pub async fn decide_dispute(&self, id: i64, decision: &Decision) -> Result<(), DeskError> {
        self.need(Permission::ResolveDisputes)?;
        let mut tx = self.office().begin().await?;
        let dispute = tx.dispute(id).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(dispute.county.unwrap_or_default(), dispute.unit.unwrap_or(UnitId(0)))?;
        if let Some(outcome) = dispute.outcome {
            let line = DisputeLine::of(&dispute, None);
            tracing::info!(dispute = id, outcome = outcome.as_str(), "decided twice");
            return Err(DeskError::Conflict { who: line.decided_by, when: line.decided_at });
        }
        let line = self.record_within(&mut tx, dispute.record.0).await?;
        let own = self.staff().login.as_str();
        if dispute.noted_login == own || line.record.entered_by.as_deref() == Some(own) {
            return Err(DeskError::Refused(
                "录入这条记录或登记这个异议的人不能自己处理，请由另一位有权限的工作人员处理".into(),
            ));
        }
        let (outcome, reason) = match decision {
            Decision::Reject { reason } => (DisputeOutcome::Rejected, reason_of(reason)?),
            Decision::Void { revision, reason } => {
                let reason = reason_of(reason)?;
                if !tx.void_record(&line.record, *revision, &reason).await? {
                    return Err(conflict(&tx.record_changes(dispute.record).await?));
                }
                (DisputeOutcome::Void, reason)
            }
            Decision::Correct(correction) => {
                self.correct_in(&mut tx, &line, correction).await?;
                (DisputeOutcome::Corrected, correction.reason.trim().to_owned())
            }
        };
        if !tx.decide_dispute(id, outcome, &reason).await? {
            return Err(DeskError::Service(StoreError::NotFound { what: "异议" }.into()));
        }
        Ok(tx.commit().await?)
    }

    /// Objections within reach, newest first, before the key `before`; with `search` those of the volunteer of this
    /// certificate number, or else of volunteers of exactly this name and of recording units whose name holds it.
    ///
    /// # Errors
    /// The role may not read people; the database fails.
    pub async fn disputes(
        &self,
        open: bool,
        search: &str,
        before: Option<i64>,
    ) -> Result<(Vec<DisputeLine>, Option<i64>), DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let found = reader.disputes(self.reach()?, open, search_of(search).as_ref(), before, PAGE + 1).await?;
        let more = found.len() > PAGE as usize;
        let mut lines = Vec::new();
        for dispute in found.iter().take(PAGE as usize) {
            let record = reader.record_line(dispute.record).await?;
            lines.push(DisputeLine::of(dispute, record.as_ref().map(row).as_ref()));
        }
        let next = lines.last().filter(|_| more).map(|line| line.id);
        Ok((lines, next))
    }

    /// One objection within reach.
    ///
    /// # Errors
    /// There is none, or it is out of reach.
    pub async fn dispute(&self, id: i64) -> Result<DisputeLine, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let dispute = reader.dispute(id).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(dispute.county.unwrap_or_default(), dispute.unit.unwrap_or(UnitId(0)))?;
        let record = reader.record_line(dispute.record).await?;
        Ok(DisputeLine::of(&dispute, record.as_ref().map(row).as_ref()))
    }
}

/// What a search means: ten digits with the right check digit are a number, however they are spaced.
fn search_of(text: &str) -> Option<DisputeSearch> {
    let text = sought(text);
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    match CertificateNumber::parse(&bare) {
        _ if text.is_empty() => None,
        Ok(number) => Some(DisputeSearch::Number(number.as_str().to_owned())),
        Err(_) => Some(DisputeSearch::Words(text)),
    }
}
