//! One's own account: password and sessions.

use zeroize::Zeroizing;

use super::password;
use crate::clock::beijing;
use crate::domain::account::check_password;
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError, SessionToken};
use crate::store::Stage;

/// One of the own sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Key.
    pub id: i64,
    /// Browser and system, as far as known.
    pub browser: String,
    /// When it began, Beijing time.
    pub begun_at: String,
    /// When it was last used, Beijing time.
    pub seen_at: String,
    /// Whether it is the one that asks.
    pub here: bool,
}

impl Desk {
    /// The sessions of whoever is at the screen, the last used first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn own_sessions(&self) -> Result<Vec<OwnSession>, DeskError> {
        self.need(Permission::OwnAccount)?;
        let (idle_since, begun_since) = self.office().session_bounds();
        let mut reader = self.office().store.read().await?;
        let sessions = reader.sessions_of(self.staff().id, idle_since, begun_since).await?;
        let when = |at| beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
        Ok(sessions
            .into_iter()
            .map(|session| OwnSession {
                id: session.id,
                browser: if session.browser.is_empty() { "未知浏览器".into() } else { session.browser },
                begun_at: when(session.begun_at),
                seen_at: when(session.seen_at),
                here: Some(session.id) == self.session,
            })
            .collect())
    }

    /// Ends one of the own sessions.
    ///
    /// # Errors
    /// [`DeskError::NotFound`].
    pub async fn end_own_session(&self, id: i64) -> Result<(), DeskError> {
        self.need(Permission::OwnAccount)?;
        let mut tx = self.office().begin().await?;
        if !tx.end_session_of(self.staff().id, id).await? {
            tx.rollback().await?;
            return Err(DeskError::NotFound);
        }
        Ok(tx.commit().await?)
    }

    /// Ends all of the own sessions, this one too. Returns how many.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end_own_sessions(&self) -> Result<u64, DeskError> {
        self.need(Permission::OwnAccount)?;
        let mut tx = self.office().begin().await?;
        let ended = tx.end_sessions(self.staff().id).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Changes the own password. All sessions end; the token is that of a new one for this browser.
    ///
    /// # Errors
    /// [`DeskError::Invalid`] at the field that is wrong.
    pub async fn change_own_password(
        &self,
        old: &str,
        new: Zeroizing<String>,
        again: &str,
        browser: &str,
    ) -> Result<SessionToken, DeskError> {
        self.need(Permission::OwnAccount)?;
        let invalid = |field, message| Err(DeskError::Invalid(vec![FieldError { field, message }]));
        let (office, staff) = (self.office(), self.staff());
        if let Err(fault) = check_password(&staff.login, &staff.name, &new) {
            return invalid("new", fault.to_string());
        }
        if *new != again {
            return invalid("again", "两次输入的密码不同，请重新输入".into());
        }
        self.check_own_password(old).await?;
        if *new == old {
            return invalid("new", "新密码与现在的密码相同，请换一个".into());
        }
        let stored = password::hash(new, &*office.entropy).await;
        let mut tx = office.begin().await?;
        tx.set_password(staff.id, &stored).await?;
        let token = office.session_in(&mut tx, staff.id, Stage::Open, browser).await?;
        tx.commit().await?;
        Ok(token)
    }
}
