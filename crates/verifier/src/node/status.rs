//! How the node is, all in one answer.

use zyz_credential::Seconds;

use super::health::{Facts, Trouble, beijing};
use super::wire::{BundleStatus, ClockStatus, QueueStatus, RefusedUse, Status, SyncStatus};
use super::{Current, Node};
use crate::clock::{seconds, timestamp};
use crate::ledger::{LedgerError, Queue};

const MOST_REFUSED: u32 = 50;

impl Node {
    /// How the node is. What the record cannot tell is told as a problem, not as a failure.
    pub async fn status(&self) -> Status {
        let current = self.trust.current();
        let (now, facts) = (self.machine.now(), self.health.facts());
        let believed = self.now_believed(&current);
        let queue = self.ledger.queue(believed).await;
        let refused = self.ledger.refused(believed, MOST_REFUSED).await.unwrap_or_default();
        let mut problems: Vec<Trouble> = self.health.lasting().to_vec();
        problems.extend(self.passing(&current, &queue, seconds(now)));
        let queue = queue.unwrap_or_default();
        Status {
            version: env!("CARGO_PKG_VERSION"),
            now,
            partner: self.identity.partner(),
            device: self.identity.device.clone(),
            server: self.identity.server.clone(),
            bundle: current.bundle.map(|bundle| BundleStatus {
                version: bundle.bundle_version,
                trust_list_version: bundle.trust_list_version,
                issued_at: timestamp(bundle.issued_at),
                expires_at: timestamp(bundle.expires_at),
                age_seconds: believed.saturating_sub(bundle.issued_at),
                offers: current.state.offers().len(),
            }),
            last_sync: sync(&facts),
            next_sync: facts.next_at,
            queue: QueueStatus { waiting: queue.waiting, oldest: queue.oldest.map(timestamp) },
            refused: refused
                .into_iter()
                .map(|entry| RefusedUse {
                    id: entry.id,
                    outcome: entry.outcome,
                    title: entry.title,
                    number: entry.number,
                    redeemed_at: timestamp(entry.redeemed_at),
                })
                .collect(),
            clock: ClockStatus {
                newest_signed: timestamp(current.state.newest_signed()),
                ahead_seconds: facts.clock_ahead,
                suspect: seconds(now) < current.state.newest_signed(),
            },
            problems,
        }
    }

    /// Whether it can judge at all, and if not, why.
    pub fn readiness(&self) -> Option<Trouble> {
        self.trust.current().bundle.is_none().then(no_data)
    }

    /// What is wrong at this moment and needs no event to become so.
    fn passing(&self, current: &Current, queue: &Result<Queue, LedgerError>, now: Seconds) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        let newest = current.state.newest_signed();
        match current.bundle {
            None => troubles.push(no_data()),
            Some(bundle) => {
                let (at, age) = (now.max(newest), now.max(newest).saturating_sub(bundle.issued_at));
                if at >= bundle.expires_at || self.max_age.is_some_and(|most| age > most) {
                    let as_of = beijing(timestamp(bundle.issued_at));
                    let message =
                        format!("本机数据已旧（数据时间 {as_of}），此后注销的证认不出来。请检查网络，尽快同步");
                    troubles.push(Trouble { code: "data_stale", message });
                }
            }
        }
        if now < newest {
            let message = "本机时间比已收到的数据还早。请校准本机的日期和时间".to_owned();
            troubles.push(Trouble { code: "clock_suspect", message });
        }
        match queue {
            Ok(queue) if queue.refused > 0 => {
                let message =
                    format!("有 {} 条优惠记录联合会没有接收，不会再上传。请对照清单联系联合会", queue.refused);
                troubles.push(Trouble { code: "entries_refused", message });
            }
            Ok(_) => {}
            Err(error) => troubles.push(Trouble { code: error.code(), message: error.to_string() }),
        }
        troubles
    }
}

fn no_data() -> Trouble {
    Trouble {
        code: "no_data", message: "本机还没有联合会的数据，无法核验。请连接网络，等待第一次同步".to_owned()
    }
}

fn sync(facts: &Facts) -> SyncStatus {
    let failure = facts.failures.first();
    SyncStatus {
        at: facts.round_at,
        outcome: match (facts.round_at, failure) {
            (None, _) => "none",
            (Some(_), None) => "ok",
            (Some(_), Some(failure)) => failure.code,
        },
        message: failure.map(|failure| failure.message.clone()),
        succeeded_at: facts.memory.succeeded_at.map(timestamp),
        failing_since: facts.memory.failing_since.map(timestamp),
    }
}
