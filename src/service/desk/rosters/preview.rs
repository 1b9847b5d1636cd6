//! The preview: rows page by page, every problem at its cell; long numbers masked until a row is opened for correction.

use std::fs;

use super::PAGE;
use super::draft::{DraftBody, DraftView, RowBody, opened, view};
use crate::domain::staff::Permission;
use crate::roster::sheet::{KeptRow, Sheet};
use crate::roster::{Field, Problem, Reason, RowOutcome, Warning, report};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};
use crate::store::{RosterOutcome, RosterRow, RosterRows};

/// Which rows the preview shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// All that are somebody's.
    #[default]
    All,
    /// Only those with something wrong.
    Problems,
    /// Only new people.
    Fresh,
    /// Only people registered before.
    Known,
    /// Only those taken out.
    Removed,
}

/// A page of the preview.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The roster.
    pub draft: DraftView,
    /// The worksheet's name.
    pub sheet: String,
    /// What the unit should know about the sheet as a whole.
    pub warnings: Vec<String>,
    /// Signs that it is the wrong file or the wrong unit.
    pub doubts: Vec<String>,
    /// Headings as the unit wrote them, with the columns' letters.
    pub headings: Vec<(String, String)>,
    /// The rows.
    pub rows: Vec<PreviewRow>,
    /// Row number after which the next page begins, if there is one.
    pub next: Option<u32>,
}

/// A row of the preview.
#[derive(Debug, Clone)]
pub struct PreviewRow {
    /// As the spreadsheet program numbers it.
    pub number: u32,
    /// 新登记, 已登记, 有错误, 已删去.
    pub outcome: &'static str,
    /// Mark of the badge: good, quiet, bad.
    pub mark: &'static str,
    /// One for each heading.
    pub cells: Vec<PreviewCell>,
    /// What concerns the whole row.
    pub notes: Vec<String>,
    /// Counts changes.
    pub revision: i64,
}

/// A cell of the preview.
#[derive(Debug, Clone, Default)]
pub struct PreviewCell {
    /// Its text; the middle of long numbers is masked.
    pub text: String,
    /// What is wrong with it; empty for nothing.
    pub wrong: String,
}

impl Desk {
    /// A page of a roster's rows after row number `after`.
    ///
    /// # Errors
    /// There is none within reach, or its rows are forgotten.
    pub async fn preview_roster(&self, id: i64, shown: Shown, after: u32) -> Result<Preview, DeskError> {
        self.need(Permission::ImportRoster)?;
        let mut reader = self.office().store.read().await?;
        let draft = self.draft_within_reach(&mut reader, id).await?;
        let Some(body) = reader.roster_body(draft.id).await? else {
            self.open_draft(&draft)?;
            return Err(DeskError::NotFound);
        };
        let body: DraftBody = opened(&body)?;
        let mut rows = reader.roster_rows(draft.id, shown.filter(), after, PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let next = rows.last().filter(|_| more).map(|row| row.number);
        let columns = columns(&body);
        let headings = columns.iter().map(|(at, heading)| (crate::roster::sheet::column_letters(*at), heading.clone()));
        Ok(Preview {
            sheet: body.layout.name().to_owned(),
            headings: headings.collect(),
            rows: rows.iter().map(|row| preview_row(row, &columns)).collect::<Result<_, _>>()?,
            next,
            draft: view(&draft, self.office().now()),
            warnings: body.warnings,
            doubts: body.doubts,
        })
    }

    /// The workbook sent back: the unit's own sheet, marked, as the command writes it. Its numbers are in the clear, which
    /// is noted.
    ///
    /// # Errors
    /// There is none within reach, or its rows are forgotten.
    pub async fn roster_errors(&self, id: i64) -> Result<(String, Vec<u8>), DeskError> {
        self.need(Permission::ImportRoster)?;
        self.need(Permission::RevealPersonal)?;
        let office = self.office();
        let mut tx = office.begin().await?;
        let draft = self.draft_within_reach(&mut tx, id).await?;
        let body = tx.roster_body(draft.id).await?.ok_or(DeskError::NotFound)?;
        let body: DraftBody = opened(&body)?;
        let (mut parts, mut outcomes) = (Vec::new(), Vec::new());
        let mut after = 0;
        loop {
            let rows = tx.roster_rows(draft.id, RosterRows::Everything, after, 2_000).await?;
            let Some(last) = rows.last() else { break };
            let first = after == 0;
            after = last.number;
            let mut kept = Vec::with_capacity(rows.len());
            for row in rows.iter().filter(|row| row.outcome != RosterOutcome::Removed) {
                let (row, outcome) = reported(row)?;
                outcomes.extend(outcome.map(|outcome| (row.number, outcome)));
                kept.push(row);
            }
            parts.push(body.layout.sheet(first, &kept));
        }
        tx.note_roster_shown(draft.id, "all".into(), "下载退回单位的错误表");
        tx.commit().await?;
        let folder = office.work_folder()?;
        let made = draft.handed_in;
        let warnings: Vec<Warning> = body.warnings.into_iter().map(Warning::Told).collect();
        let bytes = tokio::task::spawn_blocking(move || workbook(&folder, &parts, &outcomes, &warnings, made))
            .await
            .map_err(|_| ServiceError::Aborted)??;
        let stem = draft.file_name.rsplit_once('.').map_or(draft.file_name.as_str(), |(stem, _)| stem);
        Ok((format!("{stem}-错误.xlsx"), bytes))
    }
}

impl Shown {
    /// Reads the word in the address.
    pub fn parse(text: &str) -> Self {
        match text {
            "problems" => Self::Problems,
            "new" => Self::Fresh,
            "known" => Self::Known,
            "removed" => Self::Removed,
            _ => Self::All,
        }
    }

    /// The word in the address.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Problems => "problems",
            Self::Fresh => "new",
            Self::Known => "known",
            Self::Removed => "removed",
        }
    }

    fn filter(self) -> RosterRows {
        match self {
            Self::All => RosterRows::People,
            Self::Problems => RosterRows::Only(RosterOutcome::Refused),
            Self::Fresh => RosterRows::Only(RosterOutcome::New),
            Self::Known => RosterRows::Only(RosterOutcome::Known),
            Self::Removed => RosterRows::Only(RosterOutcome::Removed),
        }
    }
}

/// Columns that are shown and can be corrected: those with a heading, without passwords and the reports' own.
pub(super) fn columns(body: &DraftBody) -> Vec<(u16, String)> {
    let header = body.layout.header();
    let shown = header.columns().filter(|(_, _, field)| !matches!(field, Some(Field::Password | Field::Error)));
    shown.map(|(column, heading, _)| (column, heading.to_owned())).collect()
}

/// The row as it was read.
pub(super) fn kept(row: &RosterRow, body: RowBody) -> KeptRow {
    KeptRow { number: row.number, cells: body.cells }
}

fn preview_row(row: &RosterRow, columns: &[(u16, String)]) -> Result<PreviewRow, DeskError> {
    let mut body: RowBody = opened(&row.body)?;
    let problems = std::mem::take(&mut body.problems);
    let mut notes: Vec<String> =
        Some(std::mem::take(&mut body.note)).filter(|note| !note.is_empty()).into_iter().collect();
    let at_cells = |column: Option<u16>| column.is_some_and(|column| columns.iter().any(|(at, _)| *at == column));
    notes.extend(problems.iter().filter(|(column, _)| !at_cells(*column)).map(|(_, what)| what.clone()));
    let sheet_row = kept(row, body);
    let cells = columns.iter().map(|(column, _)| {
        let wrong: Vec<&str> =
            problems.iter().filter(|(at, _)| *at == Some(*column)).map(|(_, what)| what.as_str()).collect();
        PreviewCell { text: masked(sheet_row.cell(*column).text), wrong: wrong.join("；") }
    });
    let (outcome, mark) = match row.outcome {
        RosterOutcome::New => ("新登记", "good"),
        RosterOutcome::Known => ("已登记", "quiet"),
        RosterOutcome::Refused => ("有错误", "bad"),
        RosterOutcome::Removed => ("已删去", "warn"),
        RosterOutcome::Aside => ("不是人员", "quiet"),
    };
    Ok(PreviewRow { number: row.number, outcome, mark, cells: cells.collect(), notes, revision: row.revision })
}

fn reported(row: &RosterRow) -> Result<(KeptRow, Option<RowOutcome>), DeskError> {
    let mut body: RowBody = opened(&row.body)?;
    let outcome = match row.outcome {
        RosterOutcome::Aside | RosterOutcome::Removed => None,
        RosterOutcome::New => Some(RowOutcome::New),
        RosterOutcome::Known => Some(RowOutcome::Known { note: std::mem::take(&mut body.note) }),
        RosterOutcome::Refused => {
            let problem = |(column, what)| Problem {
                row: row.number,
                column,
                heading: String::new(),
                reason: Reason::Service(what),
            };
            Some(RowOutcome::Refused(std::mem::take(&mut body.problems).into_iter().map(problem).collect()))
        }
    };
    Ok((kept(row, body), outcome))
}

fn workbook(
    folder: &std::path::Path,
    parts: &[Sheet],
    outcomes: &[(u32, RowOutcome)],
    warnings: &[Warning],
    made: jiff::civil::Date,
) -> Result<Vec<u8>, ServiceError> {
    let file = tempfile::Builder::new().prefix("errors-").suffix(".xlsx").tempfile_in(folder);
    let at = |source| ServiceError::Io { path: folder.display().to_string(), source };
    let file = file.map_err(at)?.into_temp_path();
    report::write(&file, parts, outcomes, warnings, made)?;
    fs::read(&file).map_err(at)
}

/// Runs of eleven digits or more — identity numbers, telephones, whatever column they stand in — without their middle.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    let close = |run: &mut String, shown: &mut String| {
        let digits: Vec<char> = run.chars().collect();
        if digits.len() < 11 {
            shown.push_str(run);
        } else {
            let head = if digits.len() >= 15 { 6 } else { 3 };
            shown.extend(&digits[..head]);
            shown.extend(std::iter::repeat_n('*', digits.len() - head - 4));
            shown.extend(&digits[digits.len() - 4..]);
        }
        run.clear();
    };
    // Signs that turn the direction of writing, or cannot be seen, are left out of what is shown.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    for c in text.chars().filter(|&c| !hidden(c)) {
        let half = crate::domain::person::half_width(c);
        if half.is_ascii_digit() || (matches!(half, 'X' | 'x') && run.chars().count() >= 14) {
            run.push(c);
        } else {
            close(&mut run, &mut shown);
            shown.push(c);
        }
    }
    close(&mut run, &mut shown);
    shown
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn long_numbers_lose_their_middle_wherever_they_stand() {
        assert_eq!(masked("53080219900101001X"), "530802********001X");
        assert_eq!(masked("电话13800000001/备用"), "电话138****0001/备用");
        assert_eq!(masked("1990.05"), "1990.05");
        assert_eq!(masked("岩\u{202e}温\u{2066}扁"), "岩温扁");
        assert_eq!(masked("５３０８０２１９９００１０１００１８").chars().filter(|c| *c == '*').count(), 8);
    }
}
