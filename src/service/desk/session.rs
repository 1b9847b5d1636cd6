//! Sessions: a random token in the browser's cookie, its SHA-256 here.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::{Desk, DeskError};
use crate::domain::staff::{Role, Scope};
use crate::service::Federation;
use crate::store::NewStaff;

/// A session unused for so long is over.
const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// A session is over after so long, however busy.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);
/// Use is noted at most this often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

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
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        let token = SessionToken(bytes);
        let mut tx = self.begin().await?;
        tx.begin_session(staff, &token.hash()).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// The desk of a session that is going on: not idle for 30 minutes, not older than 12 hours, account in use.
    ///
    /// # Errors
    /// The database fails.
    pub async fn desk(self: &Arc<Self>, token: &SessionToken) -> Result<Option<Desk>, DeskError> {
        let now = self.now();
        let hash = token.hash();
        let Some(session) = self.store.read().await?.session(&hash).await? else { return Ok(None) };
        if session.seen_at + IDLE < now || session.begun_at + LONGEST < now {
            return Ok(None);
        }
        if session.seen_at + NOTED_EVERY <= now {
            self.store.touch_session(&hash, now, now).await?;
        }
        Ok(Some(Desk::new(self, session.staff)))
    }
}
