//! Jobs at the console: asking for one, seeing how far it is, stopping it, its files.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::moment;
use crate::clock::beijing_date;
use crate::domain::job::{JobResult, JobState, JobTask};
use crate::domain::staff::{Permission, Role};
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};
use crate::store::{Job, NewJob};

/// Jobs in a workbook.
const EXPORTED: u32 = 20_000;

/// A job as a person sees it.
#[derive(Debug, Clone)]
pub struct JobView {
    /// Key.
    pub id: i64,
    /// What it does.
    pub task: JobTask,
    /// What it is called.
    pub title: String,
    /// Name of whoever asked.
    pub asked_by: String,
    /// Standing.
    pub state: JobState,
    /// Steps done.
    pub done: u64,
    /// Steps in all.
    pub total: u64,
    /// How often it was begun: more than once means that a server ended in between.
    pub attempts: u64,
    /// Whether it was asked to stop and has not yet.
    pub stopping: bool,
    /// Whether the server that was at it gives no sign of life: it will be taken over.
    pub lost: bool,
    /// How many jobs stand before it, while it waits.
    pub before: u64,
    /// How long it will still take, as far as can be told.
    pub left: Option<SignedDuration>,
    /// Why it failed.
    pub error: Option<String>,
    /// What it came to.
    pub result: Option<JobResult>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
}

/// A job's file, for download.
#[derive(Debug)]
pub struct JobFileBytes {
    /// What the person's computer calls it.
    pub name: String,
    /// Whether it is an archive; else it is a PDF.
    pub archive: bool,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes.
    pub bytes: u64,
}

impl Desk {
    /// Puts a task into the queue and returns its job; the same task asked for twice is one job. What the task does is the
    /// caller's to permit.
    ///
    /// # Errors
    /// Neither signing nor printing is permitted; the list is not there; a colleague asked for the same before, whose job
    /// it is ([`DeskError::Refused`]); the database fails.
    pub async fn start_job(&self, task: JobTask) -> Result<i64, DeskError> {
        self.need(match task {
            JobTask::Issue { .. } | JobTask::Reprint { .. } => Permission::IssueCards,
            JobTask::Print { .. } => Permission::PrintCards,
        })?;
        let id = self.start_job_for(task, self.staff().id, &self.staff().login).await?;
        match self.own_job(id).await {
            Ok(_) => Ok(id),
            // Its page would not open: rather say so than lead there.
            Err(DeskError::NotFound) => Err(DeskError::Refused(format!(
                "这份名单已由同事交办（任务 {id}），不会重复制作。请向交办的同事索取文件，或请管理员查看"
            ))),
            Err(error) => Err(error),
        }
    }

    /// As [`Self::start_job`], in the name of whoever asked, once a second person agreed.
    pub(in crate::service::desk) async fn start_job_for(
        &self,
        task: JobTask,
        staff: i64,
        login: &str,
    ) -> Result<i64, DeskError> {
        let mut tx = self.office().begin().await?;
        let list = tx.card_list(task.list()).await?.ok_or(DeskError::NotFound)?;
        let new = NewJob {
            title: format!("{}：{}（{} 人）", task.label(), list.title, list.people),
            task,
            staff,
            actor: login.to_owned(),
            total: list.people,
        };
        let id = tx.ask_job(&new).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The newest jobs that the caller may see, before the key `before`: an administrator all, others their own; only those
    /// whose name, or the name of who asked, holds `search`.
    ///
    /// # Errors
    /// No permission to see people; the database fails.
    pub async fn jobs(&self, search: &str, before: Option<i64>, limit: u32) -> Result<Vec<JobView>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let whose = (self.staff().role != Role::FederationAdmin).then_some(self.staff().id);
        let mut reader = self.office().store.read().await?;
        let jobs = reader.jobs(whose, search.trim(), before, limit).await?;
        Ok(jobs.into_iter().map(|job| self.job_view(job, 0)).collect())
    }

    /// [`Self::jobs`] as a workbook; at most 20,000.
    ///
    /// # Errors
    /// As [`Self::jobs`].
    pub async fn job_workbook(&self, search: &str) -> Result<Vec<u8>, DeskError> {
        let jobs = self.jobs(search, None, EXPORTED).await?;
        let headers = ["任务", "内容", "状态", "完成", "总数", "申请人", "申请时间", "结束时间", "说明"];
        let cells = jobs.into_iter().map(|job| {
            vec![
                Cell::from(job.id),
                job.title.into(),
                job.state.label().into(),
                job.done.into(),
                job.total.into(),
                job.asked_by.into(),
                moment(job.asked_at).into(),
                job.ended_at.map(moment).into(),
                job.error.into(),
            ]
        });
        let made = beijing_date(self.office().now());
        Ok(export::table("制证任务", &headers, cells, made).map_err(ServiceError::from)?)
    }

    /// One job.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] for somebody else's.
    pub async fn job(&self, id: i64) -> Result<JobView, DeskError> {
        let job = self.own_job(id).await?;
        let before = match job.state {
            JobState::Waiting => self.office().store.read().await?.jobs_before(id).await?,
            _ => 0,
        };
        Ok(self.job_view(job, before))
    }

    /// Asks a job to stop; what it did stays.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] for somebody else's; [`DeskError::Refused`] if it has ended.
    pub async fn cancel_job(&self, id: i64) -> Result<(), DeskError> {
        self.own_job(id).await?;
        let mut tx = self.office().begin().await?;
        if !tx.cancel_job(id).await? {
            return Err(DeskError::Refused("这项任务已经结束，不用取消".into()));
        }
        Ok(tx.commit().await?)
    }

    /// Lets a job that failed or was stopped go on where it was.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] for somebody else's; [`DeskError::Refused`] if there is nothing to go on with.
    pub async fn retry_job(&self, id: i64) -> Result<(), DeskError> {
        self.own_job(id).await?;
        let mut tx = self.office().begin().await?;
        if !tx.retry_job(id).await? {
            return Err(DeskError::Refused("这项任务没有中断，不用继续".into()));
        }
        Ok(tx.commit().await?)
    }

    /// Removes a job's files.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] for somebody else's; [`DeskError::Refused`] while it is under way.
    pub async fn remove_job(&self, id: i64) -> Result<(), DeskError> {
        self.own_job(id).await?;
        if !self.office().remove_job_files(id).await? {
            return Err(DeskError::Refused("任务还没有结束，请先取消".into()));
        }
        Ok(())
    }

    /// The file of a job at `place`, from 1.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] for somebody else's job or no such file; [`DeskError::Refused`] if it is not on this server.
    pub async fn job_file(&self, id: i64, place: usize) -> Result<JobFileBytes, DeskError> {
        self.need(Permission::PrintCards)?;
        let job = self.own_job(id).await?;
        if job.state != JobState::Done {
            return Err(DeskError::NotFound);
        }
        let result = job.result.unwrap_or_default();
        let file = place.checked_sub(1).and_then(|place| result.files.get(place)).ok_or(DeskError::NotFound)?;
        let path = self.office().job_folder(id)?.join(&file.name);
        if !path.is_file() {
            return Err(DeskError::Refused(
                "文件不在这台服务器上：可能由另一台服务器制作，或已被清理。请稍后再试，或重新制作".into(),
            ));
        }
        let archive = file.name.ends_with(".zip");
        let name = match archive {
            true => format!("志愿服务证-任务{id}.zip"),
            false => format!("志愿服务证-任务{id}-{place:04}.pdf"),
        };
        Ok(JobFileBytes { name, archive, path, bytes: file.bytes })
    }

    /// The job of this key, if the caller may see it: an administrator any, others their own.
    async fn own_job(&self, id: i64) -> Result<Job, DeskError> {
        self.need(Permission::ViewPeople)?;
        let job = self.office().store.read().await?.job(id).await?.ok_or(DeskError::NotFound)?;
        match self.staff().role == Role::FederationAdmin || job.staff == self.staff().id {
            true => Ok(job),
            false => Err(DeskError::NotFound),
        }
    }

    fn job_view(&self, job: Job, before: u64) -> JobView {
        let now = self.office().now();
        let running = job.state == JobState::Running;
        let left = job.begun_at.filter(|_| running && job.done > 0 && job.done < job.total).map(|begun| {
            let spent = now.as_second() - begun.as_second();
            let left = i128::from(spent) * i128::from(job.total - job.done) / i128::from(job.done);
            SignedDuration::from_secs(i64::try_from(left).unwrap_or(i64::MAX))
        });
        JobView {
            id: job.id,
            title: job.title,
            task: job.task,
            asked_by: job.asked_by,
            stopping: running && job.cancel,
            lost: running && job.lease_until.is_none_or(|until| until < now),
            state: job.state,
            done: job.done,
            total: job.total,
            attempts: job.attempts,
            before,
            left,
            error: job.error,
            result: job.result,
            asked_at: job.asked_at,
            ended_at: job.ended_at,
        }
    }
}
