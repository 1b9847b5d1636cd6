//! Keeping the queue of jobs moving and the house tidy, beside the refresher.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Web;
use crate::service::housekeeping::Cleared;

/// How often what is too old is looked for, in looks at the queue.
const CLEARED_EVERY: u64 = 1800;

impl Web {
    /// Looks every `every` whether a job waits, and carries it out, until `stop` ends; a job under way is then let go of
    /// after its present step. A failure is logged and tried again at the next look.
    pub async fn keep_jobs(self: Arc<Self>, every: Duration, stop: impl Future<Output = ()> + Send) {
        let ending = AtomicBool::new(false);
        let work = async {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            for look in 0_u64.. {
                ticks.tick().await;
                if ending.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(error) = self.federation.run_jobs(&ending).await {
                    tracing::error!(%error, "jobs could not be looked for");
                }
                if look.is_multiple_of(CLEARED_EVERY) {
                    match self.federation.tidy_up().await {
                        Ok(cleared) if cleared == Cleared::default() => {}
                        Ok(cleared) => tracing::info!(?cleared, "deleted what was too old"),
                        Err(error) => tracing::error!(%error, "what is too old could not be deleted"),
                    }
                }
            }
        };
        let mut work = std::pin::pin!(work);
        tokio::select! {
            () = &mut work => return,
            () = stop => ending.store(true, Ordering::Relaxed),
        }
        work.await;
    }
}
