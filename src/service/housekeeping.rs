//! Deleting on time what may not be kept: whatever holds personal data and was not confirmed, and what has run out.

use jiff::SignedDuration;

use super::{Federation, ServiceError};

/// How long a frozen list is kept: a review of it may wait.
const LISTS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long photos wait for somebody's yes.
const PHOTOS_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How often a step that clears a bounded number away is repeated in one round.
const ROUNDS: usize = 50;

/// What one round deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Jobs whose files went, 14 days after their end.
    pub jobs: usize,
    /// Frozen lists of whom a step was about, after 90 days.
    pub card_lists: u64,
    /// Uploads of photos that nobody confirmed for a day.
    pub photo_uploads: u64,
    /// Sheets of hours that nobody confirmed for a week, with their files.
    pub hours_uploads: usize,
    /// Rosters under way, or confirmed, whose rows went after 30 days.
    pub roster_drafts: usize,
    /// Sessions that are over.
    pub sessions: u64,
    /// Counts of tries to sign in that nobody needs any more.
    pub sign_in_tries: u64,
}

impl Federation {
    /// Deletes whatever is older than it may be. Each kind is its own transaction with its own events, so that one that
    /// fails leaves the earlier ones done.
    ///
    /// # Errors
    /// The database or a folder fails.
    pub async fn tidy_up(&self) -> Result<Cleared, ServiceError> {
        let now = self.now();
        let mut cleared = Cleared { jobs: self.clear_old_jobs().await?, ..Cleared::default() };
        for _ in 0..ROUNDS {
            let mut tx = self.begin().await?;
            let count = tx.forget_expired_rosters().await?;
            tx.commit().await?;
            cleared.roster_drafts += count;
            if count == 0 {
                break;
            }
        }
        cleared.hours_uploads = self.forget_stale_hours().await?;
        let mut tx = self.begin().await?;
        cleared.card_lists = tx.forget_card_lists(now - LISTS_KEPT).await?;
        cleared.photo_uploads = tx.forget_photo_uploads(now - PHOTOS_KEPT).await?;
        let (idle_since, begun_since) = self.session_bounds();
        cleared.sessions = tx.delete_expired_sessions(idle_since, begun_since).await?;
        tx.commit().await?;
        cleared.sign_in_tries = self.forget_old_tries().await?;
        Ok(cleared)
    }
}
