//! Registration forms, 附件1: written by units, decided by the approver (notice, 三、（一）), kept in two copies.
//!
//! - A form may be written in by whoever may write forms of its unit, while it is a draft or returned.
//! - It is decided by the unit's approver alone: the federation for county codes 00 and 02, the county's 文明办 for the
//!   others; the federation does not step over a county. Nobody decides a form in which they wrote or which they
//!   handed in, at any time.
//! - Approval registers the volunteer, in the same transaction.
//! - What a form says is shown masked once it is handed in; the whole is shown for a reason, and that is noted.

mod decide;
mod print;
mod write;

use std::collections::BTreeMap;

use crate::domain::application::{ApplicationState, ApplicationText};
use crate::domain::identity::IdentityNumber;
use crate::domain::person::Phone;
use crate::domain::staff::{Permission, Role, Scope};
use crate::service::desk::{Desk, DeskError};
use crate::store::{
    ApplicationCursor, ApplicationFilter, ApplicationId, ApplicationLine, Approver, ArchivedCopy, AuditEvent, Reader,
};

pub use crate::store::{
    ApplicationCursor as FormCursor, ApplicationId as FormId, ApplicationLine as FormLine, FormCopy,
};
pub use decide::{Decision, Outcome};
pub use write::{Begun, FormCheck, FormUnit, Written};

pub(super) use write::who;

/// Counts stop here and are shown as 10000+.
pub const COUNTED: u32 = 10_001;
/// Lines of an export.
const EXPORTED: usize = 50_000;
/// Events of one form that are looked at.
const EVENTS: u32 = 1_000;

/// Why a step with a form is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormRefusal {
    /// It is no longer being written.
    #[error("这份登记表{}，不能再改写或提交", state(.0))]
    NotOpen(ApplicationState),
    /// It is not before the approver.
    #[error("这份登记表{}，不在待审批之列", state(.0))]
    NotSubmitted(ApplicationState),
    /// It is decided or withdrawn already.
    #[error("这份登记表{}，不能撤回", state(.0))]
    NotWithdrawable(ApplicationState),
    /// Copies are kept of approved forms.
    #[error("这份登记表{}：审批通过后才登记存档地点", state(.0))]
    NotApproved(ApplicationState),
    /// Whoever wrote or handed it in.
    #[error("您填写或提交过这份登记表，不能由您审批：请由审批机构的另一位经办人办理")]
    OwnForm,
    /// Somebody else's to decide.
    #[error("这份登记表由{0}审批，您不能代为办理")]
    OtherApprover(String),
    /// What it said is erased.
    #[error("这份登记表已撤回，填写内容已删除")]
    Erased,
}

/// In words, for the middle of a sentence.
fn state(state: &ApplicationState) -> &'static str {
    match state {
        ApplicationState::Draft => "还是草稿",
        ApplicationState::Submitted => "已提交、正待审批",
        ApplicationState::Returned => "已退回单位更正",
        ApplicationState::Approved => "已审批通过",
        ApplicationState::Rejected => "已审批为不予通过",
        ApplicationState::Withdrawn => "已由单位撤回",
    }
}

impl From<FormRefusal> for DeskError {
    fn from(refusal: FormRefusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}

/// A tab of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// 待我审批
    Mine,
    /// In this state.
    State(ApplicationState),
    /// All within reach.
    All,
}

impl Queue {
    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::State(state) => state.as_str(),
            Self::All => "all",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "mine" => Some(Self::Mine),
            "all" => Some(Self::All),
            other => ApplicationState::parse(other).map(Self::State),
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mine => "待我审批",
            Self::State(ApplicationState::Submitted) => "已提交待审批",
            Self::State(state) => state.label(),
            Self::All => "全部",
        }
    }
}

/// A form with all that its page shows.
#[derive(Debug)]
pub struct FormView {
    /// Its way so far.
    pub line: ApplicationLine,
    /// What it says, masked; `None` once withdrawn.
    pub text: Option<ApplicationText>,
    /// Where its copies are.
    pub copies: Vec<ArchivedCopy>,
    /// What happened to it, oldest first.
    pub history: Vec<AuditEvent>,
    /// Names of those who did, by login.
    pub names: BTreeMap<String, String>,
    /// Whether the one who looks may write in it now.
    pub may_write: bool,
    /// Whether they may withdraw it now.
    pub may_withdraw: bool,
    /// Whether they may decide it now, or why not.
    pub decision: Result<(), FormRefusal>,
    /// Whether they may see it unmasked, for a reason.
    pub may_reveal: bool,
}

impl Desk {
    /// The tabs this person has, each with how many forms are in it.
    ///
    /// # Errors
    /// No permission to see people.
    pub async fn form_queues(&self) -> Result<Vec<(Queue, u64)>, DeskError> {
        self.need(Permission::ViewPeople)?;
        use ApplicationState as S;
        let states = [S::Draft, S::Submitted, S::Returned, S::Approved, S::Rejected, S::Withdrawn].map(Queue::State);
        let mine = self.decides_as().map(|_| Queue::Mine);
        let mut reader = self.office().store.read().await?;
        let mut queues = Vec::new();
        for queue in mine.into_iter().chain(states).chain([Queue::All]) {
            let count = reader.count_applications(&self.form_filter(queue)?, COUNTED).await?;
            queues.push((queue, count));
        }
        Ok(queues)
    }

    /// A page of a tab, the form changed last first, and where the next page begins.
    ///
    /// # Errors
    /// No permission to see people.
    pub async fn form_list(
        &self,
        queue: Queue,
        after: Option<ApplicationCursor>,
        size: u32,
    ) -> Result<(Vec<ApplicationLine>, Option<ApplicationCursor>), DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let mut lines = reader.applications(&self.form_filter(queue)?, after, size + 1).await?;
        let more = lines.len() > size as usize;
        lines.truncate(size as usize);
        let end = lines.last().filter(|_| more).map(cursor);
        Ok((lines, end))
    }

    /// Forms of people whose name begins so, or of the one with exactly this identity number; at most `size`.
    ///
    /// # Errors
    /// No permission to see people.
    pub async fn form_search(&self, words: &str, size: u32) -> Result<Vec<ApplicationLine>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut filter = self.form_filter(Queue::All)?;
        match IdentityNumber::parse(words) {
            Ok(number) => filter.identity = Some(number.as_str().to_owned()),
            Err(_) => filter.name = Some(words.trim().to_owned()),
        }
        let mut reader = self.office().store.read().await?;
        Ok(reader.applications(&filter, None, size).await?)
    }

    /// Every form of a tab, for a spreadsheet: at most 50,000.
    ///
    /// # Errors
    /// No permission to see people.
    pub async fn form_export(&self, queue: Queue) -> Result<Vec<ApplicationLine>, DeskError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (lines, next) = self.form_list(queue, after, 1_000).await?;
            all.extend(lines);
            after = next;
            if after.is_none() || all.len() >= EXPORTED {
                all.truncate(EXPORTED);
                return Ok(all);
            }
        }
    }

    /// One form, masked.
    ///
    /// # Errors
    /// No permission; no such form within reach.
    pub async fn form(&self, id: ApplicationId) -> Result<FormView, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let line = self.form_line(&mut reader, id).await?;
        let text = reader.application_text(id).await?.map(masked);
        let copies = reader.application_copies(id).await?;
        let history = reader.audit_events(Some(&format!("application/{id}")), 0, EVENTS).await?;
        let decision = self.judge_decision(&line, &history);
        let writer = self.may(Permission::WriteForms);
        let mut names = BTreeMap::new();
        let logins = history.iter().map(|event| &event.actor).chain(copies.iter().map(|copy| &copy.noted_by));
        for login in logins {
            if !names.contains_key(login) {
                names.insert(login.clone(), who(&mut reader, login).await?);
            }
        }
        Ok(FormView {
            may_write: writer && line.state.is_open(),
            may_withdraw: writer && line.state.may_become(ApplicationState::Withdrawn),
            may_reveal: self.may(Permission::RevealPersonal) && text.is_some(),
            decision,
            text,
            copies,
            history,
            names,
            line,
        })
    }

    /// What a form says, unmasked, for a reason that is noted.
    ///
    /// # Errors
    /// No permission; no such form within reach; no reason (at `reason`); withdrawn.
    pub async fn reveal_form(&self, id: ApplicationId, reason: &str) -> Result<ApplicationText, DeskError> {
        self.need(Permission::RevealPersonal)?;
        let reason = write::words("reason", "请写明查看的事由（至少 2 个字），将记入审计", reason)?;
        let mut tx = self.office().begin().await?;
        self.form_line(&mut tx, id).await?;
        let text = tx.application_text(id).await?.ok_or(FormRefusal::Erased)?;
        tx.note_application_seen(id, Some(&reason));
        tx.commit().await?;
        Ok(text)
    }

    /// The form, if it is within reach.
    pub(super) async fn form_line(&self, reader: &mut Reader, id: ApplicationId) -> Result<ApplicationLine, DeskError> {
        let line = reader.application(id).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(line.county, line.unit)?;
        Ok(line)
    }

    fn form_filter(&self, queue: Queue) -> Result<ApplicationFilter, DeskError> {
        let mut filter =
            ApplicationFilter { reach: self.reach()?, state: None, approver: None, name: None, identity: None };
        match queue {
            Queue::Mine => {
                filter.state = Some(ApplicationState::Submitted);
                filter.approver = Some(self.decides_as().ok_or(DeskError::NotFound)?);
            }
            Queue::State(state) => filter.state = Some(state),
            Queue::All => {}
        }
        Ok(filter)
    }

    /// As which approver this person decides.
    fn decides_as(&self) -> Option<Approver> {
        if !self.may(Permission::ApproveForms) {
            return None;
        }
        match (self.staff().role, self.staff().scope) {
            (Role::FederationAdmin | Role::FederationClerk, Scope::All) => Some(Approver::Federation),
            (Role::County, Scope::County(county)) => match Approver::of(county) {
                Approver::Federation => None,
                own => Some(own),
            },
            _ => None,
        }
    }

    /// Whether this person may decide a form now.
    fn judge_decision(&self, line: &ApplicationLine, history: &[AuditEvent]) -> Result<(), FormRefusal> {
        if line.state != ApplicationState::Submitted {
            return Err(FormRefusal::NotSubmitted(line.state));
        }
        let approver = Approver::of(line.county);
        if self.decides_as() != Some(approver) {
            return Err(FormRefusal::OtherApprover(approver_name(line.county)));
        }
        let wrote = |event: &&AuditEvent| {
            matches!(event.action.as_str(), "application.create" | "application.save" | "application.submit")
        };
        if history.iter().filter(wrote).any(|event| event.actor == self.staff().login) {
            return Err(FormRefusal::OwnForm);
        }
        Ok(())
    }
}

/// Who approves a county's forms, in words.
pub fn approver_name(county: u8) -> String {
    match Approver::of(county) {
        Approver::Federation => "市志愿服务联合会".into(),
        Approver::County(code) => {
            let county = crate::domain::division::County::from_code(code);
            format!("{}文明办", county.map_or("所属县", |county| county.name()))
        }
    }
}

/// Where a list goes on after a line.
pub fn cursor(line: &ApplicationLine) -> ApplicationCursor {
    ApplicationCursor { changed_at: line.changed_at.as_second(), id: line.id.0 }
}

/// What may be shown without a reason.
fn masked(mut text: ApplicationText) -> ApplicationText {
    const HIDDEN: &str = "＊＊＊";
    let hide = |text: &mut String, shown: Option<String>| {
        if !text.trim().is_empty() {
            *text = shown.unwrap_or_else(|| HIDDEN.into());
        }
    };
    let identity = IdentityNumber::parse(&text.identity).ok().map(|number| number.masked());
    hide(&mut text.identity, identity);
    for field in [&mut text.mobile, &mut text.office_phone, &mut text.guardian_phone] {
        let phone = Phone::parse(field).ok().map(|phone| phone.masked());
        hide(field, phone);
    }
    for field in [&mut text.email, &mut text.address, &mut text.qq, &mut text.resume] {
        hide(field, None);
    }
    text
}
