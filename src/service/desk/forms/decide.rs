//! Deciding forms, and noting where their copies are kept.

use jiff::civil::Date;
use zyz_credential::CertificateNumber;

use crate::clock::beijing_date;
use crate::domain::application::{Application, ApplicationState};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::publish::signed;
use crate::store::{
    ApplicationId, ApplicationLine, ApplicationStep, Approver, Contact, FormCopy, NewVolunteer, Tx, VolunteerId,
};

use super::write::words;
use super::{EVENTS, FormRefusal};

/// What an approver says to a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Registered, with the opinion that stands on the form.
    Approve(String),
    /// To be corrected, with what.
    Return(String),
    /// Not to be registered, with why.
    Reject(String),
}

/// What came of one of many approvals.
#[derive(Debug)]
pub struct Outcome {
    /// Which form.
    pub id: ApplicationId,
    /// Whose; empty if it could not be read.
    pub name: String,
    /// The certificate number in groups, or why not.
    pub done: Result<String, String>,
}

impl Desk {
    /// Whether this person may decide the form as it stands now, for the page that asks.
    ///
    /// # Errors
    /// No permission; no such form within reach; any [`FormRefusal`] of deciding.
    pub async fn decidable_form(&self, id: ApplicationId) -> Result<ApplicationLine, DeskError> {
        self.need(Permission::ApproveForms)?;
        let mut reader = self.office().store.read().await?;
        let line = self.form_line(&mut reader, id).await?;
        let history = reader.audit_events(Some(&format!("application/{id}")), 0, EVENTS).await?;
        self.judge_decision(&line, &history)?;
        Ok(line)
    }

    /// Decides a form that shows as `revision`. Approval registers the volunteer in the same transaction and returns the
    /// certificate number in groups.
    ///
    /// # Errors
    /// As [`Self::decidable_form`]; no words (at `reason`); [`DeskError::Conflict`] if it changed since; for an approval
    /// everything that is wrong with the form by now, as a text.
    pub async fn decide_form(
        &self,
        id: ApplicationId,
        revision: i64,
        decision: &Decision,
    ) -> Result<Option<String>, DeskError> {
        self.need(Permission::ApproveForms)?;
        let (to, missing, said) = match decision {
            Decision::Approve(said) => (ApplicationState::Approved, "请填写审批意见，如“同意注册。”", said),
            Decision::Return(said) => (ApplicationState::Returned, "请写明退回的原因和需要更正的内容", said),
            Decision::Reject(said) => (ApplicationState::Rejected, "请写明不予通过的原因", said),
        };
        let said = words("reason", missing, said)?;
        let mut tx = self.office().begin().await?;
        let line = self.form_line(&mut tx, id).await?;
        let history = tx.audit_events(Some(&format!("application/{id}")), 0, EVENTS).await?;
        self.judge_decision(&line, &history)?;
        if line.revision != revision {
            return Err(self.changed(&mut tx, &line).await?);
        }
        let registered = match decision {
            Decision::Approve(_) => Some(self.register(&mut tx, &line).await?),
            Decision::Return(_) | Decision::Reject(_) => None,
        };
        let volunteer = registered.as_ref().map(|(volunteer, _)| *volunteer);
        let step = ApplicationStep { from: ApplicationState::Submitted, to, reason: Some(&said), volunteer };
        if !tx.move_application(id, revision, step).await? {
            return Err(self.changed(&mut tx, &line).await?);
        }
        tx.commit().await?;
        Ok(registered.map(|(_, number)| number.grouped()))
    }

    /// Approves forms one by one, each wholly or not at all; one that cannot be approved does not hinder the others.
    ///
    /// # Errors
    /// No permission.
    pub async fn approve_forms(
        &self,
        forms: &[(ApplicationId, i64)],
        opinion: &str,
    ) -> Result<Vec<Outcome>, DeskError> {
        self.need(Permission::ApproveForms)?;
        let opinion = Decision::Approve(words("reason", "请填写审批意见，如“同意注册。”", opinion)?);
        let mut outcomes = Vec::with_capacity(forms.len());
        for &(id, revision) in forms {
            let name = match self.decidable_form(id).await {
                Ok(line) => line.name,
                Err(_) => String::new(),
            };
            let done = match self.decide_form(id, revision, &opinion).await {
                Ok(number) => Ok(number.unwrap_or_default()),
                Err(DeskError::Service(error)) if error.is_internal() => return Err(error.into()),
                Err(DeskError::Invalid(errors)) => {
                    Err(errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("；"))
                }
                Err(refusal) => Err(refusal.to_string()),
            };
            outcomes.push(Outcome { id, name, done });
        }
        Ok(outcomes)
    }

    /// Notes where a copy of an approved form is kept: the approver's by the approver, the unit's by whoever writes its
    /// forms.
    ///
    /// # Errors
    /// No permission; no such form within reach; not approved; a place or day that is missing or wrong, at its field.
    pub async fn archive_form(
        &self,
        id: ApplicationId,
        copy: FormCopy,
        place: &str,
        on: &str,
    ) -> Result<(), DeskError> {
        self.need(Permission::WriteForms)?;
        let mut tx = self.office().begin().await?;
        let line = self.form_line(&mut tx, id).await?;
        if line.state != ApplicationState::Approved {
            return Err(FormRefusal::NotApproved(line.state).into());
        }
        if !self.may_archive(&line, copy) {
            return Err(FormRefusal::OtherApprover(super::approver_name(line.county)).into());
        }
        let place = words("place", "请填写存放地点，如“档案室 3 柜 12 号盒”", place)?;
        let today = beijing_date(self.office().now());
        let first = line.decided_at.map_or(today, beijing_date);
        let archived_on = on.trim().parse::<Date>().ok().filter(|day| (first..=today).contains(day));
        let Some(archived_on) = archived_on else {
            let message = format!("存档日期应在审批日期（{first}）与今天（{today}）之间，写成 2026-09-01 的形式");
            return Err(DeskError::Invalid(vec![FieldError { field: "archived_on", message }]));
        };
        tx.archive_application(id, copy, &place, archived_on).await?;
        Ok(tx.commit().await?)
    }

    /// Whether this person may note where a copy is kept.
    pub fn may_archive(&self, line: &ApplicationLine, copy: FormCopy) -> bool {
        match copy {
            FormCopy::Unit => self.may(Permission::WriteForms),
            FormCopy::Approver => self.decides_as() == Some(Approver::of(line.county)),
        }
    }

    async fn register(
        &self,
        tx: &mut Tx,
        line: &ApplicationLine,
    ) -> Result<(VolunteerId, CertificateNumber), DeskError> {
        let text = tx.application_text(line.id).await?.ok_or(FormRefusal::Erased)?;
        let form = self.complete(tx, line, &text).await?;
        let serial = tx.draw_serials(line.county, 1).await?.start;
        let number = CertificateNumber::from_parts(line.county, serial).map_err(|error| signed("证书编号", error))?;
        let new = new_volunteer(form, number, line);
        let volunteer = tx.insert_volunteers(None, vec![new]).await?.pop().ok_or(DeskError::NotFound)?;
        Ok((volunteer, number))
    }
}

fn new_volunteer(form: Application, number: CertificateNumber, line: &ApplicationLine) -> NewVolunteer {
    NewVolunteer {
        number: number.to_string(),
        name: form.name.into_string(),
        sex: form.sex.code(),
        ethnicity: form.ethnicity.code(),
        birth_date: form.birth_date,
        political: Some(form.political.code()),
        unit: line.unit,
        identity: form.identity.as_str().to_owned(),
        contact: Contact {
            phone: Some(form.mobile.as_str().to_owned()),
            email: form.email,
            address: form.address,
            user_name: None,
        },
        national_number: form.national_number,
    }
}
