//! Importing a unit's roster (附件2): each row ends as new, already known, or refused; the import is one transaction.

use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};
use zyz_credential::CertificateNumber;

use super::files::at;
use super::publish::signed;
use super::{Federation, Progress, ServiceError};
use crate::clock::beijing_date;
use crate::domain::certificate::VolunteerState;
use crate::domain::division::County;
use crate::roster::people::{self, PersonRow};
use crate::roster::sheet::{self, Limits, Sheet};
use crate::roster::{Checked, Field, Problem, Reason, RowCheck, RowOutcome, Warning, report};
use crate::store::{Contact, ImportKind, KnownVolunteer, NewImport, NewVolunteer, Unit, UnitId};

/// What to import.
#[derive(Debug)]
pub struct RosterRequest<'a> {
    /// The spreadsheet.
    pub file: &'a Path,
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
        let (sheet, digest) = self.read_sheet(request.file)?;
        let now = self.now();
        let today = beijing_date(now);
        let check = people::check(&sheet, today)?;
        let mut warnings = check.warnings;
        let total = check.rows.len() as u64;
        progress(0, total);

        let mut tx = self.begin().await?;
        let unit = tx.ensure_unit(request.county.code(), unit).await?;
        let identities: Vec<&str> =
            check.rows.iter().filter_map(|row| accepted(row).map(|p| p.identity.as_str())).collect();
        let mut known = tx.known_by_identity(&identities).await?.into_iter();
        let mut outcomes: Vec<(u32, RowOutcome)> = Vec::with_capacity(check.rows.len());
        let mut new: Vec<PersonRow> = Vec::new();
        for row in check.rows {
            let outcome = match row.check {
                RowCheck::Refused(problems) => RowOutcome::Refused(problems),
                RowCheck::Accepted(person) => match known.next().flatten() {
                    Some(before) => outcome_of_known(&sheet, &person, &before, &unit),
                    None => {
                        new.push(person);
                        RowOutcome::New
                    }
                },
            };
            outcomes.push((row.row, outcome));
        }
        warnings.extend(other_units(&new, &unit.name));
        let refused = refused_rows(&outcomes);
        let mut done = RosterImport {
            rows: outcomes.len(),
            imported: new.len(),
            known: outcomes.iter().filter(|(_, outcome)| matches!(outcome, RowOutcome::Known { .. })).count(),
            refused,
            warnings: warnings.iter().map(ToString::to_string).collect(),
            dry_run: request.dry_run,
            nothing_imported_because_strict: false,
        };
        if let Some(path) = request.report {
            report::write(path, &sheet, &outcomes, &warnings, today)?;
        }
        drop(sheet);
        if request.strict && !done.refused.is_empty() {
            tx.rollback().await?;
            done.imported = 0;
            done.nothing_imported_because_strict = true;
            return Ok(done);
        }
        if request.dry_run || new.is_empty() {
            tx.rollback().await?;
            return Ok(done);
        }
        let serials = tx.draw_serials(request.county.code(), new.len()).await?;
        let import = tx
            .insert_import(&NewImport {
                kind: ImportKind::Roster,
                file_name: request.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                file_sha256: digest,
                unit: Some(unit.id),
                rows: done.rows as u64,
                imported: done.imported as u64,
                known: done.known as u64,
                refused: done.refused.len() as u64,
            })
            .await?;
        let people = new
            .into_iter()
            .zip(serials)
            .map(|(person, serial)| new_volunteer(person, request.county.code(), serial, unit.id))
            .collect::<Result<Vec<_>, _>>()?;
        tx.insert_volunteers(Some(import), people).await?;
        tx.commit().await?;
        self.store.refresh_statistics().await?;
        progress(total, total);
        Ok(done)
    }

    /// Reads a sheet within the configured limits, with the SHA-256 of its file.
    pub(super) fn read_sheet(&self, file: &Path) -> Result<(Sheet, [u8; 32]), ServiceError> {
        const MB: u64 = 1 << 20;
        let configured = &self.config.limits;
        let limits = Limits {
            file_bytes: configured.file_mb * MB,
            inflated_bytes: configured.unpacked_mb * MB,
            rows: configured.rows as usize,
            ..Limits::default()
        };
        let sheet = sheet::read(file, &limits)?;
        let bytes = std::fs::read(file).map_err(|source| at(file, source))?;
        Ok((sheet, Sha256::digest(&bytes).into()))
    }
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

/// A warning if the sheet's own 单位 column names other units than the one that everybody is registered in.
fn other_units(new: &[PersonRow], unit: &str) -> Option<Warning> {
    let mut others: Vec<String> =
        new.iter().filter_map(|person| person.unit.clone()).filter(|name| name != unit).collect();
    others.sort_unstable();
    others.dedup();
    others.truncate(5);
    (!others.is_empty()).then(|| Warning::OtherUnits { unit: unit.to_owned(), others })
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
