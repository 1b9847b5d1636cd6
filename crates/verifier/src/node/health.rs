//! What is wrong, in words: for `/v1/status`, and in short beside each verdict.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ledger::{LedgerError, SyncMemory};
use crate::sync::{Round, SyncError};

/// A clock that differs from the server's by more than this, in seconds, is called wrong: what cards may be ahead by.
const WRONG_CLOCK: i64 = 300;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trouble {
    /// For programs: `no_data`, `data_stale`, `clock_suspect`, `clock_ahead`, `clock_behind`, `storage_full`,
    /// `storage_failed`, `sync_failing`, `token_revoked`, `agreement_ended`, `bundle_older`, `bundle_forked`,
    /// `bundle_corrupt`, `bundle_key_refused`, `entries_refused`.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// For people: what is so, and what to do.
    pub message: String,
}

/// What was learnt from syncing and writing.
#[derive(Debug, Default)]
pub struct Health {
    facts: RwLock<Facts>,
    lasting: RwLock<Arc<[Trouble]>>,
}

/// The facts themselves, for the status.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The last failure of writing, until writing works again.
    pub storage: Option<Trouble>,
    /// What failed in the last round.
    pub failures: Vec<Trouble>,
    /// When the last round ended.
    pub round_at: Option<Timestamp>,
    /// When the next is due.
    pub next_at: Option<Timestamp>,
    /// When a round last went well, and since when all have failed.
    pub memory: SyncMemory,
    /// How far the machine's clock is ahead of the server's, seconds.
    pub clock_ahead: Option<i64>,
}

impl Health {
    /// With what is remembered of earlier runs.
    pub fn new(memory: SyncMemory) -> Self {
        let health = Self::default();
        health.change(|facts| facts.memory = memory);
        health
    }

    /// What lasts until the next round or write; beside each verdict.
    pub fn lasting(&self) -> Arc<[Trouble]> {
        Arc::clone(&self.lasting.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The facts.
    pub fn facts(&self) -> Facts {
        self.facts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something was written, or could not be.
    pub fn wrote<T>(&self, result: &Result<T, LedgerError>) {
        let storage = result.as_ref().err().map(storage_trouble);
        let known = self.facts.read().unwrap_or_else(PoisonError::into_inner).storage == storage;
        if !known {
            self.change(|facts| facts.storage = storage);
        }
    }

    /// A round of syncing ended.
    pub fn synced(&self, round: &Round, memory: &SyncMemory, at: Timestamp) {
        let storage = round.failures.iter().find(|failure| is_storage(failure.code()));
        let storage = storage.map(|failure| Trouble { code: failure.code(), message: storage_words(failure) });
        self.change(|facts| {
            facts.storage = storage;
            facts.failures = round.failures.iter().map(failure_trouble).collect();
            facts.round_at = Some(at);
            facts.memory = memory.clone();
            facts.clock_ahead = round.clock_ahead.or(facts.clock_ahead);
        });
    }

    /// When the next round is due.
    pub fn set_next_sync(&self, at: Option<Timestamp>) {
        self.facts.write().unwrap_or_else(PoisonError::into_inner).next_at = at;
    }

    fn change(&self, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut facts);
        *self.lasting.write().unwrap_or_else(PoisonError::into_inner) = facts.lasting().into();
    }
}

impl Facts {
    fn lasting(&self) -> Vec<Trouble> {
        let mut troubles: Vec<Trouble> = self.storage.iter().cloned().collect();
        let named = |code: &str| code.starts_with("bundle_") || matches!(code, "token_revoked" | "agreement_ended");
        troubles.extend(self.failures.iter().filter(|failure| named(failure.code)).cloned());
        troubles.extend(self.clock_ahead.and_then(wrong_clock));
        let unnamed = self.failures.iter().find(|failure| !named(failure.code) && !is_storage(failure.code));
        let since = self.memory.failing_since.map(|since| beijing(crate::clock::timestamp(since)));
        // After a restart the cause is not known before the first round.
        if let Some(since) = since
            && (unnamed.is_some() || self.failures.is_empty())
        {
            let cause = unnamed.map(|failure| format!("：{}", failure.message)).unwrap_or_default();
            troubles.push(Trouble {
                code: "sync_failing", message: format!("从 {since} 起未能与联合会同步{cause}")
            });
        }
        troubles
    }
}

/// `2026-11-23 15:30` in Beijing.
pub(super) fn beijing(at: Timestamp) -> String {
    Offset::constant(8).to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

fn wrong_clock(ahead: i64) -> Option<Trouble> {
    let minutes = ahead.unsigned_abs().div_ceil(60);
    let words = |how: &str| format!("本机时间比联合会的服务器{how}约 {minutes} 分钟。请校准本机的日期和时间");
    match ahead {
        WRONG_CLOCK.. => Some(Trouble { code: "clock_ahead", message: words("快") }),
        ..=-300 => Some(Trouble { code: "clock_behind", message: words("慢") }),
        _ => None,
    }
}

fn storage_trouble(error: &LedgerError) -> Trouble {
    let message = match error {
        LedgerError::Full => "磁盘已满：可以继续核验，但不能记录优惠，也收不到新数据。请清理磁盘空间".to_owned(),
        other => other.to_string(),
    };
    Trouble { code: error.code(), message }
}

fn storage_words(failure: &SyncError) -> String {
    match failure {
        SyncError::Ledger(error) => storage_trouble(error).message,
        other if other.code() == "storage_full" => storage_trouble(&LedgerError::Full).message,
        other => other.to_string(),
    }
}

fn failure_trouble(failure: &SyncError) -> Trouble {
    Trouble { code: failure.code(), message: failure.to_string() }
}

fn is_storage(code: &str) -> bool {
    code.starts_with("storage_")
}
