//! Importing a unit's roster (附件2): each row ends as new, already known, or refused; the import is one transaction.
//!
//! It is registered part by part while the rest is still being read. Whatever goes wrong on the way undoes all of it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use zyz_credential::CertificateNumber;

use super::publish::signed;
use super::reading::{RosterPart, RosterReading};
use super::{Federation, Progress, ServiceError};
use crate::domain::certificate::VolunteerState;
use crate::domain::division::County;
use crate::roster::people::PersonRow;
use crate::roster::sheet::Sheet;
use crate::roster::{Checked, Field, Problem, Reason, RowCheck, RowOutcome, Warning, report};
use crate::store::{
    Contact, ImportCounts, ImportId, ImportKind, KnownVolunteer, NewImport, NewVolunteer, OpenImport, Reader,
    Registration, Tx, Unit, UnitId,
};

/// What to import.
#[derive(Debug)]
pub struct RosterRequest<'a> {
    /// The spreadsheet, on its way.
    pub roster: RosterReading,
    /// The unit that sends it; every row is registered there.
    pub unit: &'a str,
    /// Its county.
    pub county: County,
    /// Check and report only.
    pub dry_run: bool,
    /// Import nothing if any row is refused.
    pub strict: bool,
    /// Where to write the report workbook.
    pub report: Option<&'a Path>,
}

/// What an import came to. Programs count on the first four names.
#[derive(Debug, Serialize)]
pub struct RosterImport {
    /// Rows that are somebody's.
    pub rows: usize,
    /// Newly registered, or in a dry run what would be.
    pub imported: usize,
    /// Registered before; nothing changed.
    pub known: usize,
    /// One entry a refused row.
    pub refused: Vec<RefusedRow>,
    /// What the unit should know about the sheet as a whole.
    pub warnings: Vec<String>,
    /// Whether nothing was written because only a trial was asked for.
    pub dry_run: bool,
    /// Whether nothing was written because rows were refused under `strict`.
    #[serde(rename = "strict_refused")]
    pub nothing_imported_because_strict: bool,
}

/// A refused row.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedRow {
    /// The row as the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// Heading of the first column in which something is wrong; empty for the row as a whole.
    pub column: String,
    /// Everything that is wrong, naming cell and rule.
    pub reason: String,
}

/// An import under way: what became of the rows so far. Whoever feeds it holds the transaction.
pub(super) struct Importing {
    pub(super) tx: Tx,
    county: u8,
    unit: Unit,
    file_name: String,
    strict: bool,
    /// Whether new people are written; no longer once a row was refused under `strict`.
    writing: bool,
    /// Whether anybody was registered before this import, which itself must not count.
    somebody: bool,
    written: Option<(OpenImport, Registration)>,
    /// What the report repeats; empty if none is wanted.
    sheets: Option<Vec<Sheet>>,
    outcomes: Vec<(u32, RowOutcome)>,
    new: usize,
    known: usize,
    /// Other units than this one that new people's rows name.
    others: BTreeSet<String>,
}

impl Federation {
    /// Imports a roster. The report is written before anything is kept, so that a report that cannot be written loses
    /// nothing.
    ///
    /// # Errors
    /// A file that is no roster; a report that cannot be written; nothing is imported then. Refused rows are no error.
    pub async fn import_roster(
        &self,
        request: RosterRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<RosterImport, ServiceError> {
        let unit = request.unit.trim();
        if unit.is_empty() || unit.chars().count() > 60 || unit.chars().any(char::is_control) {
            return Err(ServiceError::UnitName);
        }
        let mut roster = request.roster;
        let today = roster.today;
        let Some(first) = roster.next().await else {
            return Err(roster.end().await.err().unwrap_or(ServiceError::Aborted));
        };
        let mut tx = self.begin().await?;
        let unit = tx.ensure_unit(request.county.code(), unit).await?;
        let file_name = roster.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut importing = Importing::begin(tx, unit, file_name).await?;
        importing.strict = request.strict;
        importing.writing = !request.dry_run;
        importing.sheets = request.report.map(|_| Vec::new());
        let mut next = Some(first);
        while let Some(part) = next {
            importing.take(part).await?;
            let rows = importing.outcomes.len() as u64;
            progress(rows, rows);
            next = roster.next().await;
        }
        let mut warnings = roster.end().await?;
        warnings.extend(importing.other_units());
        let mut done = RosterImport {
            rows: importing.outcomes.len(),
            imported: importing.new,
            known: importing.known,
            refused: refused_rows(&importing.outcomes),
            warnings: warnings.iter().map(ToString::to_string).collect(),
            dry_run: request.dry_run,
            nothing_imported_because_strict: false,
        };
        if let (Some(path), Some(sheets)) = (request.report, &importing.sheets) {
            report::write(path, sheets, &importing.outcomes, &warnings, today)?;
        }
        if request.strict && !done.refused.is_empty() {
            importing.tx.rollback().await?;
            done.imported = 0;
            done.nothing_imported_because_strict = true;
            return Ok(done);
        }
        if request.dry_run || done.imported == 0 {
            importing.tx.rollback().await?;
            return Ok(done);
        }
        importing.keep().await?;
        self.store.refresh_statistics().await?;
        Ok(done)
    }
}

impl Importing {
    /// Begins an import that writes, without a report, and takes every row that nothing is wrong with.
    pub(super) async fn begin(mut tx: Tx, unit: Unit, file_name: String) -> Result<Self, ServiceError> {
        Ok(Self {
            county: unit.county,
            unit,
            file_name,
            strict: false,
            writing: true,
            somebody: tx.has_volunteers().await?,
            written: None,
            sheets: None,
            outcomes: Vec::new(),
            new: 0,
            known: 0,
            others: BTreeSet::new(),
            tx,
        })
    }

    /// Says what becomes of each row of the next part, and writes its new people.
    pub(super) async fn take(&mut self, part: RosterPart) -> Result<(), ServiceError> {
        let RosterPart { file_sha256, sheet, rows } = part;
        let judged = outcomes(&mut self.tx, &self.unit, self.somebody, &sheet, rows).await?;
        let mut new: Vec<PersonRow> = Vec::with_capacity(judged.len());
        self.outcomes.reserve(judged.len());
        for (row, outcome, person) in judged {
            match outcome {
                RowOutcome::Refused(_) if self.strict => self.writing = false,
                RowOutcome::Known { .. } => self.known += 1,
                _ => {}
            }
            new.extend(person);
            self.outcomes.push((row, outcome));
        }
        self.new += new.len();
        for other in new.iter().filter_map(|person| person.unit.as_ref()).filter(|name| **name != self.unit.name) {
            if !self.others.contains(other) {
                self.others.insert(other.clone());
            }
        }
        if let Some(sheets) = &mut self.sheets {
            sheets.push(sheet);
        }
        if self.writing && !new.is_empty() { self.write(file_sha256, new).await } else { Ok(()) }
    }

    async fn write(&mut self, file_sha256: [u8; 32], new: Vec<PersonRow>) -> Result<(), ServiceError> {
        let (_, registration) = match &mut self.written {
            Some(written) => written,
            none => {
                let import = NewImport {
                    kind: ImportKind::Roster,
                    file_name: self.file_name.clone(),
                    file_sha256,
                    unit: Some(self.unit.id),
                };
                let import = self.tx.begin_import(import).await?;
                let registration = self.tx.begin_registration(Some(import.id()));
                none.insert((import, registration))
            }
        };
        let serials = self.tx.draw_serials(self.county, new.len()).await?;
        let people = new
            .into_iter()
            .zip(serials)
            .map(|(person, serial)| new_volunteer(person, self.county, serial, self.unit.id))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(self.tx.register(registration, people).await?)
    }

    /// What became of the rows so far, in their order.
    pub(super) fn outcomes(&self) -> &[(u32, RowOutcome)] {
        &self.outcomes
    }

    /// Makes what was written lasting.
    async fn keep(mut self) -> Result<(), ServiceError> {
        self.finish().await?;
        Ok(self.tx.commit().await?)
    }

    /// Notes what became of the rows; the transaction is ready for whatever else belongs to it, and then to be committed.
    pub(super) async fn finish(&mut self) -> Result<(Option<ImportId>, ImportCounts), ServiceError> {
        let counts = ImportCounts {
            rows: self.outcomes.len() as u64,
            imported: self.new as u64,
            known: self.known as u64,
            refused: self.outcomes.iter().filter(|(_, outcome)| matches!(outcome, RowOutcome::Refused(_))).count()
                as u64,
        };
        let Some((import, registration)) = self.written.take() else { return Ok((None, counts)) };
        let id = import.id();
        self.tx.finish_import(import, &counts).await?;
        self.tx.finish_registration(registration).await?;
        Ok((Some(id), counts))
    }

    /// A warning if the sheet's own 单位 column names other units than the one that everybody is registered in.
    fn other_units(&self) -> Option<Warning> {
        let others: Vec<String> = self.others.iter().take(5).cloned().collect();
        (!others.is_empty()).then(|| Warning::OtherUnits { unit: self.unit.name.clone(), others })
    }
}

/// What becomes of judged rows at a unit: each with its number and, if it is somebody new, the person. `somebody` says
/// whether anybody can be known at all.
pub(super) async fn outcomes(
    reader: &mut Reader,
    unit: &Unit,
    somebody: bool,
    sheet: &Sheet,
    rows: Vec<Checked<PersonRow>>,
) -> Result<Vec<(u32, RowOutcome, Option<PersonRow>)>, ServiceError> {
    let mut known = if somebody {
        let identities: Vec<&str> = rows.iter().filter_map(|row| accepted(row).map(|p| p.identity.as_str())).collect();
        reader.known_by_identity(&identities).await?
    } else {
        Vec::new()
    }
    .into_iter();
    let judged = rows.into_iter().map(|row| match row.check {
        RowCheck::Refused(problems) => (row.row, RowOutcome::Refused(problems), None),
        RowCheck::Accepted(person) => match known.next().flatten() {
            Some(before) => (row.row, outcome_of_known(sheet, &person, &before, unit), None),
            None => (row.row, RowOutcome::New, Some(person)),
        },
    });
    Ok(judged.collect())
}

/// One entry a refused row, from its problems.
pub(super) fn refused_rows(outcomes: &[(u32, RowOutcome)]) -> Vec<RefusedRow> {
    let refused = outcomes.iter().filter_map(|(row, outcome)| match outcome {
        RowOutcome::Refused(problems) => Some((*row, problems)),
        _ => None,
    });
    refused
        .map(|(row, problems)| RefusedRow {
            row,
            column: problems.first().map(|problem| problem.heading.clone()).unwrap_or_default(),
            reason: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("；"),
        })
        .collect()
}

fn accepted(row: &Checked<PersonRow>) -> Option<&PersonRow> {
    match &row.check {
        RowCheck::Accepted(person) => Some(person),
        RowCheck::Refused(_) => None,
    }
}

/// What an identity number that is registered already means for its row.
fn outcome_of_known(sheet: &Sheet, person: &PersonRow, before: &KnownVolunteer, unit: &Unit) -> RowOutcome {
    let refuse =
        |field, words: String| RowOutcome::Refused(vec![Problem::at(sheet, person.row, field, Reason::Service(words))]);
    if before.name != person.name.as_str() {
        let words = "该身份证号码已用另一姓名登记：请核对姓名与号码，确系改名的由联合会更正";
        return refuse(Field::Name, words.into());
    }
    if before.state == VolunteerState::Exited {
        let words = "此人已退出志愿服务组织：退出自由，单位不能代为登记；本人要求重新加入的由联合会办理";
        return refuse(Field::Identity, words.into());
    }
    let number = CertificateNumber::parse(&before.number).map_or(before.number.clone(), |number| number.grouped());
    let elsewhere = if before.unit == unit.id { "" } else { "（登记在另一单位）" };
    RowOutcome::Known { note: format!("已登记，证书编号 {number}{elsewhere}") }
}

fn new_volunteer(person: PersonRow, county: u8, serial: u32, unit: UnitId) -> Result<NewVolunteer, ServiceError> {
    let number = CertificateNumber::from_parts(county, serial).map_err(|e| signed("证书编号", e))?;
    Ok(NewVolunteer {
        number: number.to_string(),
        name: person.name.into_string(),
        sex: person.sex.code(),
        // 0: not told. GB/T 3304 begins at 1.
        ethnicity: person.ethnicity.map_or(0, |people| people.code()),
        birth_date: person.birth_date,
        political: person.political.map(|political| political.code()),
        unit,
        identity: person.identity.as_str().to_owned(),
        contact: Contact {
            phone: person.phone.map(|phone| phone.as_str().to_owned()),
            email: person.email,
            address: person.address,
            user_name: person.user_name,
        },
        national_number: person.national_number,
    })
}
