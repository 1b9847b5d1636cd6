//! The two-person rule: one asks, another decides, and deciding for it carries the step out.
//!
//! To add a kind of step: a variant in [`ReviewKind`], an arm in `Desk::carry_out`, and [`Desk::ask_review`] where the step
//! is asked for.

use serde_json::Value;

use super::keys::KeyStep;
use super::plain;
use crate::clock::beijing;
use crate::domain::review::{ReviewKind, ReviewState};
use crate::domain::staff::Permission;
use crate::keystore::Passphrase;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{NewReview, Review, ReviewFilter};

/// Rows a page.
const PAGE: u32 = 50;
/// Longest note, characters.
const NOTE: usize = 200;

/// Which steps to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReviewList {
    /// Those that wait.
    #[default]
    Waiting,
    /// Those decided.
    Decided,
}

/// A step, as people see it.
#[derive(Debug, Clone)]
pub struct ReviewView {
    /// Key.
    pub id: i64,
    /// What kind of step.
    pub kind: ReviewKind,
    /// What will happen.
    pub summary: String,
    /// Where it stands.
    pub state: ReviewState,
    /// Who asked.
    pub asker: String,
    /// When, Beijing time.
    pub asked_at: String,
    /// Who decided.
    pub decider: Option<String>,
    /// When, Beijing time.
    pub decided_at: Option<String>,
    /// What they noted.
    pub note: Option<String>,
    /// What carrying it out came to.
    pub outcome: Option<String>,
    /// Whether the one who looks asked for it: then they cannot decide.
    pub own: bool,
    /// What exactly will happen, line by line.
    pub effects: Vec<String>,
}

/// A page of steps.
#[derive(Debug, Clone)]
pub struct ReviewPage {
    /// Newest first.
    pub rows: Vec<ReviewView>,
    /// Where the next page begins; none at the end.
    pub next: Option<i64>,
}

impl Desk {
    /// Keeps a step until a second person decides; what is asked for is not done now. `summary` says what will happen and to
    /// whom, `payload` is what `Desk::carry_out` needs; neither holds personal data. Returns the key of the review. The
    /// caller has held the asker's permission for the step itself.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ask_review(&self, kind: ReviewKind, summary: String, payload: Value) -> Result<i64, DeskError> {
        let mut tx = self.office().begin().await?;
        let id = tx.insert_review(&NewReview { kind, summary, payload, asked_by: self.staff().id }).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// How many steps wait for this person's decision, 1,000 at most; 0 for who decides none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn reviews_waiting(&self) -> Result<u64, DeskError> {
        if !self.may(Permission::Review) {
            return Ok(0);
        }
        Ok(self.office().store.read().await?.reviews_waiting(self.staff().id).await?)
    }

    /// Steps, the newest first; `text` is looked for in the summary and the asker's name.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], the database.
    pub async fn reviews(&self, list: ReviewList, text: &str, before: Option<i64>) -> Result<ReviewPage, DeskError> {
        self.need(Permission::Review)?;
        let waiting = Some(list == ReviewList::Waiting);
        let filter = ReviewFilter { waiting, text: plain(text), before };
        let mut rows = self.office().store.read().await?.reviews(&filter, PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let next = if more { rows.last().map(|row| row.id) } else { None };
        Ok(ReviewPage { rows: rows.into_iter().map(|row| self.view(row)).collect(), next })
    }

    /// One step, for who decides and for who asked.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::Forbidden`], the database.
    pub async fn review(&self, id: i64) -> Result<ReviewView, DeskError> {
        self.need(Permission::Review)?;
        Ok(self.view(self.review_row(id).await?))
    }

    /// Approves a step that somebody else asked for, and carries it out. `root` is the root key's passphrase, where a step
    /// needs it and it differs from that of the other keys; it is used once and not kept. Returns what it came to.
    ///
    /// # Errors
    /// [`DeskError::Refused`] for one's own step and one already decided; what the step itself refuses is noted as its outcome
    /// and returned.
    pub async fn approve_review(&self, id: i64, note: &str, root: Option<Passphrase>) -> Result<String, DeskError> {
        self.need(Permission::Review)?;
        let row = self.foreign(id).await?;
        self.decide(id, ReviewState::Running, note).await?;
        let done = self.carry_out(row.kind, &row.payload, root).await;
        let mut tx = self.office().begin().await?;
        let (state, outcome) = match &done {
            Ok(outcome) => (ReviewState::Done, outcome.clone()),
            Err(error) => (ReviewState::Failed, error.to_string()),
        };
        tx.finish_review(id, state, &outcome).await?;
        tx.commit().await?;
        done
    }

    /// Refuses a step that somebody else asked for; the note says why.
    ///
    /// # Errors
    /// As [`Desk::approve_review`]; [`DeskError::Invalid`] without a note.
    pub async fn refuse_review(&self, id: i64, note: &str) -> Result<(), DeskError> {
        self.need(Permission::Review)?;
        self.foreign(id).await?;
        if plain(note).is_empty() {
            let message = "请写明不通过的原因，申请人会看到".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "note", message }]));
        }
        self.decide(id, ReviewState::Refused, note).await
    }

    /// Takes one's own step back.
    ///
    /// # Errors
    /// [`DeskError::Refused`] for somebody else's step and one already decided.
    pub async fn withdraw_review(&self, id: i64) -> Result<(), DeskError> {
        self.need(Permission::Review)?;
        if self.review_row(id).await?.asked_by != self.staff().id {
            return Err(DeskError::Refused("只有申请人本人可以撤回。您可以选择通过或不通过".into()));
        }
        self.decide(id, ReviewState::Withdrawn, "").await
    }

    /// Does what was approved. Each kind has one arm.
    async fn carry_out(
        &self,
        kind: ReviewKind,
        payload: &Value,
        root: Option<Passphrase>,
    ) -> Result<String, DeskError> {
        match kind {
            ReviewKind::KeyChange => self.carry_out_key_step(&KeyStep::read(payload)?, root).await,
            ReviewKind::IssueCards => self.carry_out_batch(payload).await,
        }
    }

    async fn review_row(&self, id: i64) -> Result<Review, DeskError> {
        self.office().store.read().await?.review(id).await?.ok_or(DeskError::NotFound)
    }

    /// A step that somebody else asked for.
    async fn foreign(&self, id: i64) -> Result<Review, DeskError> {
        let row = self.review_row(id).await?;
        if row.asked_by == self.staff().id {
            return Err(DeskError::Refused("不能复核自己提出的事项，请由另一位有复核权限的同事办理".into()));
        }
        Ok(row)
    }

    async fn decide(&self, id: i64, to: ReviewState, note: &str) -> Result<(), DeskError> {
        let note: String = plain(note).chars().take(NOTE).collect();
        let mut tx = self.office().begin().await?;
        let note = Some(note.as_str()).filter(|note| !note.is_empty());
        if !tx.decide_review(id, to, self.staff().id, note).await? {
            tx.rollback().await?;
            let now = self.review_row(id).await?;
            let who = now.decider.unwrap_or_default();
            return Err(DeskError::Refused(format!("该事项已由 {who} 处理（{}），不能再次处理", now.state.label())));
        }
        tx.commit().await?;
        Ok(())
    }

    fn view(&self, row: Review) -> ReviewView {
        let when = |at| beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
        let effects = match row.kind {
            ReviewKind::KeyChange => KeyStep::read(&row.payload).map(|step| step.effects()).unwrap_or_default(),
            ReviewKind::IssueCards => Self::batch_effects(&row.payload),
        };
        ReviewView {
            id: row.id,
            kind: row.kind,
            summary: row.summary,
            state: row.state,
            asker: row.asker,
            asked_at: when(row.asked_at),
            decider: row.decider,
            decided_at: row.decided_at.map(when),
            note: row.note,
            outcome: row.outcome,
            own: row.asked_by == self.staff().id,
            effects,
        }
    }
}
