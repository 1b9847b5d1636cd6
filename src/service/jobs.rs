//! Work in the background: a server takes one job at a time, notes how far it is, and goes on where another one was killed.
//!
//! - Taking a job and everything it writes are transactions; between them the server notes its progress and holds the job
//!   on for [`LEASE`]. A server that was killed does not, and the next look of any server takes the job over.
//! - A job's parts can be repeated: what was signed is passed over, a file that is there is complete and is kept.
//! - Result files are in `work/jobs/<key>/`, for their owner's eyes only; they go after [`KEPT`].
//!
//! To add a kind of job: a variant of [`JobTask`], its work in `Federation::carry_out`, who may ask for it in a desk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;

use super::files::make_private_folder;
use super::{Federation, ServiceError};
use crate::domain::job::{JobResult, JobTask};
use crate::store::{Holder, Job, JobEnd, StoreError};

/// How long a server holds a job without a sign of life.
pub const LEASE: SignedDuration = SignedDuration::from_secs(45);
/// How often a sign of life is given while a long step is under way.
const BEAT: Duration = Duration::from_secs(10);
/// How long the files of a job are kept.
pub const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Jobs cleared away at a time.
const CLEARED: u32 = 100;

/// A job under way, in the hands of this server.
pub(super) struct Work<'a> {
    /// The job as it was taken.
    pub job: Job,
    holder: Holder,
    office: &'a Federation,
    ending: &'a AtomicBool,
}

/// Why a job's work stopped before its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// Somebody asked for it.
    Cancelled,
    /// This server ends, or the job is another one's by now.
    Left,
    /// It cannot go on.
    Failed(ServiceError),
}

impl From<ServiceError> for Halt {
    fn from(error: ServiceError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Federation {
    /// Takes and carries out every job that waits, one after the other, until none is left. Returns how many came to an
    /// end.
    ///
    /// # Errors
    /// The database fails; a job that cannot go on is no error here but its own standing.
    pub async fn run_jobs_once(&self) -> Result<usize, ServiceError> {
        self.run_jobs(&AtomicBool::new(false)).await
    }

    /// As [`Self::run_jobs_once`]; `ending` set from elsewhere lets go of the job after its present step, for the next
    /// server.
    ///
    /// # Errors
    /// As [`Self::run_jobs_once`].
    pub async fn run_jobs(&self, ending: &AtomicBool) -> Result<usize, ServiceError> {
        let mut ended = 0;
        while !ending.load(Ordering::Relaxed) && self.store.read().await?.has_waiting_jobs(self.now()).await? {
            let mut holder = [0; 16];
            self.entropy.fill(&mut holder);
            let mut tx = self.begin().await?;
            let Some(job) = tx.take_job(&holder, tx.now() + LEASE).await? else { break };
            tx.commit().await?;
            if self.run_job(Work { job, holder, office: self, ending }).await? {
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Removes the files of jobs that ended longer ago than [`KEPT`]; returns of how many jobs.
    ///
    /// # Errors
    /// The database or the folder fails.
    pub(super) async fn clear_old_jobs(&self) -> Result<usize, ServiceError> {
        let old = self.store.read().await?.jobs_ended_before(self.now() - KEPT, CLEARED).await?;
        for job in &old {
            self.remove_job_files(job.id).await?;
        }
        Ok(old.len())
    }

    /// Removes the files of a job that has ended; false if it has not.
    pub(super) async fn remove_job_files(&self, id: i64) -> Result<bool, ServiceError> {
        let mut tx = self.begin().await?;
        if !tx.remove_job(id).await? {
            return Ok(false);
        }
        tx.commit().await?;
        let folder = self.job_folder(id)?;
        tokio::task::spawn_blocking(move || match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(super::files::at(&folder, error)),
            _ => Ok(()),
        })
        .await
        .map_err(|_| ServiceError::Aborted)??;
        Ok(true)
    }

    /// Where the files of a job are.
    pub(super) fn job_folder(&self, id: i64) -> Result<PathBuf, ServiceError> {
        Ok(self.work_folder()?.join("jobs").join(id.to_string()))
    }

    /// Carries a job out and notes its end; false if it was let go of.
    async fn run_job(&self, work: Work<'_>) -> Result<bool, ServiceError> {
        let id = work.job.id;
        tracing::info!(job = id, attempt = work.job.attempts, task = work.job.task.label(), "a job begins");
        // What it writes stands in the trail under the name of whoever asked.
        let office = self.acting_as(&work.job.actor);
        let mut partly = JobResult::default();
        let halted = tokio::select! {
            done = office.carry_out(&work, &mut partly) => done.err(),
            halt = work.keep_holding() => Some(halt),
        };
        let end = match halted {
            None => JobEnd::Done(partly),
            Some(Halt::Cancelled) => JobEnd::Cancelled(partly),
            Some(Halt::Left) => {
                tracing::info!(job = id, "let go of a job before its end");
                self.store.release_job(id, &work.holder).await?;
                return Ok(false);
            }
            Some(Halt::Failed(error)) => {
                tracing::error!(job = id, %error, "a job failed");
                JobEnd::Failed(words(&error))
            }
        };
        let mut tx = office.begin().await?;
        let ended = tx.end_job(id, &work.holder, &end).await?;
        tx.commit().await?;
        Ok(ended)
    }

    async fn carry_out(&self, work: &Work<'_>, result: &mut JobResult) -> Result<(), Halt> {
        match &work.job.task {
            JobTask::Issue { list } | JobTask::Reprint { list, .. } => {
                self.issue_list(work, *list, work.job.task.reason(), result).await
            }
            JobTask::Print { list, layout, photos } => {
                let folder = self.job_folder(work.job.id)?;
                make_private_folder(&folder)?;
                self.print_list(work, *list, layout, *photos, &folder, result).await
            }
        }
    }
}

impl Work<'_> {
    /// Between two steps: notes how far it is, and says whether to go on.
    pub async fn step(&self, done: u64, total: u64) -> Result<(), Halt> {
        let until = self.office.now() + LEASE;
        match self.office.store.note_job(self.job.id, &self.holder, Some((done, total)), until).await? {
            None => Err(Halt::Left),
            Some(true) => Err(Halt::Cancelled),
            Some(false) if self.ending.load(Ordering::Relaxed) => Err(Halt::Left),
            Some(false) => Ok(()),
        }
    }

    /// Signs of life during a long step, until the job is another server's.
    async fn keep_holding(&self) -> Halt {
        loop {
            tokio::time::sleep(BEAT).await;
            let until = self.office.now() + LEASE;
            match self.office.store.note_job(self.job.id, &self.holder, None, until).await {
                Ok(Some(_)) => {}
                Ok(None) => return Halt::Left,
                Err(error) => tracing::warn!(job = self.job.id, %error, "no sign of life could be given"),
            }
        }
    }
}

/// What the person who asked is told. What is wrong with the machine is for the log.
fn words(error: &ServiceError) -> String {
    match error {
        ServiceError::Store(StoreError::StatusListFull { .. }) => {
            format!("{error}。请管理员更换签发密钥后点“继续”，已签发的不受影响")
        }
        ServiceError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "服务器磁盘已满。请管理员腾出空间后点“继续”".to_owned()
        }
        error if error.is_internal() => {
            "服务器内部出错，已做完的部分不受影响。请稍后点“继续”；若仍出错，请把任务编号告诉管理员".to_owned()
        }
        error => error.to_string(),
    }
}
