//! Keeping statistics counted: pages read what was counted here.

use std::sync::Arc;
use std::time::Duration;

use super::Web;

/// How often is looked whether a count is due; counting itself keeps its own, longer, distance.
const LOOK_EVERY: Duration = Duration::from_secs(30);

impl Web {
    /// Counts when it is due until `stop` ends. A failure is logged and tried again at the next look.
    pub async fn keep_counted(self: Arc<Self>, stop: impl Future<Output = ()> + Send) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.federation.recount_if_due().await {
                tracing::error!(%error, "statistics could not be counted");
            }
        }
    }
}
