//! Confirming: everything right in a roster under way is registered and counts as delivered, in one transaction.

use super::conflict;
use super::draft::{DraftBody, RowBody, kept_row, opened};
use super::preview::kept;
use crate::clock::beijing_date;
use crate::domain::staff::Permission;
use crate::roster::people::Checker;
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};
use crate::service::import::Importing;
use crate::service::reading::RosterPart;
use crate::store::{DeliverySource, NewDelivery, RosterCounts, RosterOutcome, RosterRowChange, RosterRows};

/// Rows judged and registered at a time.
const PART: u32 = 2_000;

/// What a confirmed roster came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RosterDone {
    /// Newly registered.
    pub fresh: u64,
    /// Registered before; nothing changed.
    pub known: u64,
    /// Rows with something wrong; not registered.
    pub refused: u64,
    /// Key of the delivered roster.
    pub delivery: i64,
}

impl Desk {
    /// Registers everybody new in a roster under way, as the command would, and notes it as delivered today. Rows with
    /// something wrong stay out. `sure` is whether the person said that it is the right file for this unit, asked where
    /// there are doubts.
    ///
    /// # Errors
    /// [`DeskError::Conflict`] if it changed since `revision`; [`DeskError::Refused`] if it is no longer open, doubted, or
    /// holds nobody. Nothing is registered then.
    pub async fn confirm_roster(&self, id: i64, revision: i64, sure: bool) -> Result<RosterDone, DeskError> {
        self.need(Permission::ImportRoster)?;
        let office = self.office();
        let mut tx = office.begin().await?;
        let draft = self.draft_within_reach(&mut tx, id).await?;
        self.open_draft(&draft)?;
        if draft.revision != revision {
            return Err(conflict(&draft.changed_by, draft.changed_at));
        }
        let body = tx.roster_body(draft.id).await?.ok_or(DeskError::NotFound)?;
        let body: DraftBody = opened(&body)?;
        if !body.doubts.is_empty() && !sure {
            let words = format!("请先核对并勾选“确认无误”：{}", body.doubts.join("；"));
            return Err(DeskError::Refused(words));
        }
        let unit = tx.unit(draft.unit).await?.ok_or(DeskError::NotFound)?;
        let mut importing = Importing::begin(tx, unit, draft.file_name.clone()).await?;
        let empty = body.layout.sheet(false, []);
        let mut checker = Checker::new(&empty, draft.handed_in).map_err(ServiceError::from)?;
        let (mut after, mut changes) = (0, Vec::new());
        loop {
            let rows = importing.tx.roster_rows(draft.id, RosterRows::Everything, after, PART).await?;
            let Some(last) = rows.last() else { break };
            let first = after == 0;
            after = last.number;
            let mut part = Vec::with_capacity(rows.len());
            let mut before = Vec::with_capacity(rows.len());
            for row in rows.iter().filter(|row| row.outcome != RosterOutcome::Removed) {
                part.push(kept(row, opened::<RowBody>(&row.body)?));
                before.push(row.outcome);
            }
            let sheet = body.layout.sheet(first, &part);
            let judged = checker.part(&sheet);
            let seen = importing.outcomes().len();
            importing.take(RosterPart { file_sha256: draft.file_sha256, sheet, rows: judged }).await?;
            // What has become known, or somebody else's, since it was handed in is shown so in the report.
            let mut now = importing.outcomes()[seen..].iter().peekable();
            for (row, was) in part.into_iter().zip(before) {
                let outcome = now.next_if(|(number, _)| *number == row.number).map(|(_, outcome)| outcome.clone());
                let row = kept_row(&checker, row, outcome)?;
                if row.outcome != was {
                    changes.push(RosterRowChange { row, revision: None });
                }
            }
        }
        let (import, counts) = importing.finish().await?;
        let mut tx = importing.tx;
        let people = counts.imported + counts.known;
        if people == 0 {
            let words = "名册里没有一个可以登记的人：请先更正有错误的行，或放弃这份名册";
            return Err(DeskError::Refused(words.into()));
        }
        let mut revision = revision;
        if !changes.is_empty() {
            tx.change_roster_rows(draft.id, &changes).await?;
            revision += 1;
        }
        let outcome = RosterCounts {
            fresh: counts.imported,
            known: counts.known,
            refused: counts.refused,
            removed: draft.counts.removed,
        };
        if !tx.confirm_roster_draft(draft.id, revision, import, outcome).await? {
            return Err(conflict(&draft.changed_by, draft.changed_at));
        }
        let on = beijing_date(tx.now());
        let delivery =
            NewDelivery { unit: draft.unit, on, people, source: DeliverySource::Upload, draft: Some(draft.id) };
        let delivery = tx.insert_delivery(&delivery).await?;
        tx.commit().await?;
        if counts.imported > 0 {
            office.store.refresh_statistics().await?;
        }
        Ok(RosterDone { fresh: counts.imported, known: counts.known, refused: counts.refused, delivery: delivery.0 })
    }
}
