//! Sessions: a random token in the browser's cookie, its SHA-256 here.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{Desk, DeskError};
use crate::domain::staff::{Role, Scope};
use crate::service::{Federation, ServiceError};
use crate::store::{NewSession, NewStaff, StaffAccount, Stage, Tx};

/// Use is noted at most this often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How long the second factor is waited for.
const SECOND_STEP: SignedDuration = SignedDuration::from_mins(10);

/// What the browser's cookie holds: 32 random bytes. Never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken([u8; 32]);

impl SessionToken {
    /// Reads the cookie's text; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The cookie's text.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its token.
    pub token: SessionToken,
    /// What the browser keeps as proof that it signed in here.
    pub device: String,
}

impl Federation {
    /// Opens an account without a password, for demonstrations and tests: it can only be used through a session that the
    /// program itself begins.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open_account(&self, role: Role, scope: Scope) -> Result<i64, DeskError> {
        let mut tx = self.begin().await?;
        let mut bytes = [0; 6];
        self.entropy.fill(&mut bytes);
        let login = format!("{}-{}", role.as_str(), hex::encode(bytes));
        let password = Some(String::new());
        let id = tx.insert_staff(&NewStaff { login, name: role.label().into(), role, scope, password }).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Begins a session for an account, whose credentials the caller has checked.
    ///
    /// # Errors
    /// The database fails.
    pub async fn begin_session(&self, staff: i64) -> Result<SessionToken, DeskError> {
        let mut tx = self.begin().await?;
        let token = self.session_in(&mut tx, staff, Stage::Open, "").await?;
        tx.commit().await?;
        Ok(token)
    }

    /// The desk of a session that is going on: neither idle nor old for longer than `[console]` of the configuration says, its
    /// account in use.
    ///
    /// # Errors
    /// The database fails.
    pub async fn desk(self: &Arc<Self>, token: &SessionToken) -> Result<Option<Desk>, DeskError> {
        let now = self.now();
        let hash = token.hash();
        let Some(session) = self.store.read().await?.session(&hash, Stage::Open).await? else { return Ok(None) };
        let (idle_since, begun_since) = self.session_bounds();
        if session.seen_at < idle_since || session.begun_at < begun_since {
            return Ok(None);
        }
        if session.seen_at + NOTED_EVERY <= now {
            self.store.touch_session(&hash, now, now).await?;
        }
        let account = session.account;
        let required = self.config.console.second_factor && account.staff.role.needs_second_factor();
        let mut desk = Desk::new(self, account.staff);
        desk.place = account.place;
        desk.session = Some(session.id);
        desk.must_enrol = required && !account.second_factor;
        Ok(Some(desk))
    }

    /// Whose second factor this token waits for.
    pub(super) async fn second_step(&self, token: &SessionToken) -> Result<Option<StaffAccount>, ServiceError> {
        let session = self.store.read().await?.session(&token.hash(), Stage::Second).await?;
        let fresh = session.filter(|session| session.begun_at + SECOND_STEP > self.now());
        Ok(fresh.map(|session| session.account))
    }

    /// Begins a session with a new token; those that are over are deleted on the way.
    pub(super) async fn session_in(
        &self,
        tx: &mut Tx,
        staff: i64,
        stage: Stage,
        browser: &str,
    ) -> Result<SessionToken, ServiceError> {
        let (idle_since, begun_since) = self.session_bounds();
        tx.delete_expired_sessions(idle_since, begun_since).await?;
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        let token = SessionToken(bytes);
        let browser = browser.chars().take(60).collect();
        tx.begin_session(&NewSession { staff, token_hash: token.hash(), stage, browser }).await?;
        Ok(token)
    }

    /// Sessions last used or begun before these are over.
    pub(in crate::service) fn session_bounds(&self) -> (Timestamp, Timestamp) {
        let now = self.now();
        let console = &self.config.console;
        let idle = SignedDuration::from_mins(console.idle_minutes.into());
        let longest = SignedDuration::from_hours(console.session_hours.into());
        (now - idle, now - longest)
    }
}
