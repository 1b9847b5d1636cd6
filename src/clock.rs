//! Time and randomness, the two things a program must ask the machine for.
//!
//! Everything below `app` gets them from here, so that a test can hold both still. Reading them elsewhere is refused by
//! `clippy.toml`.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still, for tests and for replaying a moment.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Beijing time, UTC+8 all year (China has had no daylight saving since 1991).
pub fn beijing() -> Offset {
    Offset::constant(8)
}

/// The date in Beijing at `at`.
pub fn beijing_date(at: Timestamp) -> Date {
    beijing().to_datetime(at).date()
}

/// Where random bytes come from.
pub trait Entropy: Send + Sync {
    /// Fills `buffer` with bytes nobody can predict.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// Repeatable bytes from a seed: **for tests only**, anybody can predict them.
#[derive(Debug, Default)]
pub struct SeededEntropy {
    seed: u64,
    counter: AtomicU64,
}

impl SeededEntropy {
    /// Bytes that depend on `seed` and on how many were taken before.
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        use sha2::Digest;
        for chunk in buffer.chunks_mut(32) {
            let n = self.counter.fetch_add(1, Ordering::Relaxed);
            let block =
                sha2::Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(n.to_le_bytes()).finalize();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}
