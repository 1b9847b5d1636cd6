//! A sheet of service records: handed in, looked at with every problem, confirmed or given up.

use std::path::PathBuf;

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::activity::reason_of;
use crate::domain::staff::{Permission, Scope};
use crate::service::desk::{Desk, DeskError};
use crate::service::hours::{Bounds, HoursImport, HoursRequest};
use crate::service::{Federation, ServiceError, files};
use crate::store::{HoursUpload, UnitId};

/// Sheets that nobody confirmed are deleted after so long: they hold identity numbers.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A sheet before it is confirmed.
#[derive(Debug)]
pub struct UploadPreview {
    /// Key.
    pub id: i64,
    /// What the person calls the file.
    pub file_name: String,
    /// What its import would come to.
    pub import: HoursImport,
    /// How many of its rows are late.
    pub late: usize,
}

/// What became of a confirmed sheet.
#[derive(Debug)]
pub enum UploadOutcome {
    /// Written.
    Saved(HoursImport),
    /// Something changed since the preview: nothing was written.
    Changed(UploadPreview),
}

impl Federation {
    /// Forgets sheets that nobody confirmed in time (`upload.forget` each), their files first; returns how many.
    pub(in crate::service) async fn forget_stale_hours(&self) -> Result<usize, ServiceError> {
        let folder = self.work_folder()?;
        let mut tx = self.begin().await?;
        let before = tx.now() - KEPT;
        let stale = tx.stale_uploads(before).await?;
        for upload in &stale {
            let path = folder.join(&upload.stored_as);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(files::at(&path, error)),
                _ => tx.forget_upload(upload.id).await?,
            }
        }
        tx.commit().await?;
        Ok(stale.len())
    }
}

impl Desk {
    /// Takes a sheet in; nothing is written to the records yet. Returns its key.
    ///
    /// # Errors
    /// A file that is no sheet of hours.
    pub async fn upload_hours(&self, file: &std::path::Path, name: &str) -> Result<i64, DeskError> {
        self.need(Permission::WriteHours)?;
        let office = self.office();
        let bytes = std::fs::read(file).map_err(|source| files::at(file, source))?;
        // Unreadable files are refused before anything is kept.
        office.import_hours_within(self.request(file, true), &self.bounds(name, None, None)).await?;
        let mut random = [0; 16];
        office.entropy.fill(&mut random);
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or("xlsx");
        let stored_as = format!("hours-{}.{ending}", hex::encode(random));
        let path = office.work_folder()?.join(&stored_as);
        files::write_whole(&path, &bytes)?;
        let mut tx = office.begin().await?;
        let id = tx.note_upload(self.staff().id, name, &stored_as, &Sha256::digest(&bytes).into()).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// What a sheet's import would come to.
    ///
    /// # Errors
    /// Nobody of this account handed it in, or it was confirmed or given up.
    pub async fn hours_upload(&self, id: i64) -> Result<UploadPreview, DeskError> {
        self.need(Permission::WriteHours)?;
        let (upload, path) = self.kept(id).await?;
        let bounds = self.bounds(&upload.file_name, None, None);
        let import = self.office().import_hours_within(self.request(&path, true), &bounds).await?;
        Ok(preview(upload, import))
    }

    /// The sheet with a column of problems, as a workbook.
    ///
    /// # Errors
    /// As [`Self::hours_upload`].
    pub async fn hours_upload_report(&self, id: i64) -> Result<Vec<u8>, DeskError> {
        self.need(Permission::WriteHours)?;
        let (upload, path) = self.kept(id).await?;
        let report = path.with_extension("report.xlsx");
        let request = HoursRequest { file: &path, dry_run: true, report: Some(&report) };
        self.office().import_hours_within(request, &self.bounds(&upload.file_name, None, None)).await?;
        let bytes = std::fs::read(&report).map_err(|source| files::at(&report, source))?;
        remove(&report);
        Ok(bytes)
    }

    /// Writes the rows that are right. `expected` is how many the person saw; late rows need a reason.
    ///
    /// # Errors
    /// As [`Self::hours_upload`]; a missing reason.
    pub async fn confirm_hours_upload(
        &self,
        id: i64,
        expected: usize,
        late_reason: &str,
    ) -> Result<UploadOutcome, DeskError> {
        self.need(Permission::WriteHours)?;
        let (upload, path) = self.kept(id).await?;
        let trial = self.hours_upload(id).await?;
        let reason = if trial.late > 0 { Some(reason_of(late_reason)?) } else { None };
        let bounds = self.bounds(&upload.file_name, reason.as_deref(), Some(expected));
        let done = self.office().import_hours_within(self.request(&path, false), &bounds).await?;
        if done.dry_run || done.imported == 0 {
            return Ok(UploadOutcome::Changed(preview(upload, done)));
        }
        self.forget(id, &path).await?;
        Ok(UploadOutcome::Saved(done))
    }

    /// Gives a sheet up.
    ///
    /// # Errors
    /// As [`Self::hours_upload`].
    pub async fn drop_hours_upload(&self, id: i64) -> Result<(), DeskError> {
        self.need(Permission::WriteHours)?;
        let (_, path) = self.kept(id).await?;
        self.forget(id, &path).await
    }

    async fn forget(&self, id: i64, path: &std::path::Path) -> Result<(), DeskError> {
        let mut tx = self.office().begin().await?;
        tx.forget_upload(id).await?;
        tx.commit().await?;
        remove(path);
        Ok(())
    }

    async fn kept(&self, id: i64) -> Result<(HoursUpload, PathBuf), DeskError> {
        let mut reader = self.office().store.read().await?;
        let upload = reader.hours_upload(id, self.staff().id).await?.ok_or(DeskError::NotFound)?;
        let path = self.office().work_folder()?.join(&upload.stored_as);
        if !path.is_file() {
            return Err(DeskError::Refused("上传的文件已被清理，请重新上传".into()));
        }
        Ok((upload, path))
    }

    fn request<'a>(&self, file: &'a std::path::Path, dry_run: bool) -> HoursRequest<'a> {
        HoursRequest { file, dry_run, report: None }
    }

    fn bounds<'a>(&self, name: &'a str, late_reason: Option<&'a str>, expected: Option<usize>) -> Bounds<'a> {
        let unit = match self.staff().scope {
            Scope::Unit { unit, .. } => Some(UnitId(unit)),
            Scope::All | Scope::County(_) | Scope::Partner(_) => None,
        };
        // A partner's account has no permission to come this far; nobody is in its reach.
        let reach = self.reach().unwrap_or(crate::store::Reach::Unit(UnitId(0)));
        Bounds { reach, file_name: Some(name), late_reason, expected, unit }
    }
}

fn preview(upload: HoursUpload, import: HoursImport) -> UploadPreview {
    let late = import.flagged.iter().find(|flag| flag.flag == "late").map_or(0, |flag| flag.rows);
    UploadPreview { id: upload.id, file_name: upload.file_name, late, import }
}

/// Best effort: the row is gone, nobody reaches the file any more.
fn remove(path: &std::path::Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, "a confirmed sheet was not deleted");
    }
}
