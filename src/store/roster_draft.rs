//! Rosters under way: every row of a sheet, sealed, until it is confirmed, abandoned or a month old.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

use super::bulk::{Insert, Statement};
use super::row::{Columns, id, name_of};
use super::sealed::Place;
use super::unit::containing;
use super::{ImportId, Reach, Reader, StoreError, Tx, UnitId};

id!(
    /// Key of a roster under way.
    RosterDraftId
);

/// Where a roster under way stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RosterState {
    /// Being looked through.
    Open,
    /// Registered and delivered.
    Confirmed,
    /// Given up; its rows are gone.
    Abandoned,
}

/// What a row of it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RosterOutcome {
    /// Nobody's row: title, header, sums, foot.
    Aside,
    /// A person who would be registered.
    New,
    /// Registered before.
    Known,
    /// Something is wrong with it.
    Refused,
    /// Taken out by hand; can be put back.
    Removed,
}

/// How many rows came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RosterCounts {
    /// New people.
    pub fresh: u64,
    /// People registered before.
    pub known: u64,
    /// Rows with something wrong.
    pub refused: u64,
    /// Rows taken out.
    pub removed: u64,
}

/// A roster to keep. Personal data in the clear: they are sealed on the way in.
pub struct NewRosterDraft {
    /// The unit whose roster it is.
    pub unit: UnitId,
    /// The file's name, without its folder.
    pub file_name: String,
    /// SHA-256 of the file.
    pub file_sha256: [u8; 32],
    /// The day of application, by which ages are judged.
    pub handed_in: Date,
    /// When it is forgotten.
    pub expires_at: Timestamp,
    /// What belongs to the sheet as a whole, as text; sealed.
    pub body: Zeroizing<String>,
}

/// A row to keep.
pub struct NewRosterRow {
    /// As the spreadsheet program numbers it, from 1.
    pub number: u32,
    /// What it comes to.
    pub outcome: RosterOutcome,
    /// Identity number, if the row has one; kept as a blind index.
    pub identity: Option<Zeroizing<String>>,
    /// Cells and problems, as text; sealed.
    pub body: Zeroizing<String>,
}

/// A row that changes.
pub struct RosterRowChange {
    /// What it becomes.
    pub row: NewRosterRow,
    /// Whether a person changed it, and at which revision they saw it; none if it changed along with another.
    pub revision: Option<i64>,
}

/// A roster under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterDraft {
    /// Key.
    pub id: RosterDraftId,
    /// Whose.
    pub unit: UnitId,
    /// Name of the unit.
    pub unit_name: String,
    /// County of the unit.
    pub county: u8,
    /// The file's name.
    pub file_name: String,
    /// SHA-256 of the file.
    pub file_sha256: [u8; 32],
    /// The day of application.
    pub handed_in: Date,
    /// Where it stands.
    pub state: RosterState,
    /// Its rows.
    pub counts: RosterCounts,
    /// The import that registered it, if anybody was new.
    pub import: Option<ImportId>,
    /// Name of who handed it in.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
    /// Name of who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
    /// Counts changes, from 1.
    pub revision: i64,
}

/// Which rosters under way a list shows; empty means all within reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftFilter {
    /// In this state.
    pub state: Option<RosterState>,
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// Whose unit's or file's name holds this.
    pub text: Option<String>,
}

/// A row of one, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct RosterRow {
    /// As the spreadsheet program numbers it.
    pub number: u32,
    /// What it comes to.
    pub outcome: RosterOutcome,
    /// Cells and problems.
    pub body: Zeroizing<String>,
    /// Who changed it last, and when; none since it was handed in.
    pub changed: Option<(String, Timestamp)>,
    /// Counts changes, from 1.
    pub revision: i64,
}

/// Which rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RosterRows {
    /// Every row of the sheet, nobody's and removed ones too.
    Everything,
    /// Every row that is somebody's, unless taken out.
    People,
    /// Only rows of one outcome.
    Only(RosterOutcome),
}

const SELECT: &str = concat!(
    "SELECT d.id, d.unit_id, unit.name, unit.county, d.file_name, d.file_sha256, d.handed_in, d.state, d.fresh, \
     d.known, d.refused, d.removed, d.import_id, ",
    name_of!("d.made_by"),
    ", d.made_at, ",
    name_of!("d.changed_by"),
    ", d.changed_at, d.expires_at, d.revision FROM roster_draft d JOIN unit ON unit.id = d.unit_id WHERE 1 = 1"
);

const SELECT_ROW: &str = "SELECT id, number, outcome, body_sealed, changed_by, changed_at, revision \
                          FROM roster_draft_row WHERE draft_id = ";

const INSERT_ROW: Insert = Insert {
    table: "roster_draft_row",
    columns: &["id", "draft_id", "number", "outcome", "identity_index", "body_sealed", "revision"],
    fixed: &[],
    conflict: "",
    may_stop_halfway: true,
};

impl Reader {
    /// One roster under way, or what is left of it.
    pub async fn roster_draft(&mut self, id: RosterDraftId) -> Result<Option<RosterDraft>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" AND d.id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(draft).transpose()
    }

    /// Up to `limit` rosters under way within reach, newest first, older than `before`.
    pub async fn roster_drafts(
        &mut self,
        reach: Reach,
        filter: &DraftFilter,
        before: Option<RosterDraftId>,
        limit: u32,
    ) -> Result<Vec<RosterDraft>, StoreError> {
        let mut query = Statement::new(SELECT);
        reach.narrow(&mut query, "unit")?;
        if let Some(state) = filter.state {
            query.push(" AND d.state = ").bind(state.as_str());
        }
        if let Some(unit) = filter.unit {
            query.push(" AND d.unit_id = ").bind(unit.0);
        }
        if let Some(like) = filter.text.as_deref().map(containing) {
            query.push(" AND (unit.name LIKE ").bind(like.clone()).push(" ESCAPE '!' OR d.file_name LIKE ");
            query.bind(like).push(" ESCAPE '!')");
        }
        if let Some(before) = before {
            query.push(" AND d.id < ").bind(before.0);
        }
        query.push(" ORDER BY d.id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(draft).collect()
    }

    /// How many rosters of a unit are being looked through.
    pub async fn open_rosters(&mut self, unit: UnitId) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM roster_draft WHERE unit_id = $1 AND state = 'open'";
        sqlx::query(sql).bind(unit.0).fetch_one(self.connection()).await?.number(0, "草稿数")
    }

    /// What belongs to the sheet as a whole; none once the rows are forgotten.
    pub async fn roster_body(&mut self, id: RosterDraftId) -> Result<Option<Zeroizing<String>>, StoreError> {
        let sql = "SELECT body_sealed FROM roster_draft WHERE id = $1";
        let Some(row) = sqlx::query(sql).bind(id.0).fetch_optional(self.connection()).await? else { return Ok(None) };
        let Some(sealed) = row.bytes_or_null(0)? else { return Ok(None) };
        Ok(Some(self.shared.sealer.open(draft_place(id.0), sealed)?))
    }

    /// Up to `limit` rows in the sheet's order after row number `after`.
    pub async fn roster_rows(
        &mut self,
        id: RosterDraftId,
        filter: RosterRows,
        after: u32,
        limit: u32,
    ) -> Result<Vec<RosterRow>, StoreError> {
        let mut query = Statement::new(SELECT_ROW);
        query.bind(id.0).push(" AND number > ").bind(i64::from(after));
        match filter {
            RosterRows::Everything => {}
            RosterRows::People => {
                query.push(" AND outcome IN ('new', 'known', 'refused')");
            }
            RosterRows::Only(outcome) => {
                query.push(" AND outcome = ").bind(outcome.as_str());
            }
        }
        query.push(" ORDER BY number LIMIT ").bind(i64::from(limit));
        let rows = query.fetch_all(self).await?;
        rows.iter().map(|row| self.open_roster_row(row)).collect()
    }

    /// One row.
    pub async fn roster_row(&mut self, id: RosterDraftId, number: u32) -> Result<Option<RosterRow>, StoreError> {
        let mut query = Statement::new(SELECT_ROW);
        query.bind(id.0).push(" AND number = ").bind(i64::from(number));
        let row = query.fetch_optional(self).await?;
        row.as_ref().map(|row| self.open_roster_row(row)).transpose()
    }

    /// The rows, unless taken out, that have one of these identity numbers, in the sheet's order.
    pub async fn roster_rows_of(
        &mut self,
        id: RosterDraftId,
        identities: &[&str],
    ) -> Result<Vec<RosterRow>, StoreError> {
        let mut found = Vec::new();
        for identity in identities {
            let index = self.shared.sealer.blind(INDEX, identity);
            let mut query = Statement::new(SELECT_ROW);
            query.bind(id.0).push(" AND identity_index = ").bind(&index[..]).push(" AND outcome <> 'removed'");
            for row in &query.fetch_all(self).await? {
                found.push(self.open_roster_row(row)?);
            }
        }
        found.sort_by_key(|row| row.number);
        found.dedup_by_key(|row| row.number);
        Ok(found)
    }

    fn open_roster_row(&self, row: &AnyRow) -> Result<RosterRow, StoreError> {
        Ok(RosterRow {
            number: row.number(1, "行号")?,
            outcome: RosterOutcome::parse(row.str(2)?)?,
            body: self.shared.sealer.open(row_place(row.int(0)?), row.bytes(3)?)?,
            changed: row.text_or_null(4)?.zip(row.moment_or_null(5)?),
            revision: row.int(6)?,
        })
    }
}

impl Tx {
    /// Keeps a roster to be looked through (`roster.upload`).
    pub async fn insert_roster_draft(
        &mut self,
        new: &NewRosterDraft,
        rows: &[NewRosterRow],
    ) -> Result<RosterDraftId, StoreError> {
        let id = self.draw_one("roster_draft").await?;
        let counts = rows.iter().fold(RosterCounts::default(), |counts, row| counts.with(row.outcome, 1));
        let body = self.seal_roster(draft_place(id), &new.body);
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO roster_draft (id, unit_id, file_name, file_sha256, handed_in, state, fresh, known, refused, \
             removed, body_sealed, made_by, made_at, changed_by, changed_at, expires_at, revision) \
             VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10, $11, $12, $11, $12, $13, 1)",
        )
        .bind(id)
        .bind(new.unit.0)
        .bind(new.file_name.as_str())
        .bind(&new.file_sha256[..])
        .bind(new.handed_in.to_string())
        .bind(counts.fresh as i64)
        .bind(counts.known as i64)
        .bind(counts.refused as i64)
        .bind(counts.removed as i64)
        .bind(body)
        .bind(actor)
        .bind(now)
        .bind(new.expires_at.as_second())
        .execute(self.connection())
        .await?;
        let first = self.draw("roster_draft_row", rows.len().max(1)).await?.start;
        let shared = self.shared.clone();
        let mut next = first;
        let (mut nonce, mut sealed) = ([0; 24], Vec::new());
        self.insert_all(&INSERT_ROW, rows, |values, row| {
            shared.entropy.fill(&mut nonce);
            shared.sealer.seal_into(&mut sealed, row_place(next), &nonce, &row.body);
            values.push(next);
            values.push(id);
            values.push(i64::from(row.number));
            values.push(row.outcome.as_str());
            values.push(
                row.identity.as_ref().map(|identity| shared.sealer.blind(INDEX, identity)).as_ref().map(|i| &i[..]),
            );
            values.push(&sealed[..]);
            values.push(1_i64);
            next += 1;
        })
        .await?;
        let detail = json!({
            "unit": new.unit.0, "file_sha256": hex::encode(new.file_sha256), "new": counts.fresh,
            "known": counts.known, "refused": counts.refused,
        });
        self.audit("roster.upload", format!("roster_draft/{id}"), detail);
        Ok(RosterDraftId(id))
    }

    /// Changes rows of a roster that is open and counts them anew (`roster.correct`): `false`, with nothing changed, if a
    /// row that a person changed is no longer at the revision they saw.
    pub async fn change_roster_rows(
        &mut self,
        id: RosterDraftId,
        changes: &[RosterRowChange],
    ) -> Result<bool, StoreError> {
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        for change in changes {
            let sql = "SELECT id, revision FROM roster_draft_row WHERE draft_id = $1 AND number = $2";
            let query = sqlx::query(sql).bind(id.0).bind(i64::from(change.row.number));
            let found =
                query.fetch_optional(self.connection()).await?.ok_or(StoreError::NotFound { what: "名册行" })?;
            let (row, revision) = (found.int(0)?, found.int(1)?);
            if change.revision.is_some_and(|seen| seen != revision) {
                return Ok(false);
            }
            let identity = change.row.identity.as_ref().map(|identity| self.shared.sealer.blind(INDEX, identity));
            let body = self.seal_roster(row_place(row), &change.row.body);
            let by_hand = i64::from(change.revision.is_some());
            sqlx::query(
                "UPDATE roster_draft_row SET outcome = $1, identity_index = $2, body_sealed = $3, revision = revision + $4, \
                 changed_by = CASE WHEN $4 = 1 THEN $5 ELSE changed_by END, \
                 changed_at = CASE WHEN $4 = 1 THEN $6 ELSE changed_at END WHERE id = $7",
            )
            .bind(change.row.outcome.as_str())
            .bind(identity.as_ref().map(|index| &index[..]))
            .bind(body)
            .bind(by_hand)
            .bind(actor.as_str())
            .bind(now)
            .bind(row)
            .execute(self.connection())
            .await?;
        }
        let counts = self.count_roster(id).await?;
        sqlx::query(
            "UPDATE roster_draft SET fresh = $1, known = $2, refused = $3, removed = $4, changed_by = $5, \
             changed_at = $6, revision = revision + 1 WHERE id = $7",
        )
        .bind(counts.fresh as i64)
        .bind(counts.known as i64)
        .bind(counts.refused as i64)
        .bind(counts.removed as i64)
        .bind(actor)
        .bind(now)
        .bind(id.0)
        .execute(self.connection())
        .await?;
        let rows: Vec<u32> = changes.iter().filter(|c| c.revision.is_some()).map(|c| c.row.number).collect();
        self.audit("roster.correct", format!("roster_draft/{id}"), json!({"rows": rows}));
        Ok(true)
    }

    /// Closes a roster that was registered (`roster.confirm`), if it is open and still at `revision`; `counts` are what
    /// became of its rows in the end.
    pub async fn confirm_roster_draft(
        &mut self,
        id: RosterDraftId,
        revision: i64,
        import: Option<ImportId>,
        counts: RosterCounts,
    ) -> Result<bool, StoreError> {
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        let changed = sqlx::query(
            "UPDATE roster_draft SET state = 'confirmed', import_id = $1, fresh = $2, known = $3, refused = $4, \
             changed_by = $5, changed_at = $6, revision = revision + 1 WHERE id = $7 AND state = 'open' AND revision = $8",
        )
        .bind(import.map(|import| import.0))
        .bind(counts.fresh as i64)
        .bind(counts.known as i64)
        .bind(counts.refused as i64)
        .bind(actor)
        .bind(now)
        .bind(id.0)
        .bind(revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            let detail = json!({"new": counts.fresh, "known": counts.known, "refused": counts.refused});
            self.audit("roster.confirm", format!("roster_draft/{id}"), detail);
        }
        Ok(changed == 1)
    }

    /// Gives an open roster up and forgets its rows (`roster.abandon`): `false` if it is not open.
    pub async fn abandon_roster_draft(&mut self, id: RosterDraftId) -> Result<bool, StoreError> {
        let (actor, now) = (self.actor.clone(), self.now.as_second());
        let changed = sqlx::query(
            "UPDATE roster_draft SET state = 'abandoned', body_sealed = NULL, changed_by = $1, changed_at = $2, \
             revision = revision + 1 WHERE id = $3 AND state = 'open'",
        )
        .bind(actor)
        .bind(now)
        .bind(id.0)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            self.forget_roster_rows(id.0).await?;
            self.audit("roster.abandon", format!("roster_draft/{id}"), json!({}));
        }
        Ok(changed == 1)
    }

    /// Forgets the rows of rosters whose time is up (`roster.expire`); returns how many there were.
    pub async fn forget_expired_rosters(&mut self) -> Result<usize, StoreError> {
        let now = self.now.as_second();
        let sql = "SELECT id FROM roster_draft WHERE body_sealed IS NOT NULL AND expires_at <= $1 ORDER BY id LIMIT 20";
        let rows = sqlx::query(sql).bind(now).fetch_all(self.connection()).await?;
        for row in &rows {
            let id = row.int(0)?;
            self.forget_roster_rows(id).await?;
            let sql = "UPDATE roster_draft SET body_sealed = NULL, \
                       state = CASE WHEN state = 'open' THEN 'abandoned' ELSE state END WHERE id = $1";
            sqlx::query(sql).bind(id).execute(self.connection()).await?;
            self.audit("roster.expire", format!("roster_draft/{id}"), json!({}));
        }
        Ok(rows.len())
    }

    /// Notes that rows of a roster were shown in the clear (`roster.reveal`).
    pub fn note_roster_shown(&mut self, id: RosterDraftId, rows: serde_json::Value, reason: &str) {
        self.audit("roster.reveal", format!("roster_draft/{id}"), json!({"rows": rows, "reason": reason}));
    }

    async fn forget_roster_rows(&mut self, id: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM roster_draft_row WHERE draft_id = $1").bind(id).execute(self.connection()).await?;
        Ok(())
    }

    async fn count_roster(&mut self, id: RosterDraftId) -> Result<RosterCounts, StoreError> {
        let sql = "SELECT outcome, count(*) FROM roster_draft_row WHERE draft_id = $1 GROUP BY outcome";
        let rows = sqlx::query(sql).bind(id.0).fetch_all(self.connection()).await?;
        let mut counts = RosterCounts::default();
        for row in &rows {
            counts = counts.with(RosterOutcome::parse(row.str(0)?)?, row.number(1, "行数")?);
        }
        Ok(counts)
    }

    fn seal_roster(&self, place: Place, plain: &str) -> Vec<u8> {
        let mut nonce = [0; 24];
        self.shared.entropy.fill(&mut nonce);
        self.shared.sealer.seal(place, &nonce, plain)
    }
}

/// The blind index is another one than the register's: rows cannot be joined to people without the key.
const INDEX: &str = "roster_draft_row.identity";

impl RosterState {
    const ALL: [Self; 3] = [Self::Open, Self::Confirmed, Self::Abandoned];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Abandoned => "abandoned",
        }
    }
}

impl RosterOutcome {
    const ALL: [Self; 5] = [Self::Aside, Self::New, Self::Known, Self::Refused, Self::Removed];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aside => "aside",
            Self::New => "new",
            Self::Known => "known",
            Self::Refused => "refused",
            Self::Removed => "removed",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or(StoreError::BadValue { what: "名册行的判定" })
    }
}

impl RosterCounts {
    fn with(mut self, outcome: RosterOutcome, count: u64) -> Self {
        match outcome {
            RosterOutcome::Aside => {}
            RosterOutcome::New => self.fresh += count,
            RosterOutcome::Known => self.known += count,
            RosterOutcome::Refused => self.refused += count,
            RosterOutcome::Removed => self.removed += count,
        }
        self
    }
}

fn draft_place(row: i64) -> Place {
    Place { table: "roster_draft", column: "body_sealed", row }
}

fn row_place(row: i64) -> Place {
    Place { table: "roster_draft_row", column: "body_sealed", row }
}

fn draft(row: &AnyRow) -> Result<RosterDraft, StoreError> {
    let state = row.str(7)?;
    let states = RosterState::ALL.into_iter();
    Ok(RosterDraft {
        id: RosterDraftId(row.int(0)?),
        unit: UnitId(row.int(1)?),
        unit_name: row.text(2)?,
        county: row.county(3)?,
        file_name: row.text(4)?,
        file_sha256: row.array(5, "文件摘要")?,
        handed_in: row.date(6)?,
        state: states.into_iter().find(|s| s.as_str() == state).ok_or(StoreError::BadValue { what: "草稿状态" })?,
        counts: RosterCounts {
            fresh: row.number(8, "行数")?,
            known: row.number(9, "行数")?,
            refused: row.number(10, "行数")?,
            removed: row.number(11, "行数")?,
        },
        import: row.int_or_null(12)?.map(ImportId),
        made_by: row.text(13)?,
        made_at: row.moment(14)?,
        changed_by: row.text(15)?,
        changed_at: row.moment(16)?,
        expires_at: row.moment(17)?,
        revision: row.int(18)?,
    })
}

impl std::fmt::Debug for RosterRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RosterRow({}, {:?})", self.number, self.outcome)
    }
}
