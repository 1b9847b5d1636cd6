//! Time and randomness, asked of the machine here and nowhere else in this crate.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use zyz_credential::Seconds;

/// What the node asks of the machine; tests put a clock of their own in its place.
pub trait Machine: Debug + Send + Sync {
    /// The present moment, as far as the machine knows. It may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment; it never goes back, but may stand still while a laptop sleeps.
    fn uptime(&self) -> Duration;

    /// Fills `buffer` with bytes nobody can predict.
    fn fill(&self, buffer: &mut [u8]);
}

/// The real one.
#[derive(Debug, Clone, Copy)]
pub struct System {
    started: Instant,
}

impl System {
    /// Counts its uptime from now on.
    #[expect(clippy::new_without_default, reason = "two of them are not the same")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Machine for System {
    fn now(&self) -> Timestamp {
        now()
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// # Panics
    /// Where the operating system has no randomness to give; nothing can go on then.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// The present moment, as far as this machine knows. The judge does not believe it where it is behind signed data.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Seconds since 1970; earlier moments count as 1970.
pub fn seconds(at: Timestamp) -> Seconds {
    at.as_second().try_into().unwrap_or(0)
}

/// The moment of `at`; what lies beyond the calendar is its end.
pub fn timestamp(at: Seconds) -> Timestamp {
    i64::try_from(at).ok().and_then(|at| Timestamp::from_second(at).ok()).unwrap_or(Timestamp::MAX)
}
