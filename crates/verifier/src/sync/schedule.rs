//! When to sync next: pure, by two clocks.
//!
//! The wall clock jumps when somebody sets it; the uptime may stand still while a laptop sleeps. Whichever of them says
//! that the time has come is believed, and a jump of one against the other is a reason to sync at once: after a sleep the
//! data is old, after a correction the server's time tells whether it was right.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Wait after the first failure in a row.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// Longest wait after failures.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// By how much the clocks may drift apart between two looks.
const JUMP: SignedDuration = SignedDuration::from_secs(60);

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub wall: Timestamp,
    /// Time since the program began, by the clock that never goes back.
    pub uptime: Duration,
}

/// When to sync.
#[derive(Debug, Clone)]
pub struct Schedule {
    every: Duration,
    failures: u32,
    due: Moment,
    looked: Moment,
}

impl Schedule {
    /// Due at once, and then every `every`.
    pub fn new(every: Duration, now: Moment) -> Self {
        Self { every, failures: 0, due: now, looked: now }
    }

    /// Whether it is time. To be asked every few seconds.
    pub fn is_due(&mut self, now: Moment) -> bool {
        let apart = self.drift(now);
        self.looked = now;
        if apart > JUMP {
            self.due = now;
        }
        now.uptime >= self.due.uptime || now.wall >= self.due.wall
    }

    /// A round went well. `random` spreads the devices of a city over the time.
    pub fn succeeded(&mut self, now: Moment, random: u64) {
        self.failures = 0;
        // Nine to eleven tenths.
        self.wait(now, self.every.mul_f64(0.9 + 0.2 * share(random)));
    }

    /// A round failed: twice the wait of the last failure, up to an hour, of which half is left to chance.
    pub fn failed(&mut self, now: Moment, random: u64) {
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.wait(now, doubled.min(LONGEST_WAIT).mul_f64(0.5 + 0.5 * share(random)));
    }

    /// Makes it due at once.
    pub fn now(&mut self, now: Moment) {
        self.due = now;
    }

    /// How long until then.
    pub fn remaining(&self, now: Moment) -> Duration {
        let by_wall = self.due.wall.duration_since(now.wall);
        let by_wall = by_wall.try_into().unwrap_or(Duration::ZERO);
        self.due.uptime.saturating_sub(now.uptime).min(by_wall)
    }

    fn wait(&mut self, now: Moment, wait: Duration) {
        let wall = now.wall.checked_add(wait).unwrap_or(Timestamp::MAX);
        self.due = Moment { wall, uptime: now.uptime.saturating_add(wait) };
        self.looked = now;
    }

    fn drift(&self, now: Moment) -> SignedDuration {
        let uptime = now.uptime.saturating_sub(self.looked.uptime);
        let uptime = SignedDuration::try_from(uptime).unwrap_or(SignedDuration::MAX);
        now.wall.duration_since(self.looked.wall).saturating_sub(uptime).abs()
    }
}

/// 0 up to 1.
fn share(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(300);
    const HALF: u64 = 1 << 63;

    /// `seconds` after the beginning by both clocks, the wall clock `off` seconds wrong.
    fn at(seconds: u64, off: i64) -> Moment {
        let wall = 1_795_420_800 + seconds as i64 + off;
        Moment { wall: Timestamp::from_second(wall).unwrap(), uptime: Duration::from_secs(seconds) }
    }

    fn synced() -> Schedule {
        let mut schedule = Schedule::new(EVERY, at(0, 0));
        assert!(schedule.is_due(at(0, 0)));
        schedule.succeeded(at(0, 0), HALF);
        schedule
    }

    /// The first second at which it is due, looking every five seconds, the wall clock being wrong by `off(second)`.
    fn due(schedule: &mut Schedule, from: u64, off: impl Fn(u64) -> i64) -> u64 {
        (from..from + 100_000).step_by(5).find(|second| schedule.is_due(at(*second, off(*second)))).unwrap()
    }

    #[test]
    fn every_five_minutes_within_a_tenth() {
        for (random, first) in [(0, 270), (HALF, 300), (u64::MAX, 330)] {
            let mut schedule = synced();
            schedule.succeeded(at(0, 0), random);
            assert_eq!(due(&mut schedule, 0, |_| 0), first);
            assert_eq!(schedule.remaining(at(100, 0)).as_secs().div_ceil(5) * 5, first - 100);
        }
    }

    #[test]
    fn failures_wait_longer_each_time_up_to_an_hour() {
        let mut schedule = synced();
        let waits: Vec<u64> = (0..9)
            .map(|_| {
                schedule.failed(at(0, 0), u64::MAX);
                schedule.remaining(at(0, 0)).as_secs()
            })
            .collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        schedule.failed(at(0, 0), 0);
        assert_eq!(schedule.remaining(at(0, 0)).as_secs(), 1800);
        // One success and all is as before.
        schedule.succeeded(at(0, 0), HALF);
        schedule.failed(at(0, 0), u64::MAX);
        assert_eq!(schedule.remaining(at(0, 0)).as_secs(), 30);
    }

    #[test]
    fn a_clock_set_back_a_year_does_not_stop_it() {
        let year = -31_536_000;
        let mut schedule = synced();
        assert_eq!(due(&mut schedule, 0, |second| if second < 100 { 0 } else { year }), 100);
        schedule.succeeded(at(100, year), HALF);
        assert_eq!(due(&mut schedule, 100, |_| year), 400);
    }

    #[test]
    fn a_clock_set_ahead_does_not_make_it_run_all_the_time() {
        let year = 31_536_000;
        let mut schedule = synced();
        assert_eq!(due(&mut schedule, 0, |second| if second < 100 { 0 } else { year }), 100);
        schedule.succeeded(at(100, year), HALF);
        assert_eq!(due(&mut schedule, 100, |_| year), 400);
    }

    #[test]
    fn a_laptop_that_slept_syncs_when_it_wakes() {
        let mut schedule = synced();
        // Uptime stood still for eight hours.
        assert!(!schedule.is_due(at(10, 0)));
        assert!(schedule.is_due(at(15, 8 * 3600)));
    }

    #[test]
    fn asked_for_it_is_due_at_once() {
        let mut schedule = synced();
        schedule.now(at(20, 0));
        assert!(schedule.is_due(at(20, 0)));
    }
}
