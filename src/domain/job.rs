//! Work that goes on in the background: what it is, and how far it has come.

use serde::{Deserialize, Serialize};

use super::certificate::Reason;

/// What a job does. Stored as JSON; a field that is added needs a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobTask {
    /// Sign cards for everybody on a list who had none, or only one that is out of date.
    Issue {
        /// Key of the list.
        list: i64,
    },
    /// Replace the cards on a list by new ones with new indexes.
    Reprint {
        /// Key of the list.
        list: i64,
        /// Why, as [`Reason::as_str`].
        reason: String,
    },
    /// Print the cards on a list.
    Print {
        /// Key of the list.
        list: i64,
        /// Name of the layout.
        layout: String,
        /// Whether photos are printed where there are any.
        photos: bool,
    },
}

impl JobTask {
    /// The list that it is about.
    pub fn list(&self) -> i64 {
        match self {
            Self::Issue { list } | Self::Reprint { list, .. } | Self::Print { list, .. } => *list,
        }
    }

    /// What people call it.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Issue { .. } => "签发",
            Self::Reprint { .. } => "补换",
            Self::Print { .. } => "制作打印文件",
        }
    }

    /// The same step asked for twice has the same text here, so that it becomes one job. A list is signed once only,
    /// whichever way.
    pub fn once(&self) -> String {
        match self {
            Self::Issue { list } | Self::Reprint { list, .. } => format!("issue/{list}"),
            Self::Print { list, layout, photos } => format!("print/{list}/{layout}/{photos}"),
        }
    }

    /// Why cards that it replaces are replaced; `None` lets each card's own state say.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Reprint { reason, .. } => Reason::parse(reason).ok(),
            Self::Issue { .. } | Self::Print { .. } => None,
        }
    }
}

/// Standing of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Nobody has taken it yet, or whoever had ended before it was done.
    Waiting,
    /// A server is at it.
    Running,
    /// It came to its end.
    Done,
    /// It cannot go on; what was done stays, and it can be tried again.
    Failed,
    /// Stopped by somebody; what was done stays.
    Cancelled,
    /// Its files are gone, by age or by somebody.
    Removed,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Cancelled, Self::Removed];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Removed => "removed",
        }
    }

    /// The word shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => "排队中",
            Self::Running => "进行中",
            Self::Done => "已完成",
            Self::Failed => "未完成",
            Self::Cancelled => "已取消",
            Self::Removed => "文件已清除",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether it will still move by itself.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }

    /// Whether it can be put back into the queue.
    pub fn can_retry(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// What a job came to. Stored as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobResult {
    /// Cards issued, or printed.
    pub cards: u64,
    /// Of those issued, how many replace an older card.
    pub replaced: u64,
    /// People on the list who were passed over, because things had changed since it was made.
    pub skipped: u64,
    /// Cards printed without a photo.
    pub without_photo: u64,
    /// Numbers of cards that ceased to be valid while they were printed: to be taken out of the sheets.
    pub void: Vec<String>,
    /// The files, in order.
    pub files: Vec<JobFile>,
}

/// A file that a job made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFile {
    /// Its name, without folders.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// Cards in it.
    pub cards: u64,
    /// Pages in it; 0 for what has none.
    pub pages: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.as_str()), Some(state));
        }
        assert_eq!(JobState::parse(""), None);
    }

    #[test]
    fn a_task_is_stored_by_its_kind() {
        let task = JobTask::Print { list: 7, layout: "cr80".into(), photos: true };
        let text = serde_json::to_string(&task).unwrap();
        assert_eq!(text, r#"{"kind":"print","list":7,"layout":"cr80","photos":true}"#);
        assert_eq!(serde_json::from_str::<JobTask>(&text).unwrap(), task);
    }

    #[test]
    fn a_list_is_signed_once_however_it_is_asked_for() {
        let reprint = JobTask::Reprint { list: 3, reason: "error".into() };
        assert_eq!(JobTask::Issue { list: 3 }.once(), reprint.once());
        assert_eq!(reprint.reason(), Some(Reason::Error));
    }
}
