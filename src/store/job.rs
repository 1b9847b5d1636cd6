//! Jobs: asked for, taken by one server at a time, noted as they go on.
//!
//! A server that takes a job holds it until a moment that it keeps moving on; one that was killed does not, and then
//! another takes the job over. Taking is a [`Tx`], so that two never take at once; noting progress is a statement of its
//! own without an event, which changes nothing once the job is somebody else's.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::job::{JobResult, JobState, JobTask};

use super::bulk::Statement;
use super::row::{Columns, name_of};
use super::unit::containing;
use super::{Reader, Store, StoreError, Tx};

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Key.
    pub id: i64,
    /// What it does.
    pub task: JobTask,
    /// What it is called, with whom it is about.
    pub title: String,
    /// Account of the person who asked.
    pub staff: i64,
    /// Their login name: who stands in the audit trail.
    pub actor: String,
    /// Their name.
    pub asked_by: String,
    /// Standing.
    pub state: JobState,
    /// Steps done.
    pub done: u64,
    /// Steps in all; 0 while not known.
    pub total: u64,
    /// How often it was begun.
    pub attempts: u64,
    /// Whether somebody asked for it to stop.
    pub cancel: bool,
    /// Until when the server that is at it holds it.
    pub lease_until: Option<Timestamp>,
    /// Why it failed, for the person at the screen.
    pub error: Option<String>,
    /// What it came to.
    pub result: Option<JobResult>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it was begun, the last time.
    pub begun_at: Option<Timestamp>,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
}

/// A job to put into the queue.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What it does.
    pub task: JobTask,
    /// What it is called.
    pub title: String,
    /// Account of the person who asks.
    pub staff: i64,
    /// Their login name.
    pub actor: String,
    /// Steps in all.
    pub total: u64,
}

/// What a server must have to note something on a job: random bytes of its own.
pub type Holder = [u8; 16];

/// How a job ended.
#[derive(Debug, Clone)]
pub enum JobEnd {
    /// At its end.
    Done(JobResult),
    /// It cannot go on.
    Failed(String),
    /// Stopped, with what had been done.
    Cancelled(JobResult),
}

const SELECT: &str = concat!(
    "SELECT id, task, title, staff_id, actor, state, done, total, attempts, cancel, lease_until, error, result, asked_at, \
     begun_at, ended_at, ",
    name_of!("actor"),
    " FROM job"
);

impl Reader {
    /// One job.
    pub async fn job(&mut self, id: i64) -> Result<Option<Job>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE id = ").bind(id);
        query.fetch_optional(self).await?.as_ref().map(job).transpose()
    }

    /// The job that this step was asked for as, by [`JobTask::once`].
    pub async fn job_of(&mut self, task: &JobTask) -> Result<Option<Job>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE once = ").bind(task.once());
        query.fetch_optional(self).await?.as_ref().map(job).transpose()
    }

    /// The newest jobs, `staff`'s only if given, before the key `before`; only those whose name, or the name of who asked,
    /// holds `search`.
    pub async fn jobs(
        &mut self,
        staff: Option<i64>,
        search: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE id < ").bind(before.unwrap_or(i64::MAX));
        if let Some(staff) = staff {
            query.push(" AND staff_id = ").bind(staff);
        }
        if !search.is_empty() {
            let like = containing(search);
            query
                .push(" AND (title LIKE ")
                .bind(like.clone())
                .push(" ESCAPE '!' OR actor IN (SELECT login FROM staff ");
            query.push("WHERE name LIKE ").bind(like).push(" ESCAPE '!'))");
        }
        query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(job).collect()
    }

    /// How many jobs stand before this one: those that are under way or wait with a smaller key.
    pub async fn jobs_before(&mut self, id: i64) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM job WHERE state IN ('waiting', 'running') AND id < $1";
        sqlx::query(sql).bind(id).fetch_one(self.connection()).await?.number(0, "计数")
    }

    /// Jobs that ended before this moment and still have files or a result.
    pub async fn jobs_ended_before(&mut self, moment: Timestamp, limit: u32) -> Result<Vec<Job>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE ended_at IS NOT NULL AND ended_at < ").bind(moment.as_second());
        query.push(" AND state <> 'removed' ORDER BY ended_at LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(job).collect()
    }

    /// Whether any job waits or was left by a server that holds it no more.
    pub async fn has_waiting_jobs(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM job WHERE state = 'waiting' OR (state = 'running' AND lease_until < $1) LIMIT 1";
        Ok(sqlx::query(sql).bind(now.as_second()).fetch_optional(self.connection()).await?.is_some())
    }
}

impl Tx {
    /// Puts a job into the queue (`job.ask`) and returns its key; the key of the one there is if the same was asked for
    /// before.
    pub async fn ask_job(&mut self, new: &NewJob) -> Result<i64, StoreError> {
        let once = new.task.once();
        let known = sqlx::query("SELECT id FROM job WHERE once = $1").bind(&once);
        if let Some(row) = known.fetch_optional(self.connection()).await? {
            return row.int(0);
        }
        let id = self.draw_one("job").await?;
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO job (id, task, once, title, staff_id, actor, state, done, total, attempts, cancel, asked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $7, 0, 0, $8)",
        )
        .bind(id)
        .bind(task_text(&new.task)?)
        .bind(&once)
        .bind(&new.title)
        .bind(new.staff)
        .bind(&new.actor)
        .bind(signed(new.total)?)
        .bind(now)
        .execute(self.connection())
        .await?;
        let detail = json!({"task": new.task, "total": new.total, "asked_by": new.actor});
        self.audit("job.ask", format!("job/{id}"), detail);
        Ok(id)
    }

    /// Takes the next job (`job.begin`): one that waits, or one whose server holds it no more; none while another one is
    /// under way.
    pub async fn take_job(&mut self, holder: &Holder, lease_until: Timestamp) -> Result<Option<Job>, StoreError> {
        let now = self.now.as_second();
        let busy = sqlx::query("SELECT id FROM job WHERE state = 'running' AND lease_until >= $1").bind(now);
        if busy.fetch_optional(self.connection()).await?.is_some() {
            return Ok(None);
        }
        let sql = "SELECT id FROM job WHERE state IN ('waiting', 'running') ORDER BY id LIMIT 1";
        let Some(row) = sqlx::query(sql).fetch_optional(self.connection()).await? else { return Ok(None) };
        let id = row.int(0)?;
        sqlx::query(
            "UPDATE job SET state = 'running', holder = $1, lease_until = $2, attempts = attempts + 1, begun_at = $3, \
             error = NULL, ended_at = NULL WHERE id = $4",
        )
        .bind(&holder[..])
        .bind(lease_until.as_second())
        .bind(now)
        .bind(id)
        .execute(self.connection())
        .await?;
        let job = self.job(id).await?.ok_or(StoreError::NotFound { what: "任务" })?;
        self.audit("job.begin", format!("job/{id}"), json!({"attempt": job.attempts}));
        Ok(Some(job))
    }

    /// Ends a job that `holder` holds (`job.done`, `job.fail`, `job.cancel`); false if it is somebody else's.
    pub async fn end_job(&mut self, id: i64, holder: &Holder, end: &JobEnd) -> Result<bool, StoreError> {
        let now = self.now.as_second();
        let (state, action, error, result) = match end {
            JobEnd::Done(result) => (JobState::Done, "job.done", None, Some(result)),
            JobEnd::Failed(error) => (JobState::Failed, "job.fail", Some(error.as_str()), None),
            JobEnd::Cancelled(result) => (JobState::Cancelled, "job.cancel", None, Some(result)),
        };
        let text = result.map(result_text).transpose()?;
        let changed = sqlx::query(
            "UPDATE job SET state = $1, error = $2, result = COALESCE($3, result), ended_at = $4, holder = NULL, \
             lease_until = NULL, cancel = 0 WHERE id = $5 AND state = 'running' AND holder = $6",
        )
        .bind(state.as_str())
        .bind(error)
        .bind(text)
        .bind(now)
        .bind(id)
        .bind(&holder[..])
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            let cards = result.map_or(0, |result| result.cards);
            self.audit(action, format!("job/{id}"), json!({"cards": cards}));
        }
        Ok(changed == 1)
    }

    /// Asks a job to stop (`job.stop`): one that waits ends at once, one under way at its next step; false if it had ended.
    pub async fn cancel_job(&mut self, id: i64) -> Result<bool, StoreError> {
        let now = self.now.as_second();
        let sql = "UPDATE job SET state = 'cancelled', ended_at = $1 WHERE id = $2 AND state = 'waiting'";
        let waited = sqlx::query(sql).bind(now).bind(id).execute(self.connection()).await?.rows_affected();
        let sql = "UPDATE job SET cancel = 1 WHERE id = $1 AND state = 'running'";
        let ran = sqlx::query(sql).bind(id).execute(self.connection()).await?.rows_affected();
        if waited + ran == 0 {
            return Ok(false);
        }
        self.audit("job.stop", format!("job/{id}"), json!({"under_way": ran == 1}));
        Ok(true)
    }

    /// Puts a job that failed or was stopped back into the queue (`job.retry`); false if it is in another state.
    pub async fn retry_job(&mut self, id: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE job SET state = 'waiting', error = NULL, ended_at = NULL, cancel = 0 \
                   WHERE id = $1 AND state IN ('failed', 'cancelled')";
        let changed = sqlx::query(sql).bind(id).execute(self.connection()).await?.rows_affected();
        if changed == 1 {
            self.audit("job.retry", format!("job/{id}"), json!({}));
        }
        Ok(changed == 1)
    }

    /// Notes that a job's files are gone (`job.remove`); the same step can be asked for anew. False if it had not ended.
    pub async fn remove_job(&mut self, id: i64) -> Result<bool, StoreError> {
        let sql =
            "UPDATE job SET state = 'removed', once = NULL WHERE id = $1 AND state IN ('done', 'failed', 'cancelled')";
        let changed = sqlx::query(sql).bind(id).execute(self.connection()).await?.rows_affected();
        if changed == 1 {
            self.audit("job.remove", format!("job/{id}"), json!({}));
        }
        Ok(changed == 1)
    }
}

impl Store {
    /// Notes how far a job is and holds it on until `lease_until`, without an event. `None` if it is somebody else's by
    /// now; else whether it should stop.
    pub async fn note_job(
        &self,
        id: i64,
        holder: &Holder,
        progress: Option<(u64, u64)>,
        lease_until: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let (done, total) = match progress {
            Some((done, total)) => (Some(signed(done)?), Some(signed(total)?)),
            None => (None, None),
        };
        let row = sqlx::query(
            "UPDATE job SET done = COALESCE($1, done), total = COALESCE($2, total), lease_until = $3 \
             WHERE id = $4 AND state = 'running' AND holder = $5 RETURNING cancel",
        )
        .bind(done)
        .bind(total)
        .bind(lease_until.as_second())
        .bind(id)
        .bind(&holder[..])
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| row.yes(0)).transpose()
    }

    /// Lets go of a job because this server ends: the next one goes on with it at once.
    pub async fn release_job(&self, id: i64, holder: &Holder) -> Result<(), StoreError> {
        let sql = "UPDATE job SET state = 'waiting', holder = NULL, lease_until = NULL \
                   WHERE id = $1 AND state = 'running' AND holder = $2";
        sqlx::query(sql).bind(id).bind(&holder[..]).execute(&self.pool).await?;
        Ok(())
    }
}

fn task_text(task: &JobTask) -> Result<String, StoreError> {
    serde_json::to_string(task).map_err(|_| StoreError::BadValue { what: "任务" })
}

fn result_text(result: &JobResult) -> Result<String, StoreError> {
    serde_json::to_string(result).map_err(|_| StoreError::BadValue { what: "任务" })
}

fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::BadValue { what: "计数" })
}

fn job(row: &AnyRow) -> Result<Job, StoreError> {
    let bad = StoreError::BadValue { what: "任务" };
    let result = match row.text_or_null(12)? {
        Some(text) => Some(serde_json::from_str(&text).map_err(|_| StoreError::BadValue { what: "任务" })?),
        None => None,
    };
    Ok(Job {
        id: row.int(0)?,
        task: serde_json::from_str(row.str(1)?).map_err(|_| StoreError::BadValue { what: "任务" })?,
        title: row.text(2)?,
        staff: row.int(3)?,
        actor: row.text(4)?,
        state: JobState::parse(row.str(5)?).ok_or(bad)?,
        done: row.number(6, "计数")?,
        total: row.number(7, "计数")?,
        attempts: row.number(8, "计数")?,
        cancel: row.yes(9)?,
        lease_until: row.moment_or_null(10)?,
        error: row.text_or_null(11)?,
        result,
        asked_at: row.moment(13)?,
        begun_at: row.moment_or_null(14)?,
        ended_at: row.moment_or_null(15)?,
        asked_by: row.text(16)?,
    })
}
