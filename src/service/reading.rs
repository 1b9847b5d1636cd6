//! Reading a spreadsheet within the configured limits; a roster on a thread of its own, while others do other things.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;

use super::{Federation, ServiceError};
use crate::clock::beijing_date;
use crate::config::Config;
use crate::roster::people::{Checker, PersonRow};
use crate::roster::sheet::{self, Limits, Sheet};
use crate::roster::{Checked, Warning};

/// Rows of one part. Two thousand people are as many as the database looks up in two statements, and few enough that it
/// has work soon after the reading began.
const PART_ROWS: usize = 2_000;

/// Parts that may lie ready before the reading waits.
const PARTS_AHEAD: usize = 4;

/// A roster that is being read and judged on a thread of its own. Begin it before what takes time and needs no roster,
/// such as unlocking the keys; dropped, it ends by itself.
#[derive(Debug)]
pub struct RosterReading {
    pub(super) file: PathBuf,
    /// The day of application that people's ages are judged by.
    pub(super) today: Date,
    parts: Receiver<RosterPart>,
    thread: JoinHandle<Result<Vec<Warning>, Stopped>>,
}

/// Some rows of a roster, judged.
#[derive(Debug)]
pub(super) struct RosterPart {
    /// SHA-256 of the whole file.
    pub file_sha256: [u8; 32],
    pub sheet: Sheet,
    pub rows: Vec<Checked<PersonRow>>,
}

/// Why the reading ended early.
#[derive(Debug)]
enum Stopped {
    Refused(ServiceError),
    /// Whoever wanted the parts wants no more.
    NobodyAsks,
}

impl<E: Into<ServiceError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl RosterReading {
    /// Begins to read `file`, handed in at the moment `now`. What is wrong with it shows when it is imported.
    ///
    /// # Panics
    /// Outside of an asynchronous runtime.
    pub fn begin(file: &Path, config: &Config, now: Timestamp) -> Self {
        let (file, today, limits) = (file.to_owned(), beijing_date(now), limits(config));
        let (sender, parts) = mpsc::channel(PARTS_AHEAD);
        let path = file.clone();
        let thread = tokio::task::spawn_blocking(move || read(&path, &limits, today, &sender));
        Self { file, today, parts, thread }
    }

    /// The next part; none after the last, or after what [`Self::end`] then tells.
    pub(super) async fn next(&mut self) -> Option<RosterPart> {
        self.parts.recv().await
    }

    /// What the unit should know about the sheet, or why it could not be read to its end.
    pub(super) async fn end(self) -> Result<Vec<Warning>, ServiceError> {
        drop(self.parts);
        match self.thread.await {
            Ok(Ok(warnings)) => Ok(warnings),
            Ok(Err(Stopped::Refused(error))) => Err(error),
            Ok(Err(Stopped::NobodyAsks)) | Err(_) => Err(ServiceError::Aborted),
        }
    }
}

impl Federation {
    /// Begins to read a roster handed in now ([`RosterReading::begin`]).
    ///
    /// # Panics
    /// Outside of an asynchronous runtime.
    pub fn read_roster(&self, file: &Path) -> RosterReading {
        RosterReading::begin(file, &self.config, self.now())
    }

    /// Reads a sheet within the configured limits, with the SHA-256 of its file.
    pub(super) fn read_sheet(&self, file: &Path) -> Result<(Sheet, [u8; 32]), ServiceError> {
        let limits = limits(&self.config);
        let bytes = sheet::bytes_of(file, &limits)?;
        Ok((sheet::read_bytes(&bytes, &limits)?, Sha256::digest(&bytes).into()))
    }
}

pub(super) fn limits(config: &Config) -> Limits {
    const MB: u64 = 1 << 20;
    let configured = &config.limits;
    Limits {
        file_bytes: configured.file_mb * MB,
        inflated_bytes: configured.unpacked_mb * MB,
        rows: configured.rows as usize,
        ..Limits::default()
    }
}

fn read(file: &Path, limits: &Limits, today: Date, parts: &Sender<RosterPart>) -> Result<Vec<Warning>, Stopped> {
    let bytes = sheet::bytes_of(file, limits)?;
    let file_sha256 = Sha256::digest(&bytes).into();
    let mut checker = None;
    let mut judge = |sheet: &Sheet| -> Result<Vec<Checked<PersonRow>>, Stopped> {
        let checker = match &mut checker {
            Some(checker) => checker,
            none => none.insert(Checker::new(sheet, today)?),
        };
        Ok(checker.part(sheet))
    };
    let hand_over =
        |sheet, rows| parts.blocking_send(RosterPart { file_sha256, sheet, rows }).map_err(|_| Stopped::NobodyAsks);
    let last = sheet::read_in_parts(&bytes, limits, PART_ROWS, |sheet| {
        let rows = judge(&sheet)?;
        hand_over(sheet, rows)
    })?;
    let rows = judge(&last)?;
    let warnings = checker.map(|checker| checker.finish(&last).1).unwrap_or_default();
    hand_over(last, rows)?;
    Ok(warnings)
}
