//! Writing the year's star batch: drafting, announcing, objections, throwing away, confirming.

use jiff::civil::Date;
use serde_json::json;

use super::audit::BatchHash;
use super::bulk::{Insert, Statement};
use super::row::{Columns, county_text};
use super::star::NewStarAward;
use super::star_draft::{DraftRow, NewDraftRow, NewStarDraft, StarDraft, StarDraftId};
use super::{StarBatchId, StoreError, Tx, VolunteerId};

const INSERT_ROW: Insert = Insert {
    table: "star_draft_row",
    columns: &[
        "id",
        "draft_id",
        "volunteer_id",
        "number",
        "name",
        "unit_id",
        "unit_name",
        "county",
        "star_before",
        "star",
        "window_minutes",
        "lifetime_minutes",
        "removed",
    ],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

impl Tx {
    /// Freezes a draft with its rows (`star_draft.make`, with a SHA-256 over them). A second one of the year under way is
    /// [`StoreError::Duplicate`].
    pub async fn make_star_draft(
        &mut self,
        new: &NewStarDraft,
        rows: &[NewDraftRow],
    ) -> Result<StarDraftId, StoreError> {
        let id = StarDraftId(self.draw_one("star_draft").await?);
        let mut hash = BatchHash::default();
        for row in rows {
            hash.add(&format!("{} {} {} {}", row.volunteer, row.star, row.window_minutes, row.lifetime_minutes));
        }
        let digest = hash.hex();
        let bytes = hex::decode(&digest).unwrap_or_default();
        let at = self.now.as_second();
        sqlx::query(
            "INSERT INTO star_draft (id, year, first_day, last_day, policy_effective_from, state, people, rows_sha256, \
             drafted_by, drafted_at, revision) VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, $8, $9, 1)",
        )
        .bind(id.0)
        .bind(i64::from(new.year))
        .bind(new.first_day.to_string())
        .bind(new.last_day.to_string())
        .bind(new.policy.to_string())
        .bind(rows.len() as i64)
        .bind(&bytes[..])
        .bind(new.staff)
        .bind(at)
        .execute(self.connection())
        .await?;
        let ids = self.draw("star_draft_row", rows.len()).await?;
        let numbered: Vec<_> = ids.zip(rows).collect();
        let counties: std::collections::HashMap<u8, String> =
            rows.iter().map(|row| Ok((row.county, county_text(row.county)?))).collect::<Result<_, StoreError>>()?;
        self.insert_all(&INSERT_ROW, &numbered, |values, (row_id, row)| {
            values.push(*row_id);
            values.push(id.0);
            values.push(row.volunteer.0);
            values.push(row.number.as_str());
            values.push(row.name.as_str());
            values.push(row.unit.0);
            values.push(row.unit_name.as_str());
            values.push(counties[&row.county].as_str());
            values.push(i64::from(row.star_before));
            values.push(i64::from(row.star));
            values.push(row.window_minutes as i64);
            values.push(row.lifetime_minutes as i64);
            values.push(0_i64);
        })
        .await?;
        let detail = json!({
            "year": new.year, "from": new.first_day.to_string(), "to": new.last_day.to_string(),
            "policy": new.policy.to_string(), "count": rows.len(), "rows_sha256": digest,
        });
        self.audit("star_draft.make", format!("star_draft/{id}"), detail);
        Ok(id)
    }

    /// Puts a draft up for public notice, or changes the notice's days (`star_draft.announce`); `false` if its revision is
    /// no longer `revision` or it is decided.
    pub async fn announce_star_draft(
        &mut self,
        id: StarDraftId,
        revision: i64,
        (from, to): (Date, Date),
        staff: i64,
    ) -> Result<bool, StoreError> {
        let changed = sqlx::query(
            "UPDATE star_draft SET state = 'announced', notice_from = $1, notice_to = $2, announced_by = $3, \
             revision = revision + 1 WHERE id = $4 AND revision = $5 AND state IN ('draft', 'announced')",
        )
        .bind(from.to_string())
        .bind(to.to_string())
        .bind(staff)
        .bind(id.0)
        .bind(revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            let detail = json!({"from": from.to_string(), "to": to.to_string()});
            self.audit("star_draft.announce", format!("star_draft/{id}"), detail);
        }
        Ok(changed == 1)
    }

    /// Throws a draft away (`star_draft.drop`); `false` if its revision is no longer `revision` or it is decided.
    pub async fn drop_star_draft(
        &mut self,
        id: StarDraftId,
        revision: i64,
        reason: &str,
        staff: i64,
    ) -> Result<bool, StoreError> {
        let at = self.now.as_second();
        let changed = sqlx::query(
            "UPDATE star_draft SET state = 'dropped', reason = $1, decided_by = $2, decided_at = $3, \
             revision = revision + 1 WHERE id = $4 AND revision = $5 AND state IN ('draft', 'announced')",
        )
        .bind(reason.to_owned())
        .bind(staff)
        .bind(at)
        .bind(id.0)
        .bind(revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            self.audit("star_draft.drop", format!("star_draft/{id}"), json!({}));
        }
        Ok(changed == 1)
    }

    /// Decides an objection (`star_draft.object`): the row gets `star` and is removed or not; both may be as before. The
    /// draft's revision moves on, so that whoever has its page open is told. `false` if its revision is no longer
    /// `revision` or it is decided.
    pub async fn decide_objection(
        &mut self,
        draft: &StarDraft,
        row: &DraftRow,
        (star, removed): (u8, bool),
        reason: &str,
    ) -> Result<bool, StoreError> {
        let moved = sqlx::query(
            "UPDATE star_draft SET revision = revision + 1 WHERE id = $1 AND revision = $2 \
             AND state IN ('draft', 'announced')",
        )
        .bind(draft.id.0)
        .bind(draft.revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        if moved != 1 {
            return Ok(false);
        }
        sqlx::query("UPDATE star_draft_row SET star = $1, removed = $2 WHERE id = $3")
            .bind(i64::from(star))
            .bind(i64::from(removed))
            .bind(row.id)
            .execute(self.connection())
            .await?;
        let outcome = match () {
            () if removed => "removed",
            () if star != row.noted.star || row.removed => "adjusted",
            () => "kept",
        };
        let stars = (i64::from(row.noted.star), i64::from(star));
        self.note_objection(draft.id.0, row.id, outcome, stars, reason).await?;
        let detail = json!({"row": row.id, "outcome": outcome, "from": row.noted.star, "to": star});
        self.audit("star_draft.object", format!("star_draft/{}", draft.id), detail);
        Ok(true)
    }

    /// Takes a row out of its draft (`star_draft.object`) for a reason that is nobody's objection.
    pub(super) async fn take_out_of_draft(
        &mut self,
        draft: i64,
        row: i64,
        star: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE star_draft_row SET removed = 1 WHERE id = $1").bind(row).execute(self.connection()).await?;
        self.note_objection(draft, row, "removed", (star, star), reason).await?;
        let detail = json!({"row": row, "outcome": "removed", "from": star, "to": star});
        self.audit("star_draft.object", format!("star_draft/{draft}"), detail);
        Ok(())
    }

    async fn note_objection(
        &mut self,
        draft: i64,
        row: i64,
        outcome: &str,
        (from, to): (i64, i64),
        reason: &str,
    ) -> Result<(), StoreError> {
        let id = self.draw_one("star_objection").await?;
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO star_objection (id, draft_id, row_id, outcome, star_from, star_to, reason, decided_by, \
             decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(id)
        .bind(draft)
        .bind(row)
        .bind(outcome.to_owned())
        .bind(from)
        .bind(to)
        .bind(reason.to_owned())
        .bind(actor)
        .bind(at)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// What a confirmed draft certifies: its rows that were not removed, of people who are still active.
    pub async fn draft_awards(&mut self, id: StarDraftId) -> Result<Vec<NewStarAward>, StoreError> {
        let mut query = Statement::new(
            "SELECT r.volunteer_id, r.star, r.window_minutes, r.lifetime_minutes FROM star_draft_row r \
             JOIN volunteer v ON v.id = r.volunteer_id WHERE r.removed = 0 AND v.state = 'active' AND r.draft_id = ",
        );
        query.bind(id.0).push(" ORDER BY r.id");
        query
            .fetch_all(self)
            .await?
            .iter()
            .map(|row| {
                Ok(NewStarAward {
                    volunteer: VolunteerId(row.int(0)?),
                    star: row.number(1, "星级")?,
                    window_minutes: row.number(2, "时长")?,
                    lifetime_minutes: row.number(3, "时长")?,
                })
            })
            .collect()
    }

    /// Notes that a draft was certified as `batch` (`star_draft.confirm`); `false` if its revision is no longer `revision`
    /// or it is not up for notice.
    pub async fn confirm_star_draft(
        &mut self,
        id: StarDraftId,
        revision: i64,
        (batch, changed): (StarBatchId, u64),
        staff: i64,
    ) -> Result<bool, StoreError> {
        let at = self.now.as_second();
        let done = sqlx::query(
            "UPDATE star_draft SET state = 'confirmed', batch_id = $1, changed = $2, decided_by = $3, decided_at = $4, \
             revision = revision + 1 WHERE id = $5 AND revision = $6 AND state = 'announced'",
        )
        .bind(batch.0)
        .bind(changed as i64)
        .bind(staff)
        .bind(at)
        .bind(id.0)
        .bind(revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        if done == 1 {
            let detail = json!({"batch": batch.0, "changed": changed});
            self.audit("star_draft.confirm", format!("star_draft/{id}"), detail);
        }
        Ok(done == 1)
    }
}
