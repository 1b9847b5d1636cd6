//! Asking for cards to be signed, replaced or printed: what the page counted is typed again, and a large batch waits for a
//! second person.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lists::units_in_words;
use crate::domain::certificate::Reason;
use crate::domain::job::JobTask;
use crate::domain::review::ReviewKind;
use crate::domain::staff::Permission;
use crate::render::Layout;
use crate::service::card_jobs::layout_named;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{CardList, NewReview};

/// What asking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It is in the queue, as this job.
    Job(i64),
    /// It waits for a second person, as this review.
    Review(i64),
}

/// What is kept with a review of a batch.
#[derive(Debug, Serialize, Deserialize)]
struct Batch {
    task: JobTask,
    staff: i64,
    login: String,
    effects: Vec<String>,
}

/// Reasons for which a good card is replaced by a new one.
pub const REPRINT_REASONS: [Reason; 3] = [Reason::Error, Reason::Reissue, Reason::Other];

impl Desk {
    /// Asks for the cards of a list to be signed. `count` is what the person typed: how many people the page named. The
    /// same list asked for twice is one job, or one review.
    ///
    /// # Errors
    /// [`DeskError::Invalid`] for another count; [`DeskError::Refused`] if everybody has a valid card already.
    pub async fn ask_issue(&self, list: i64, count: &str) -> Result<Asked, DeskError> {
        self.need(Permission::IssueCards)?;
        let found = self.office().store.read().await?.card_list(list).await?.ok_or(DeskError::NotFound)?;
        let pasted = found.detail.choice.is_empty();
        if pasted && found.detail.without_card == 0 {
            return Err(DeskError::Refused("名单里的人都有证了，不用签发。要给他们换新证，请用“作废重制”".into()));
        }
        if pasted && found.detail.with_card > 0 {
            return Err(DeskError::Refused(format!(
                "名单里有 {} 人已有有效证。请分开办理：无证的签发，有证的用“作废重制”",
                found.detail.with_card
            )));
        }
        self.ask_for_batch(found, JobTask::Issue { list }, count).await
    }

    /// Asks for the cards of a list to be replaced, for sheets that were spoiled or details that were wrong: new cards with
    /// new indexes, the old ones superseded.
    ///
    /// # Errors
    /// As [`Self::ask_issue`]; [`DeskError::Invalid`] for a reason that is none of [`REPRINT_REASONS`].
    pub async fn ask_reprint(&self, list: i64, reason: &str, count: &str) -> Result<Asked, DeskError> {
        self.need(Permission::IssueCards)?;
        let found = self.office().store.read().await?.card_list(list).await?.ok_or(DeskError::NotFound)?;
        let known = REPRINT_REASONS.into_iter().find(|known| known.as_str() == reason);
        let Some(reason) = known else {
            let message = "请选择作废重制的原因".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "reason", message }]));
        };
        if found.detail.with_card == 0 {
            return Err(DeskError::Refused("名单里没有人持有有效证，不用作废重制，直接签发即可".into()));
        }
        self.ask_for_batch(found, JobTask::Reprint { list, reason: reason.as_str().into() }, count).await
    }

    /// Asks for the cards of a list to be printed; the same again is the same job as long as its files are there.
    ///
    /// # Errors
    /// No permission to print; an unknown layout; nobody on the list has a card.
    pub async fn ask_print(&self, list: i64, layout: &str, photos: bool) -> Result<i64, DeskError> {
        self.need(Permission::PrintCards)?;
        let found = self.office().store.read().await?.card_list(list).await?.ok_or(DeskError::NotFound)?;
        if layout_named(layout).is_err() {
            let message = "请选择版式".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "layout", message }]));
        }
        if found.detail.with_card == 0 {
            return Err(DeskError::Refused("名单里的人还没有证。请先签发，再打印".into()));
        }
        self.start_job(JobTask::Print { list, layout: layout.into(), photos }).await
    }

    /// The calibration page of a layout, as PDF.
    ///
    /// # Errors
    /// No permission to print; an unknown layout.
    pub fn calibration(&self, layout: &str) -> Result<Vec<u8>, DeskError> {
        self.need(Permission::PrintCards)?;
        let layout: Layout = layout_named(layout).map_err(|_| DeskError::NotFound)?;
        let page = crate::render::pdf::calibration(layout, self.office().now());
        Ok(page.map_err(crate::service::ServiceError::from)?)
    }

    /// Carries a batch out that a second person approved: it goes into the queue in the name of whoever asked.
    pub(in crate::service::desk) async fn carry_out_batch(&self, payload: &Value) -> Result<String, DeskError> {
        let batch = read(payload)?;
        let job = self.start_job_for(batch.task, batch.staff, &batch.login).await?;
        Ok(format!("已开始签发，任务 {job}"))
    }

    /// What approving a batch will do, line by line.
    pub(in crate::service::desk) fn batch_effects(payload: &Value) -> Vec<String> {
        read(payload).map(|batch| batch.effects).unwrap_or_default()
    }

    async fn ask_for_batch(&self, list: CardList, task: JobTask, count: &str) -> Result<Asked, DeskError> {
        let typed = count.trim().replace(['，', ',', ' '], "");
        if typed.parse() != Ok(list.people) {
            let message = format!("名单上是 {} 人，与您填写的不同。请核对单位和名单后再填", list.people);
            return Err(DeskError::Invalid(vec![FieldError { field: "count", message }]));
        }
        if !self.settings().await?.batch_needs_second(list.people) {
            return Ok(Asked::Job(self.start_job(task).await?));
        }
        let mut tx = self.office().begin().await?;
        // Writers take turns: what is read in here holds until the review is there.
        if let Some(review) = tx.card_list(list.id).await?.and_then(|list| list.review) {
            return Ok(Asked::Review(review));
        }
        let summary = format!("{} {} 人的志愿服务证：{}", task.label(), list.people, units_in_words(&list.detail));
        let mut effects: Vec<String> =
            list.detail.units.iter().take(20).map(|unit| format!("{}：{} 人", unit.name, unit.people)).collect();
        if list.detail.units.len() > effects.len() {
            effects.push(format!("另有 {} 个单位", list.detail.units.len() - effects.len()));
        }
        if task.reason().is_some() || list.detail.with_card > 0 {
            effects.push(format!("其中 {} 人的现有证将被新证取代，旧证随下一个数据包失效", list.detail.with_card));
        }
        effects.push(format!("名单见：制证 → 名单 {}；签发后须打印才会送到本人手中", list.id));
        let batch = Batch { task, staff: self.staff().id, login: self.staff().login.clone(), effects };
        let payload = serde_json::to_value(batch).map_err(|_| crate::service::ServiceError::Aborted)?;
        let new = NewReview { kind: ReviewKind::IssueCards, summary, payload, asked_by: self.staff().id };
        let review = tx.insert_review(&new).await?;
        tx.set_list_review(list.id, review).await?;
        tx.commit().await?;
        Ok(Asked::Review(review))
    }
}

fn read(payload: &Value) -> Result<Batch, DeskError> {
    serde_json::from_value(payload.clone())
        .map_err(|_| DeskError::Refused("这项申请的内容无法识别，请在制证页面重新发起".into()))
}
