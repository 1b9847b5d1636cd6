//! How often passwords and codes may be tried.
//!
//! Delays grow with failures and end by themselves. A browser that signed in before carries a proof of it and has a budget of
//! its own (OWASP, device cookies), so that strangers who try an account's passwords can make other strangers wait, but not
//! its owner. Whoever has no such browser left gets a new invitation from the administrator, which makes one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::service::{Federation, ServiceError};
use crate::store::{Store, Tried};

/// Failures are forgotten after so long without another one.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);
/// Longest delay, seconds.
const LONGEST: i64 = 15 * 60;
/// Bytes of the random part of a device's proof.
const DEVICE: usize = 16;
/// Proofs looked at.
const DEVICES: usize = 8;

/// Where somebody tries from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The client's address, as the server's limits count it.
    pub address: &'a str,
    /// What the browser holds as proof that it signed in before, joined by dots; empty for none.
    pub devices: &'a str,
}

/// A delay by failures.
type Delay = fn(u32) -> i64;

/// What a try is counted by.
pub(super) struct Budget {
    /// Forgiven when the try succeeds.
    own: [([u8; 32], Delay); 1],
    /// Shared with others: one failure is taken back when the try succeeds.
    shared: Vec<([u8; 32], Delay)>,
    now: Timestamp,
}

impl Federation {
    /// The budget of trying something for an account (by its login name, which need not exist).
    pub(super) fn budget(&self, what: &str, login: &str, origin: Origin<'_>) -> Budget {
        let store = &self.store;
        let now = self.now();
        if let Some(device) = origin.devices.split('.').take(DEVICES).find(|device| proven(store, login, device)) {
            let own = [(store.try_subject(&format!("{what} device {login} {device}")), after_ten as Delay)];
            return Budget { own, shared: Vec::new(), now };
        }
        let address = origin.address;
        let own = [(store.try_subject(&format!("{what} {login} {address}")), after_five as Delay)];
        let shared = vec![
            (store.try_subject(&format!("{what} address {address}")), after_fifty as Delay),
            (store.try_subject(&format!("{what} strangers {login}")), after_twenty as Delay),
        ];
        Budget { own, shared, now }
    }

    /// The budget of somebody signed in, or known by a one-time step.
    pub(super) fn own_budget(&self, what: &str, staff: i64) -> Budget {
        let own = [(self.store.try_subject(&format!("{what} staff {staff}")), after_five as Delay)];
        Budget { own, shared: Vec::new(), now: self.now() }
    }

    /// A new proof for a browser that has signed in to this account.
    pub(super) fn new_device(&self, login: &str) -> String {
        let mut random = [0; DEVICE];
        self.entropy.fill(&mut random);
        let proof = self.store.device_proof(&device_text(login, &random));
        URL_SAFE_NO_PAD.encode([&random[..], &proof].concat())
    }

    /// Deletes counts nobody needs any more; returns how many.
    pub(in crate::service) async fn forget_old_tries(&self) -> Result<u64, ServiceError> {
        Ok(self.store.delete_old_tries(self.now() - FORGOTTEN).await?)
    }
}

impl Budget {
    /// Counts a try before it is made. `Some` says for how many seconds it must wait; then it was not counted.
    pub(super) async fn spend(&self, store: &Store) -> Result<Option<i64>, ServiceError> {
        let wait = |until: Timestamp| (until.as_second() - self.now.as_second()).max(1);
        for (subject, _) in self.all() {
            if let Some(until) = store.try_wait(subject, self.now).await? {
                return Ok(Some(wait(until)));
            }
        }
        for (subject, delay) in self.all() {
            if let Tried::Wait(until) = store.count_try(subject, self.now, self.now - FORGOTTEN, *delay).await? {
                return Ok(Some(wait(until)));
            }
        }
        Ok(None)
    }

    /// The try was good: it does not count.
    pub(super) async fn forgive(&self, store: &Store) -> Result<(), ServiceError> {
        for (subject, _) in &self.own {
            store.forgive_tries(subject).await?;
        }
        for (subject, _) in &self.shared {
            store.take_try_back(subject).await?;
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = &([u8; 32], Delay)> {
        self.own.iter().chain(&self.shared)
    }
}

fn proven(store: &Store, login: &str, device: &str) -> bool {
    let Some(bytes) = URL_SAFE_NO_PAD.decode(device).ok().filter(|bytes| bytes.len() == DEVICE + 32) else {
        return false;
    };
    let (random, proof) = bytes.split_at(DEVICE);
    let expected = store.device_proof(&device_text(login, random));
    // All bytes are looked at, wherever they differ.
    expected.iter().zip(proof).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

fn device_text(login: &str, random: &[u8]) -> String {
    format!("{login} {}", URL_SAFE_NO_PAD.encode(random))
}

fn after_five(failures: u32) -> i64 {
    doubling(failures, 5, 30)
}

fn after_ten(failures: u32) -> i64 {
    doubling(failures, 10, 30)
}

fn after_twenty(failures: u32) -> i64 {
    doubling(failures, 20, 60)
}

fn after_fifty(failures: u32) -> i64 {
    doubling(failures, 50, 60)
}

/// Nothing for fewer than `free` failures, then `first` seconds, doubling up to [`LONGEST`].
fn doubling(failures: u32, free: u32, first: i64) -> i64 {
    match failures.checked_sub(free) {
        None => 0,
        Some(over) => (first << over.min(10)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_end() {
        let delays: Vec<_> = (1..=12).map(after_five).collect();
        assert_eq!(delays, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(after_five(u32::MAX), LONGEST);
    }
}
