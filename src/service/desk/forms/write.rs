//! Writing forms: drafts, checks while typing, handing in, taking back.

use jiff::SignedDuration;

use crate::clock::{beijing, beijing_date};
use crate::domain::application::{Application, ApplicationState, ApplicationText, FieldFault};
use crate::domain::certificate::VolunteerState;
use crate::domain::division::County;
use crate::domain::identity::IdentityNumber;
use crate::domain::person::{Sex, age_on};
use crate::domain::staff::{Permission, Scope};
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{
    ApplicationDraft, ApplicationId, ApplicationLine, ApplicationStep, Reader, StoreError, Tx, Unit, UnitId,
};

use super::FormRefusal;

/// Within this time the same form from the same person is the same form.
const SENT_AGAIN: SignedDuration = SignedDuration::from_mins(30);
/// Units offered to choose from.
const UNITS: u32 = 500;

/// Which unit a form is of, as typed. Ignored for staff of one unit: it is theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormUnit {
    /// County code, two digits; ignored for staff of one county.
    pub county: String,
    /// The unit's full name.
    pub name: String,
}

/// A form that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Which.
    pub id: ApplicationId,
    /// Whether it was begun before, by the same form sent earlier, and is handed in by now.
    pub handed_in: bool,
}

/// What came of writing in a form.
#[derive(Debug)]
pub enum Written {
    /// It is kept.
    Saved {
        /// Which.
        id: ApplicationId,
        /// Its revision now.
        revision: i64,
    },
    /// Somebody else wrote in it meanwhile; nothing was kept.
    Conflict {
        /// Who.
        who: String,
        /// When, Beijing time.
        when: String,
        /// The revision that stands now.
        revision: i64,
        /// Fields in which what stands differs from what was typed: label, what stands, what was typed.
        differences: Vec<(&'static str, String, String)>,
    },
}

/// What can be said of a form while it is being typed.
#[derive(Debug, Default)]
pub struct FormCheck {
    /// Birth date and sex of the identity number, and the age on the day of application.
    pub from_number: Option<(String, &'static str, i32)>,
    /// Whether a guardian's consent is needed.
    pub minor: bool,
    /// What is wrong with what is filled in already.
    pub faults: Vec<FieldError>,
}

impl Desk {
    /// The unit that this person's forms are of by default, and the counties and units to choose from.
    ///
    /// # Errors
    /// No permission to write forms.
    pub async fn form_units(&self, county: Option<u8>) -> Result<(FormUnit, Vec<String>), DeskError> {
        self.need(Permission::WriteForms)?;
        let mut reader = self.office().store.read().await?;
        match self.staff().scope {
            Scope::Unit { unit, .. } => {
                let unit = reader.unit(UnitId(unit)).await?.ok_or(DeskError::NotFound)?;
                Ok((FormUnit { county: format!("{:02}", unit.county), name: unit.name }, Vec::new()))
            }
            Scope::County(own) => {
                let names = reader.unit_names(own, UNITS).await?;
                Ok((FormUnit { county: format!("{own:02}"), name: String::new() }, names))
            }
            Scope::All | Scope::Partner(_) => {
                let county = county.unwrap_or(0);
                let names = reader.unit_names(county, UNITS).await?;
                Ok((FormUnit { county: format!("{county:02}"), name: String::new() }, names))
            }
        }
    }

    /// Begins a form as a draft, at any incompleteness. The same form sent again by the same person within half an hour, by
    /// a second click or from an earlier page, is the one that was begun then.
    ///
    /// # Errors
    /// No permission; no such unit within reach; a text too long or with characters that hide something, at its field.
    pub async fn begin_form(&self, unit: &FormUnit, text: &ApplicationText) -> Result<Begun, DeskError> {
        self.need(Permission::WriteForms)?;
        let mut tx = self.office().begin().await?;
        let (unit, identity) = self.draft_parts(&mut tx, unit, text).await?;
        let since = self.office().now() - SENT_AGAIN;
        if let Some((id, state)) = tx.application_begun(&self.staff().login, unit.id, text, since).await? {
            return Ok(Begun { id, handed_in: !state.is_open() });
        }
        let draft = ApplicationDraft { unit: unit.id, county: unit.county, text, identity: identity.as_deref() };
        let id = tx.insert_application(&draft).await?;
        tx.commit().await?;
        Ok(Begun { id, handed_in: false })
    }

    /// A form to write in: its line and its whole text.
    ///
    /// # Errors
    /// No permission; no such form within reach; it is not open.
    pub async fn open_form(&self, id: ApplicationId) -> Result<(ApplicationLine, ApplicationText), DeskError> {
        self.need(Permission::WriteForms)?;
        let mut reader = self.office().store.read().await?;
        let line = self.form_line(&mut reader, id).await?;
        if !line.state.is_open() {
            return Err(FormRefusal::NotOpen(line.state).into());
        }
        let text = reader.application_text(id).await?.ok_or(FormRefusal::Erased)?;
        Ok((line, text))
    }

    /// Writes in a form that shows as `revision`.
    ///
    /// # Errors
    /// As [`Self::begin_form`]; no such form within reach; it is not open.
    pub async fn save_form(
        &self,
        id: ApplicationId,
        revision: i64,
        unit: &FormUnit,
        text: &ApplicationText,
    ) -> Result<Written, DeskError> {
        self.need(Permission::WriteForms)?;
        let mut tx = self.office().begin().await?;
        let line = self.form_line(&mut tx, id).await?;
        if !line.state.is_open() {
            return Err(FormRefusal::NotOpen(line.state).into());
        }
        let (unit, identity) = self.draft_parts(&mut tx, unit, text).await?;
        let draft = ApplicationDraft { unit: unit.id, county: unit.county, text, identity: identity.as_deref() };
        if line.revision != revision || !saved(tx.save_application(id, revision, &draft).await)? {
            let stands = tx.application_text(id).await?.unwrap_or_default();
            return Ok(Written::Conflict {
                who: who(&mut tx, &line.changed_by).await?,
                when: beijing().to_datetime(line.changed_at).strftime("%Y-%m-%d %H:%M").to_string(),
                revision: line.revision,
                differences: stands.differences(text),
            });
        }
        tx.commit().await?;
        Ok(Written::Saved { id, revision: revision + 1 })
    }

    /// Whether a form may be handed in as it stands, and what it says then.
    ///
    /// # Errors
    /// As [`Self::open_form`]; everything that is wrong, at its field.
    pub async fn ready_form(&self, id: ApplicationId) -> Result<(ApplicationLine, Application), DeskError> {
        let (line, text) = self.open_form(id).await?;
        let mut reader = self.office().store.read().await?;
        let form = self.complete(&mut reader, &line, &text).await?;
        Ok((line, form))
    }

    /// Hands a form in to its approver.
    ///
    /// # Errors
    /// As [`Self::ready_form`]; [`DeskError::Conflict`] if it changed since `revision`.
    pub async fn submit_form(&self, id: ApplicationId, revision: i64) -> Result<(), DeskError> {
        self.need(Permission::WriteForms)?;
        let mut tx = self.office().begin().await?;
        let line = self.form_line(&mut tx, id).await?;
        if !line.state.is_open() {
            return Err(FormRefusal::NotOpen(line.state).into());
        }
        let text = tx.application_text(id).await?.ok_or(FormRefusal::Erased)?;
        self.complete(&mut tx, &line, &text).await?;
        // The approver who sees it again wants to know what it was sent back for.
        let reason = line.reason.as_deref();
        let step = ApplicationStep { from: line.state, to: ApplicationState::Submitted, reason, volunteer: None };
        match tx.move_application(id, revision, step).await {
            Ok(true) => Ok(tx.commit().await?),
            Ok(false) => Err(self.changed(&mut tx, &line).await?),
            // Another one's form of the same person was handed in first.
            Err(StoreError::Duplicate { .. }) => Err(at_identity(other_form(&line, false))),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a form back; what it says is erased.
    ///
    /// # Errors
    /// No permission; no such form within reach; it is decided; [`DeskError::Conflict`] if it changed since `revision`.
    pub async fn withdraw_form(&self, id: ApplicationId, revision: i64) -> Result<(), DeskError> {
        self.need(Permission::WriteForms)?;
        let mut tx = self.office().begin().await?;
        let line = self.form_line(&mut tx, id).await?;
        if !line.state.may_become(ApplicationState::Withdrawn) {
            return Err(FormRefusal::NotWithdrawable(line.state).into());
        }
        let step = ApplicationStep { from: line.state, to: ApplicationState::Withdrawn, reason: None, volunteer: None };
        if !tx.move_application(id, revision, step).await? {
            return Err(self.changed(&mut tx, &line).await?);
        }
        Ok(tx.commit().await?)
    }

    /// Judges what is filled in so far: empty fields are not faults yet. `id` is the form itself, so that it is no
    /// duplicate of its own.
    ///
    /// # Errors
    /// No permission.
    pub async fn check_form(&self, id: Option<ApplicationId>, text: &ApplicationText) -> Result<FormCheck, DeskError> {
        self.need(Permission::WriteForms)?;
        let today = beijing_date(self.office().now());
        let mut check = FormCheck::default();
        if let Err(faults) = text.check(today) {
            let filled = |fault: &FieldFault| !text.field(fault.field).trim().is_empty();
            check.faults = faults.into_iter().filter(filled).map(at_field).collect();
        }
        let Ok(number) = IdentityNumber::parse(&text.identity) else { return Ok(check) };
        let applied_on = text.applied_on.trim().parse().unwrap_or(today);
        let age = age_on(number.birth_date(), applied_on);
        check.minor = age < crate::domain::application::OF_AGE;
        check.from_number = Some((number.birth_date().to_string(), Sex::name(number.sex()), age));
        if !check.faults.iter().any(|fault| fault.field == "identity") {
            let mut reader = self.office().store.read().await?;
            let own = (id, self.own_unit());
            check.faults.extend(self.duplicate(&mut reader, own, &number).await?);
        }
        Ok(check)
    }

    /// A complete form of somebody who is not registered and has no other form.
    pub(super) async fn complete(
        &self,
        reader: &mut Reader,
        line: &ApplicationLine,
        text: &ApplicationText,
    ) -> Result<Application, DeskError> {
        let today = beijing_date(self.office().now());
        let form =
            text.check(today).map_err(|faults| DeskError::Invalid(faults.into_iter().map(at_field).collect()))?;
        match self.duplicate(reader, (Some(line.id), Some(line.unit)), &form.identity).await? {
            Some(error) => Err(DeskError::Invalid(vec![error])),
            None => Ok(form),
        }
    }

    /// Whether the person with this number is registered, has left, or has another form.
    async fn duplicate(
        &self,
        reader: &mut Reader,
        (own, unit): (Option<ApplicationId>, Option<UnitId>),
        number: &IdentityNumber,
    ) -> Result<Option<FieldError>, DeskError> {
        let known = reader.known_by_identity(&[number.as_str()]).await?.pop().flatten();
        if let Some(known) = known {
            let number = zyz_credential::CertificateNumber::parse(&known.number)
                .map_or(known.number.clone(), |number| number.grouped());
            let message = match known.state {
                VolunteerState::Active => {
                    format!("此人已是注册志愿者，证书编号 {number}，不需要重复登记；信息有变请在“志愿者”页更正")
                }
                VolunteerState::Exited => format!(
                    "此人曾注册（证书编号 {number}），后来退出：本人要求重新加入的，由联合会在“志愿者”页办理重新加入，不另行登记"
                ),
            };
            return Ok(Some(FieldError { field: "identity", message }));
        }
        let forms = reader.open_applications(number.as_str()).await?;
        // A draft lying in another unit hinders nobody; one before an approver does.
        let other = forms
            .iter()
            .find(|form| Some(form.id) != own && (form.state != ApplicationState::Draft || Some(form.unit) == unit));
        Ok(other.map(|form| {
            let near = self.reach_unit(form.county, form.unit).is_ok();
            FieldError { field: "identity", message: other_form(form, near) }
        }))
    }

    fn own_unit(&self) -> Option<UnitId> {
        match self.staff().scope {
            Scope::Unit { unit, .. } => Some(UnitId(unit)),
            Scope::All | Scope::County(_) | Scope::Partner(_) => None,
        }
    }

    /// The unit and identity number of a draft, whose texts are fit to keep.
    async fn draft_parts(
        &self,
        tx: &mut Tx,
        unit: &FormUnit,
        text: &ApplicationText,
    ) -> Result<(Unit, Option<String>), DeskError> {
        let mut errors: Vec<FieldError> = Vec::new();
        let unit = match self.form_unit(tx, unit).await? {
            Ok(unit) => Some(unit),
            Err(error) => {
                errors.push(error);
                None
            }
        };
        if let Err(faults) = text.check_draft() {
            errors.extend(faults.into_iter().map(at_field));
        }
        let identity = IdentityNumber::parse(&text.identity).ok().map(|number| number.as_str().to_owned());
        match unit {
            Some(unit) if errors.is_empty() => Ok((unit, identity)),
            _ => Err(DeskError::Invalid(errors)),
        }
    }

    async fn form_unit(&self, tx: &mut Tx, typed: &FormUnit) -> Result<Result<Unit, FieldError>, DeskError> {
        let county = match self.staff().scope {
            Scope::Unit { unit, .. } => return Ok(Ok(tx.unit(UnitId(unit)).await?.ok_or(DeskError::NotFound)?)),
            Scope::County(county) => county,
            Scope::Partner(_) => return Err(DeskError::NotFound),
            Scope::All => match County::parse(&typed.county) {
                Ok(county) => county.code(),
                Err(_) => {
                    let message = "请选择单位所属的县（区）".into();
                    return Ok(Err(FieldError { field: "unit_county", message }));
                }
            },
        };
        let name = typed.name.trim();
        let message = match name {
            "" => "请填写单位名称".to_owned(),
            name => match tx.unit_in(county, name).await? {
                Some(unit) => return Ok(Ok(unit)),
                None => "没有这个单位：请从列表中选择全称；新单位先在“单位”页添加".to_owned(),
            },
        };
        Ok(Err(FieldError { field: "unit_name", message }))
    }

    /// The conflict of a step that came too late.
    pub(super) async fn changed(&self, tx: &mut Tx, line: &ApplicationLine) -> Result<DeskError, DeskError> {
        let last = line.decided_at.filter(|at| *at >= line.changed_at).and(line.decided_by.as_deref());
        let when = beijing().to_datetime(line.changed_at).strftime("%Y-%m-%d %H:%M").to_string();
        Ok(DeskError::Conflict { who: who(tx, last.unwrap_or(&line.changed_by)).await?, when })
    }
}

/// A reason or a place in words.
pub(super) fn words(field: &'static str, missing: &str, text: &str) -> Result<String, DeskError> {
    let text = text.trim();
    let length = text.chars().count();
    let message = match length {
        0..2 => missing.to_owned(),
        201.. => format!("最多 200 个字，此处为 {length} 个：请缩短"),
        _ if text.chars().any(|c| c.is_control() || (crate::domain::person::is_blank(c) && !c.is_whitespace())) => {
            "含有控制字符或不可见字符：请删除后重新录入".to_owned()
        }
        _ => return Ok(text.to_owned()),
    };
    Err(DeskError::Invalid(vec![FieldError { field, message }]))
}

/// The name behind a login.
pub(in crate::service::desk) async fn who(reader: &mut Reader, login: &str) -> Result<String, DeskError> {
    let account = reader.staff_by_login(login).await?;
    Ok(account.map_or_else(|| login.to_owned(), |account| account.staff.name))
}

/// A second form of a person before the approvers is a lost race like any other: the caller says who was first.
fn saved(outcome: Result<bool, StoreError>) -> Result<bool, DeskError> {
    match outcome {
        Err(StoreError::Duplicate { .. }) => {
            Err(at_identity("此人另有一份登记表正在审批或已退回更正，不能重复登记；请核对身份证号".into()))
        }
        other => Ok(other?),
    }
}

fn other_form(form: &ApplicationLine, near: bool) -> String {
    match near {
        true => format!(
            "{}已有此人的登记表（{}，{}）：请在那一份上办理，不要重复登记",
            form.unit_name,
            form.state.label(),
            beijing_date(form.changed_at)
        ),
        false => "另一单位已提交此人的登记表，正在办理中：请与本人核实由哪个单位登记".into(),
    }
}

fn at_identity(message: String) -> DeskError {
    DeskError::Invalid(vec![FieldError { field: "identity", message }])
}

fn at_field(fault: FieldFault) -> FieldError {
    FieldError { field: fault.field, message: fault.fault.to_string() }
}
