//! Jobs: the queue, one job with its progress, its files.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::HeaderValue;
use axum::response::Response;
use serde::Deserialize;

use super::{files, key};
use crate::clock::beijing;
use crate::domain::job::{JobState, JobTask};
use crate::domain::staff::Permission;
use crate::service::desk::cards::JobView;
use crate::web::console::page::{self, Shell};
use crate::web::console::{PageError, Signed};

/// Rows a page.
const PAGE: u32 = 30;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "console/cards/jobs.html")]
struct Jobs {
    shell: Shell,
    rows: Vec<JobView>,
    q: String,
    next: Option<i64>,
    makes: bool,
    edits: bool,
}

pub(super) async fn list(signed: Signed, query: Query<Asked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let before = query.before.as_deref().map(key).transpose()?;
    let q = query.q.trim().to_owned();
    let mut rows = desk.jobs(&q, before, PAGE + 1).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let next = rows.last().filter(|_| more).map(|job| job.id);
    let (makes, edits) = (desk.may(Permission::PrintCards), desk.may(Permission::EditPeople));
    page::render(&Jobs { shell, rows, q, next, makes, edits })
}

pub(super) async fn export(signed: Signed, query: Query<Asked>) -> Result<Response, PageError> {
    Ok(page::workbook("制证任务.xlsx", signed.desk.job_workbook(&query.q).await?))
}

#[derive(Template)]
#[template(path = "console/cards/job.html")]
struct JobPage {
    shell: Shell,
    job: JobView,
    files: Vec<FileLine>,
    archive: Option<usize>,
    makes: bool,
}

/// A file to download.
struct FileLine {
    place: usize,
    cards: u64,
    pages: u64,
    size: String,
    zip: bool,
}

pub(super) async fn page(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let job = desk.job(key(&path)?).await?;
    let shown = job.result.iter().filter(|_| job.state == JobState::Done).flat_map(|result| &result.files);
    let files: Vec<FileLine> = (1..)
        .zip(shown)
        .map(|(place, file)| FileLine {
            place,
            cards: file.cards,
            pages: file.pages,
            size: size(file.bytes),
            zip: file.name.ends_with(".zip"),
        })
        .collect();
    let archive = files.iter().find(|file| file.zip).map(|file| file.place);
    let makes = desk.may(Permission::PrintCards);
    page::render(&JobPage { shell, job, files, archive, makes })
}

#[derive(Template)]
#[template(path = "console/cards/progress.html")]
struct Progress {
    shell: Shell,
    job: JobView,
}

/// The part that is polled; when the job has ended the whole page is loaded anew.
pub(super) async fn progress(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let job = signed.desk.job(key(&path)?).await?;
    let ended = !job.state.is_open();
    let mut answer = page::render(&Progress { shell: signed.shell, job })?;
    if ended {
        answer.headers_mut().insert("hx-refresh", HeaderValue::from_static("true"));
    }
    Ok(answer)
}

pub(super) async fn cancel(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let job = key(&path)?;
    signed.desk.cancel_job(job).await?;
    Ok(page::done(&signed.shell, &format!("/cards/jobs/{job}"), "已要求停止，做完手头的一批后停下"))
}

pub(super) async fn retry(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let job = key(&path)?;
    signed.desk.retry_job(job).await?;
    Ok(page::done(&signed.shell, &format!("/cards/jobs/{job}"), "已重新排队，从停下的地方继续"))
}

#[derive(Template)]
#[template(path = "console/cards/job_remove.html")]
struct Remove {
    shell: Shell,
    job: JobView,
}

pub(super) async fn ask_remove(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let job = signed.desk.job(key(&path)?).await?;
    page::render(&Remove { shell: signed.shell, job })
}

pub(super) async fn remove(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let job = key(&path)?;
    signed.desk.remove_job(job).await?;
    Ok(page::done(&signed.shell, "/cards/jobs", format!("任务 {job} 的文件已删除")))
}

pub(super) async fn file(signed: Signed, path: Path<(String, String)>) -> Result<Response, PageError> {
    let (job, place) = (key(&path.0.0)?, key(&path.0.1)?);
    let file = signed.desk.job_file(job, usize::try_from(place).unwrap_or(0)).await?;
    let kind = if file.archive { "application/zip" } else { "application/pdf" };
    files::download(kind, &file.name, &file.path)
}

impl JobView {
    pub(super) fn is_print(&self) -> bool {
        matches!(self.task, JobTask::Print { .. })
    }

    pub(super) fn mark(&self) -> &'static str {
        match self.state {
            JobState::Waiting | JobState::Running => "warn",
            JobState::Done => "good",
            JobState::Failed => "bad",
            JobState::Cancelled | JobState::Removed => "quiet",
        }
    }

    pub(super) fn asked(&self) -> String {
        beijing().to_datetime(self.asked_at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    pub(super) fn ended(&self) -> String {
        self.ended_at.map(|at| beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
    }

    /// How long it will still take, in words.
    pub(super) fn left_words(&self) -> String {
        match self.left.map(|left| left.as_secs()) {
            None => String::new(),
            Some(i64::MIN..60) => "预计不到 1 分钟".into(),
            Some(seconds) => format!("预计还需约 {} 分钟", (seconds + 59) / 60),
        }
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const MEGABYTE: u64 = 1 << 20;
    match bytes {
        0..1_024 => format!("{bytes} 字节"),
        1_024..MEGABYTE => format!("{} KB", bytes / 1024),
        _ => format!("{}.{} MB", bytes / MEGABYTE, bytes % MEGABYTE * 10 / MEGABYTE),
    }
}
