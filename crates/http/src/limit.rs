//! How much one client may ask: a rate a key, and who the client is behind reverse proxies.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::problem::Problem;

/// Buckets that keys fall into: what bounds a limiter's memory (about 10 MB at the very most, in practice what is active).
/// Two clients share a bucket once in 262,144; nobody can choose whom with, since the hash is keyed anew by every process.
const BUCKETS: u64 = 1 << 18;

/// After this many questions, buckets that have recovered are forgotten.
const SWEEP: u32 = 8192;

/// A rate with a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a minute in the long run.
    pub per_minute: NonZeroU32,
    /// Requests that may come at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// `per_minute` in the long run, `burst` at once; 0 counts as 1.
    pub const fn new(per_minute: u32, burst: u32) -> Self {
        Self { per_minute: at_least_one(per_minute), burst: at_least_one(burst) }
    }
}

const fn at_least_one(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

/// Where a limiter's time comes from: time since any fixed moment.
#[derive(Clone)]
pub struct Ticks(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Ticks {
    /// The machine's monotonic clock.
    pub fn monotonic() -> Self {
        let start = Instant::now();
        Self(Arc::new(move || start.elapsed()))
    }

    /// Whatever `now` says, for tests.
    pub fn from_fn(now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        (self.0)()
    }
}

/// Holds each key to a [`Rate`].
pub struct Limiter {
    states: RateLimiter<u64, DashMapStateStore<u64>, Ticks, NoOpMiddleware<Duration>>,
    ticks: Ticks,
    hash: RandomState,
    asked: AtomicU32,
}

impl Limiter {
    /// A limiter that has seen nobody yet.
    pub fn new(rate: Rate, ticks: Ticks) -> Self {
        let quota = Quota::per_minute(rate.per_minute).allow_burst(rate.burst);
        let states = RateLimiter::dashmap_with_clock(quota, ticks.clone());
        Self { states, ticks, hash: RandomState::new(), asked: AtomicU32::new(0) }
    }

    /// Counts one request of `key`.
    ///
    /// # Errors
    /// It is one too many: 429 `rate_limited` with the seconds to wait, at least 1.
    pub fn check(&self, key: &impl Hash) -> Result<(), Problem> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.states.retain_recent();
            self.states.shrink_to_fit();
        }
        self.states.check_key(&(self.hash.hash_one(key) % BUCKETS)).map_err(|until| {
            let seconds = until.wait_time_from(self.ticks.now()).as_secs_f64().ceil().max(1.0);
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "请求过于频繁")
                .detail("请按响应头 Retry-After 的秒数等待后重试")
                .retry_after(seconds as u64)
        })
    }

    /// Buckets remembered now.
    pub fn remembered(&self) -> usize {
        self.states.len()
    }
}

/// A client as a key: an IPv4 address, or the /64 of an IPv6 one, since a household or a machine has a whole /64.
pub fn client_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

/// Networks whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(pub Vec<Network>);

impl TrustedProxies {
    /// The address of the client: the peer's, or, while the hop that speaks is trusted, the next one from the right of
    /// `X-Forwarded-For`. Entries before the last untrusted hop are the client's own words and not believed.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.ip().to_canonical();
        let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !self.contains(client) {
                break;
            }
            let Some(address) = hop_address(hop.trim()) else { break };
            client = address.to_canonical();
        }
        client
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// A network in CIDR notation, a single address, or the word `loopback`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// 127.0.0.0/8 and ::1.
    Loopback,
    /// All addresses that begin with these bits.
    Prefix(IpAddr, u8),
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Loopback, address) => address.is_loopback(),
            (Self::Prefix(IpAddr::V4(network), bits), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits)
            }
            (Self::Prefix(IpAddr::V6(network), bits), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits)
            }
            (Self::Prefix(..), _) => false,
        }
    }
}

/// No network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("应为 loopback、一个地址或网段，如 10.0.0.0/8、2001:db8::/32")]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        if text == "loopback" {
            return Ok(Self::Loopback);
        }
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| NotANetwork))?;
        if bits > most { Err(NotANetwork) } else { Ok(Self::Prefix(address, bits)) }
    }
}

/// An entry of `X-Forwarded-For`; some proxies add a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    fn limiter(per_minute: u32, burst: u32) -> (Limiter, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let read = seconds.clone();
        let ticks = Ticks::from_fn(move || Duration::from_secs(read.load(Ordering::Relaxed)));
        (Limiter::new(Rate::new(per_minute, burst), ticks), seconds)
    }

    #[test]
    fn a_burst_is_let_through_and_the_next_told_when_to_come_back() {
        let (limiter, seconds) = limiter(2, 3);
        for _ in 0..3 {
            limiter.check(&"a").unwrap();
        }
        let problem = limiter.check(&"a").unwrap_err();
        assert_eq!((problem.status, problem.code, problem.retry_after), (429, "rate_limited", Some(30)));
        limiter.check(&"b").unwrap();
        seconds.store(30, Ordering::Relaxed);
        limiter.check(&"a").unwrap();
        assert_eq!(limiter.check(&"a").unwrap_err().retry_after, Some(30));
    }

    #[test]
    fn those_who_stopped_asking_are_forgotten() {
        let (limiter, seconds) = limiter(60, 1);
        for key in 0..SWEEP - 1 {
            let _ = limiter.check(&key);
        }
        assert!(limiter.remembered() > 1000);
        seconds.store(3600, Ordering::Relaxed);
        limiter.check(&"last").unwrap();
        assert_eq!(limiter.remembered(), 1);
    }

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let trusted = TrustedProxies(trusted.iter().map(|text| text.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        trusted.client(SocketAddr::new(peer.parse().unwrap(), 1), &headers).to_string()
    }

    #[test]
    fn without_a_trusted_proxy_the_header_is_not_believed() {
        assert_eq!(client(&[], "127.0.0.1", &["1.2.3.4"]), "127.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", &["1.2.3.4"]), "192.0.2.1");
    }

    #[test]
    fn the_last_untrusted_hop_is_the_client() {
        assert_eq!(client(&["loopback"], "127.0.0.1", &["6.6.6.6, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(client(&["loopback", "10.0.0.0/8"], "::1", &["6.6.6.6, 1.2.3.4, 10.1.1.1"]), "1.2.3.4");
        assert_eq!(client(&["loopback", "10.0.0.0/8"], "127.0.0.1", &["6.6.6.6", "1.2.3.4, 10.1.1.1"]), "1.2.3.4");
        assert_eq!(client(&["loopback"], "127.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client(&["loopback"], "127.0.0.1", &["1.2.3.4:5"]), "1.2.3.4");
    }

    #[test]
    fn nonsense_in_the_header_ends_the_walk() {
        assert_eq!(client(&["loopback"], "127.0.0.1", &["1.2.3.4, unknown"]), "127.0.0.1");
        assert_eq!(client(&["loopback"], "127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn a_mapped_address_is_the_one_it_maps() {
        assert_eq!(client(&["10.0.0.0/8"], "::ffff:10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
    }

    #[test]
    fn networks_are_read_and_nonsense_refused() {
        assert_eq!("2001:db8::/32".parse(), Ok(Network::Prefix("2001:db8::".parse().unwrap(), 32)));
        assert_eq!("10.0.0.1".parse(), Ok(Network::Prefix("10.0.0.1".parse().unwrap(), 32)));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "host"] {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork), "{wrong}");
        }
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let key = |text: &str| client_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::9"));
        assert_ne!(key("2001:db8:1:2::"), key("2001:db8:1:3::"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
