//! Handing a roster in: checked, kept sealed, nothing registered yet.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{PAGE, conflict, shown, unit_within_reach};
use crate::domain::division::County;
use crate::domain::person::bare;
use crate::domain::staff::Permission;
use crate::roster::people::Checker;
use crate::roster::sheet::{CellKind, KeptRow, Layout};
use crate::roster::{RowOutcome, Warning};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError, sought};
use crate::service::import::outcomes;
use crate::service::reading::RosterReading;
use crate::store::{
    DraftFilter, NewRosterDraft, NewRosterRow, Reader, RosterDraft, RosterDraftId, RosterOutcome, RosterState, Unit,
    UnitId,
};

/// A draft is forgotten after so long.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Drafts that one unit may have open.
const OPEN: u64 = 20;

/// A roster handed in.
#[derive(Debug)]
pub struct DraftUpload<'a> {
    /// The spreadsheet.
    pub file: &'a Path,
    /// What it is called at the unit.
    pub name: &'a str,
    /// Key of the unit whose roster it is.
    pub unit: i64,
}

/// What belongs to the sheet as a whole.
#[derive(Serialize, Deserialize)]
pub(super) struct DraftBody {
    pub layout: Layout,
    pub warnings: Vec<String>,
    /// Signs that it is the wrong file or the wrong unit.
    pub doubts: Vec<String>,
}

/// A row as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct RowBody {
    pub cells: Vec<(u16, CellKind, String)>,
    /// Column, and what is wrong.
    pub problems: Vec<(Option<u16>, String)>,
    pub note: String,
}

/// A roster under way, as lists and pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftView {
    /// Key.
    pub id: i64,
    /// Key of the unit.
    pub unit: i64,
    /// Name of the unit.
    pub unit_name: String,
    /// Name of its county.
    pub county: &'static str,
    /// The file's name.
    pub file_name: String,
    /// 待确认, 已登记, 已放弃.
    pub state: &'static str,
    /// Whether it can be corrected and confirmed.
    pub open: bool,
    /// Whether it was registered.
    pub confirmed: bool,
    /// Rows that are somebody's and not taken out.
    pub rows: u64,
    /// New people.
    pub fresh: u64,
    /// People registered before.
    pub known: u64,
    /// Rows with something wrong.
    pub refused: u64,
    /// Rows taken out.
    pub removed: u64,
    /// Name of who handed it in, and when.
    pub made: (String, String),
    /// Name of who changed it last, and when.
    pub changed: (String, String),
    /// When it is forgotten.
    pub expires: String,
    /// Counts changes.
    pub revision: i64,
}

impl Desk {
    /// Takes a roster in: every row is checked and kept, sealed, for 30 days; nobody is registered yet. Returns its key.
    ///
    /// # Errors
    /// A unit out of reach, a file that is no roster, too many rosters of the unit waiting.
    pub async fn upload_roster(&self, upload: DraftUpload<'_>) -> Result<i64, DeskError> {
        self.need(Permission::ImportRoster)?;
        let office = self.office();
        let mut reader = office.store.read().await?;
        let unit = unit_within_reach(self, &mut reader, UnitId(upload.unit)).await?;
        if reader.open_rosters(unit.id).await? >= OPEN {
            let text = format!("{}已有 {OPEN} 份名册等待确认。请先确认或放弃其中一些，再上传新的", unit.name);
            return Err(DeskError::Refused(text));
        }
        let mut reading = RosterReading::begin(upload.file, office.config(), office.now());
        let handed_in = reading.today;
        let mut kept = Keeping { rows: Vec::new(), others: BTreeSet::new(), elsewhere: 0, names: Vec::new() };
        let (mut layout, mut checker, mut sha256) = (None::<Layout>, None, [0; 32]);
        let somebody = reader.has_volunteers().await?;
        while let Some(part) = reading.next().await {
            sha256 = part.file_sha256;
            if layout.is_none() {
                // The real one judged on another thread; this one only knows where identity numbers stand.
                checker = Some(Checker::new(&part.sheet, handed_in).map_err(ServiceError::from)?);
            }
            layout = Some(part.sheet.layout());
            let judged = outcomes(&mut reader, &unit, somebody, &part.sheet, part.rows).await?;
            let rows: Vec<KeptRow> = part.sheet.rows().map(|row| row.kept()).collect();
            if let Some(checker) = &checker {
                kept.take(checker, part.sheet.header().row(), rows, judged, &unit)?;
            }
        }
        let mut warnings = reading.end().await?;
        let layout = layout.ok_or(ServiceError::Aborted)?;
        if !kept.others.is_empty() {
            let others = kept.others.iter().take(5).cloned().collect();
            warnings.push(Warning::OtherUnits { unit: unit.name.clone(), others });
        }
        let doubts = doubts(&mut reader, &kept, &unit, &sha256).await?;
        drop(reader);
        let body = DraftBody { layout, warnings: warnings.iter().map(ToString::to_string).collect(), doubts };
        let mut tx = office.begin().await?;
        let new = NewRosterDraft {
            unit: unit.id,
            file_name: upload.name.to_owned(),
            file_sha256: sha256,
            handed_in,
            expires_at: tx.now() + KEPT,
            body: sealed_text(&body)?,
        };
        tx.forget_expired_rosters().await?;
        let id = tx.insert_roster_draft(&new, &kept.rows).await?;
        tx.commit().await.map_err(DeskError::from)?;
        Ok(id.0)
    }

    /// Rosters under way or done with, newest first, older than `before`, of one unit, if asked; only those whose unit's or
    /// file's name holds `search`. One more than [`PAGE`] if there are more.
    ///
    /// # Errors
    /// The role may not see them; the database fails.
    pub async fn roster_drafts(
        &self,
        unit: Option<i64>,
        search: &str,
        before: Option<i64>,
    ) -> Result<Vec<DraftView>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let reach = self.reach()?;
        let mut reader = self.office().store.read().await?;
        let text = Some(sought(search)).filter(|text| !text.is_empty());
        let filter = DraftFilter { unit: unit.map(UnitId), text, ..DraftFilter::default() };
        let drafts = reader.roster_drafts(reach, &filter, before.map(RosterDraftId), PAGE + 1).await?;
        Ok(drafts.iter().map(|draft| view(draft, self.office().now())).collect())
    }

    /// One roster under way, or what is left of it.
    ///
    /// # Errors
    /// There is none within reach.
    pub async fn roster_draft(&self, id: i64) -> Result<DraftView, DeskError> {
        self.need(Permission::ImportRoster)?;
        let mut reader = self.office().store.read().await?;
        let draft = self.draft_within_reach(&mut reader, id).await?;
        Ok(view(&draft, self.office().now()))
    }

    /// Gives a roster up: its rows are forgotten at once.
    ///
    /// # Errors
    /// There is none within reach; it is registered already.
    pub async fn abandon_roster(&self, id: i64) -> Result<(), DeskError> {
        self.need(Permission::ImportRoster)?;
        let mut tx = self.office().begin().await?;
        let draft = self.draft_within_reach(&mut tx, id).await?;
        self.open_draft(&draft)?;
        if !tx.abandon_roster_draft(draft.id).await? {
            return Err(conflict(&draft.changed_by, draft.changed_at));
        }
        Ok(tx.commit().await?)
    }

    pub(super) async fn draft_within_reach(&self, reader: &mut Reader, id: i64) -> Result<RosterDraft, DeskError> {
        let draft = reader.roster_draft(RosterDraftId(id)).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(draft.county, draft.unit)?;
        Ok(draft)
    }

    /// Refuses a roster that is no longer open, saying what became of it.
    pub(super) fn open_draft(&self, draft: &RosterDraft) -> Result<(), DeskError> {
        let (who, when) = (&draft.changed_by, shown(draft.changed_at));
        let words = match draft.state {
            RosterState::Confirmed => format!("这份名册已由 {who} 于 {when} 确认登记，不会重复登记"),
            RosterState::Abandoned => format!("这份名册已由 {who} 于 {when} 放弃或已过期，请重新上传"),
            RosterState::Open if draft.expires_at <= self.office().now() => {
                format!("这份名册上传后 30 天（至 {}）没有确认，已过期。请重新上传", shown(draft.expires_at))
            }
            RosterState::Open => return Ok(()),
        };
        Err(DeskError::Refused(words))
    }
}

/// What of a roster that is being read will be kept.
struct Keeping {
    rows: Vec<NewRosterRow>,
    /// Other units that new people's rows name.
    others: BTreeSet<String>,
    /// People registered before, at another unit.
    elsewhere: usize,
    /// Units that stand above the header.
    names: Vec<String>,
}

type Judged = Vec<(u32, RowOutcome, Option<crate::roster::people::PersonRow>)>;

impl Keeping {
    fn take(
        &mut self,
        checker: &Checker,
        header_row: u32,
        rows: Vec<KeptRow>,
        judged: Judged,
        unit: &Unit,
    ) -> Result<(), DeskError> {
        let mut judged = judged.into_iter().peekable();
        for row in rows {
            if row.number < header_row {
                self.names.extend(row.cells.iter().filter_map(|(_, _, text)| unit_written(text)));
            }
            let outcome = judged.next_if(|(number, _, _)| *number == row.number);
            if let Some((_, outcome, person)) = &outcome {
                if matches!(outcome, RowOutcome::Known { note } if note.contains("另一单位")) {
                    self.elsewhere += 1;
                }
                let other = person.as_ref().and_then(|person| person.unit.as_ref());
                self.others.extend(other.filter(|name| **name != unit.name).cloned());
            }
            self.rows.push(kept_row(checker, row, outcome.map(|(_, outcome, _)| outcome))?);
        }
        Ok(())
    }
}

/// A row as it is stored; without an outcome it is nobody's.
pub(super) fn kept_row(
    checker: &Checker,
    row: KeptRow,
    outcome: Option<RowOutcome>,
) -> Result<NewRosterRow, DeskError> {
    let identity = outcome.as_ref().and_then(|_| checker.identity_of(&row));
    let (kind, problems, note) = match outcome {
        None => (RosterOutcome::Aside, Vec::new(), String::new()),
        Some(RowOutcome::New) => (RosterOutcome::New, Vec::new(), String::new()),
        Some(RowOutcome::Flagged { note }) => (RosterOutcome::New, Vec::new(), note),
        Some(RowOutcome::Known { note }) => (RosterOutcome::Known, Vec::new(), note),
        Some(RowOutcome::Refused(problems)) => {
            let problems = problems.into_iter().map(|p| (p.column, p.reason.to_string())).collect();
            (RosterOutcome::Refused, problems, String::new())
        }
    };
    let number = row.number;
    let body = sealed_text(&RowBody { cells: row.cells, problems, note })?;
    let identity = identity.map(|identity| Zeroizing::new(identity.as_str().to_owned()));
    Ok(NewRosterRow { number, outcome: kind, identity, body })
}

pub(super) fn sealed_text(value: &impl Serialize) -> Result<Zeroizing<String>, DeskError> {
    Ok(Zeroizing::new(serde_json::to_string(value).map_err(|_| ServiceError::Aborted)?))
}

pub(super) fn opened<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, DeskError> {
    Ok(serde_json::from_str(text).map_err(|_| ServiceError::Aborted)?)
}

/// The unit's name in a line like 单位名称（公章）：普洱市第二中学　日期：2026年9月1日.
fn unit_written(text: &str) -> Option<String> {
    let after = text.split_once("单位名称").or_else(|| text.split_once("填报单位"))?.1;
    let (_, name) = after.split_once(['：', ':'])?;
    let name = name.split(['（', '(', '\n']).next().unwrap_or_default().split("日期").next().unwrap_or_default();
    let name = name.split("  ").next().unwrap_or_default();
    let name = bare(name).into_owned();
    (name.chars().count() >= 2).then_some(name)
}

/// Signs that this is the wrong file, or that it was meant for another unit.
async fn doubts(reader: &mut Reader, kept: &Keeping, unit: &Unit, sha256: &[u8; 32]) -> Result<Vec<String>, DeskError> {
    let mut doubts = Vec::new();
    let own = bare(&unit.name).into_owned();
    for name in &kept.names {
        if !own.contains(name.as_str()) && !name.contains(own.as_str()) {
            doubts.push(format!("表头写的单位是“{name}”，所选单位是“{}”", unit.name));
        }
    }
    if !kept.others.is_empty() {
        let others: Vec<&str> = kept.others.iter().take(5).map(String::as_str).collect();
        doubts.push(format!("表中“单位”列写有“{}”，所选单位是“{}”", others.join("”“"), unit.name));
    }
    if kept.elsewhere > 0 {
        doubts.push(format!("{} 人此前登记在另一单位（不会改变）", kept.elsewhere));
    }
    if let Some(before) = reader.import_of_file(sha256).await? {
        doubts.push(format!("同一份文件已由 {} 于 {} 导入过", before.actor, shown(before.at)));
    }
    doubts.dedup();
    Ok(doubts)
}

pub(super) fn view(draft: &RosterDraft, now: Timestamp) -> DraftView {
    let expired = draft.state == RosterState::Open && draft.expires_at <= now;
    let counts = draft.counts;
    DraftView {
        id: draft.id.0,
        unit: draft.unit.0,
        unit_name: draft.unit_name.clone(),
        county: County::from_code(draft.county).map_or("", County::name),
        file_name: draft.file_name.clone(),
        state: match draft.state {
            RosterState::Open if expired => "已过期",
            RosterState::Open => "待确认",
            RosterState::Confirmed => "已登记",
            RosterState::Abandoned => "已放弃",
        },
        open: draft.state == RosterState::Open && !expired,
        confirmed: draft.state == RosterState::Confirmed,
        rows: counts.fresh + counts.known + counts.refused,
        fresh: counts.fresh,
        known: counts.known,
        refused: counts.refused,
        removed: counts.removed,
        made: (draft.made_by.clone(), shown(draft.made_at)),
        changed: (draft.changed_by.clone(), shown(draft.changed_at)),
        expires: shown(draft.expires_at),
        revision: draft.revision,
    }
}

#[cfg(test)]
mod tests {
    use super::unit_written;

    #[test]
    fn the_units_name_above_the_header() {
        for (text, name) in [
            ("单位名称（公章）：普洱市第二中学    日期：2026年9月1日", Some("普洱市第二中学")),
            ("单位名称:思茅区文化馆（盖章）", Some("思茅区文化馆")),
            ("填报单位：宁洱县 文化馆", Some("宁洱县文化馆")),
            ("单位名称（公章）：          日期：  年  月  日", None),
            ("普洱市志愿者统计表", None),
        ] {
            assert_eq!(unit_written(text).as_deref(), name, "{text}");
        }
    }
}
