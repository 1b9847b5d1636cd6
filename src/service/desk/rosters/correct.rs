//! Correcting in place: one row's cells, judged again by the roster's own checker together with every row that has the old
//! or the new identity number, since only those can change with it.

use super::conflict;
use super::draft::{DraftBody, RowBody, kept_row, opened, sealed_text};
use super::preview::{columns, kept};
use crate::domain::staff::Permission;
use crate::roster::people::Checker;
use crate::roster::sheet::{KeptRow, Limits, column_letters};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::import::outcomes;
use crate::store::{NewRosterRow, RosterDraft, RosterOutcome, RosterRow, RosterRowChange, RosterRows, Tx};

/// A row opened for correction.
#[derive(Debug, Clone)]
pub struct RowForm {
    /// As the spreadsheet program numbers it.
    pub number: u32,
    /// Its cells by column.
    pub cells: Vec<RowCell>,
    /// What concerns the whole row.
    pub notes: Vec<String>,
    /// Whether it was taken out.
    pub removed: bool,
    /// Counts changes; the form carries it.
    pub revision: i64,
}

/// A cell opened for correction, in the clear.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RowCell {
    /// Column counted from 0.
    pub column: u16,
    /// Its letters.
    pub letters: String,
    /// Its heading.
    pub heading: String,
    /// What stands in it.
    pub text: String,
    /// What is wrong with it; empty for nothing.
    pub wrong: String,
}

impl RowCell {
    /// Whether just this stands in it.
    pub fn holds(&self, text: &str) -> bool {
        self.text == text
    }
}

impl std::fmt::Debug for RowCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowCell({})", self.letters)
    }
}

impl Desk {
    /// A row with its numbers in the clear, for correction; that it was shown is noted.
    ///
    /// # Errors
    /// No such row within reach; the roster is no longer open.
    pub async fn open_roster_row(&self, id: i64, number: u32) -> Result<RowForm, DeskError> {
        self.need(Permission::ImportRoster)?;
        self.need(Permission::RevealPersonal)?;
        let mut tx = self.office().begin().await?;
        let (draft, body) = self.draft_to_correct(&mut tx, id).await?;
        let row = person_row(&mut tx, &draft, number).await?;
        tx.note_roster_shown(draft.id, number.into(), "更正名册");
        tx.commit().await?;
        form(&row, &body)
    }

    /// Writes cells of a row and judges it again, with the rows that share its identity number.
    ///
    /// # Errors
    /// [`DeskError::Conflict`] if somebody changed the row since `revision`; [`DeskError::Refused`] if nothing of a person
    /// would be left in it; cells that are too long.
    pub async fn correct_roster_row(
        &self,
        id: i64,
        number: u32,
        revision: i64,
        cells: &[(u16, String)],
    ) -> Result<(), DeskError> {
        self.need(Permission::ImportRoster)?;
        let limit = Limits::default().cell_chars;
        if cells.iter().any(|(_, text)| text.chars().nth(limit).is_some()) {
            let message = format!("内容过长：一格最多 {limit} 个字");
            return Err(DeskError::Invalid(vec![FieldError { field: "cell", message }]));
        }
        let mut tx = self.office().begin().await?;
        let (draft, body) = self.draft_to_correct(&mut tx, id).await?;
        let before = person_row(&mut tx, &draft, number).await?;
        check_revision(&before, revision, &draft)?;
        let editable = columns(&body);
        let mut after = kept(&before, opened(&before.body)?);
        for (column, text) in cells.iter().filter(|(column, _)| editable.iter().any(|(at, _)| at == column)) {
            after.write(*column, text);
        }
        let changes = rejudge(&mut tx, &draft, &body, &before, Some(after), revision).await?;
        if !changes.iter().any(|change| change.row.number == number && change.row.outcome != RosterOutcome::Aside) {
            let words =
                "这样改后，这一行就不再是一个人的资料了（会被当作空行、合计或落款）。要删去这一行，请用“删去这一行”";
            return Err(DeskError::Refused(words.into()));
        }
        self.write(tx, &draft, &before, changes).await
    }

    /// Takes a row out, or puts it back.
    ///
    /// # Errors
    /// As [`Self::correct_roster_row`].
    pub async fn remove_roster_row(&self, id: i64, number: u32, revision: i64, out: bool) -> Result<(), DeskError> {
        self.need(Permission::ImportRoster)?;
        let mut tx = self.office().begin().await?;
        let (draft, body) = self.draft_to_correct(&mut tx, id).await?;
        let before = person_row(&mut tx, &draft, number).await?;
        check_revision(&before, revision, &draft)?;
        let after = if out { None } else { Some(kept(&before, opened(&before.body)?)) };
        let changes = rejudge(&mut tx, &draft, &body, &before, after, revision).await?;
        self.write(tx, &draft, &before, changes).await
    }

    /// The first row with something wrong after `after`, or else the first of all.
    ///
    /// # Errors
    /// There is no such roster within reach.
    pub async fn next_problem(&self, id: i64, after: u32) -> Result<Option<u32>, DeskError> {
        for after in [after, 0] {
            let mut reader = self.office().store.read().await?;
            let draft = self.draft_within_reach(&mut reader, id).await?;
            let only = RosterRows::Only(RosterOutcome::Refused);
            if let Some(row) = reader.roster_rows(draft.id, only, after, 1).await?.first() {
                return Ok(Some(row.number));
            }
        }
        Ok(None)
    }

    async fn draft_to_correct(&self, tx: &mut Tx, id: i64) -> Result<(RosterDraft, DraftBody), DeskError> {
        let draft = self.draft_within_reach(tx, id).await?;
        self.open_draft(&draft)?;
        let body = tx.roster_body(draft.id).await?.ok_or(DeskError::NotFound)?;
        Ok((draft, opened(&body)?))
    }

    async fn write(
        &self,
        mut tx: Tx,
        draft: &RosterDraft,
        before: &RosterRow,
        changes: Vec<RosterRowChange>,
    ) -> Result<(), DeskError> {
        if !tx.change_roster_rows(draft.id, &changes).await? {
            return Err(changed_row(before, draft));
        }
        Ok(tx.commit().await?)
    }
}

/// The row becomes `after` (or is taken out); it and all that share an identity number with it, before or after, are judged.
async fn rejudge(
    tx: &mut Tx,
    draft: &RosterDraft,
    body: &DraftBody,
    before: &RosterRow,
    after: Option<KeptRow>,
    revision: i64,
) -> Result<Vec<RosterRowChange>, DeskError> {
    let unit = tx.unit(draft.unit).await?.ok_or(DeskError::NotFound)?;
    let empty = body.layout.sheet(false, []);
    let mut checker = Checker::new(&empty, draft.handed_in).map_err(ServiceError::from)?;
    let was = kept(before, opened(&before.body)?);
    let numbers = [checker.identity_of(&was), after.as_ref().and_then(|row| checker.identity_of(row))];
    let mut identities: Vec<&str> = numbers.iter().flatten().map(|number| number.as_str()).collect();
    identities.dedup();
    let mut group = Vec::new();
    for row in tx.roster_rows_of(draft.id, &identities).await? {
        if row.number != before.number {
            group.push(kept(&row, opened(&row.body)?));
        }
    }
    let out = after.is_none();
    group.extend(after);
    group.sort_by_key(|row| row.number);
    let sheet = body.layout.sheet(false, &group);
    let somebody = tx.has_volunteers().await?;
    let checked = checker.part(&sheet);
    let mut judged = outcomes(tx, &unit, somebody, &sheet, checked).await?.into_iter().peekable();
    let mut changes = Vec::with_capacity(group.len() + 1);
    for row in group {
        let by_hand = (row.number == before.number).then_some(revision);
        let outcome = judged.next_if(|(number, _, _)| *number == row.number).map(|(_, outcome, _)| outcome);
        changes.push(RosterRowChange { row: kept_row(&checker, row, outcome)?, revision: by_hand });
    }
    if out {
        let body = RowBody { cells: was.cells.clone(), problems: Vec::new(), note: String::new() };
        let identity = numbers[0].map(|number| zeroize::Zeroizing::new(number.as_str().to_owned()));
        let (number, outcome) = (before.number, RosterOutcome::Removed);
        let row = NewRosterRow { number, outcome, identity, body: sealed_text(&body)? };
        changes.push(RosterRowChange { row, revision: Some(revision) });
    }
    Ok(changes)
}

/// A row that is, or was, somebody's.
async fn person_row(tx: &mut Tx, draft: &RosterDraft, number: u32) -> Result<RosterRow, DeskError> {
    let row = tx.roster_row(draft.id, number).await?.filter(|row| row.outcome != RosterOutcome::Aside);
    row.ok_or(DeskError::NotFound)
}

fn check_revision(row: &RosterRow, seen: i64, draft: &RosterDraft) -> Result<(), DeskError> {
    if row.revision == seen { Ok(()) } else { Err(changed_row(row, draft)) }
}

fn changed_row(row: &RosterRow, draft: &RosterDraft) -> DeskError {
    match &row.changed {
        Some((who, when)) => conflict(who, *when),
        None => conflict(&draft.changed_by, draft.changed_at),
    }
}

fn form(row: &RosterRow, draft: &DraftBody) -> Result<RowForm, DeskError> {
    let mut body: RowBody = opened(&row.body)?;
    let problems = std::mem::take(&mut body.problems);
    let note = std::mem::take(&mut body.note);
    let kept = kept(row, body);
    let columns = columns(draft);
    let mut notes: Vec<String> = if note.is_empty() { Vec::new() } else { vec![note] };
    for (column, what) in &problems {
        if !column.is_some_and(|column| columns.iter().any(|(at, _)| *at == column)) {
            notes.push(what.clone());
        }
    }
    let cells = columns.into_iter().map(|(column, heading)| {
        let wrong: Vec<&str> =
            problems.iter().filter(|(at, _)| *at == Some(column)).map(|(_, what)| what.as_str()).collect();
        let text = kept.cell(column).text.to_owned();
        RowCell { column, letters: column_letters(column), heading, text, wrong: wrong.join("；") }
    });
    let removed = row.outcome == RosterOutcome::Removed;
    Ok(RowForm { number: row.number, cells: cells.collect(), notes, removed, revision: row.revision })
}
