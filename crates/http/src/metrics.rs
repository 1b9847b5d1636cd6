//! What is counted, for Prometheus (OpenMetrics text). Labels are few and bounded: route patterns, never addresses; no
//! label ever names a person, a card, a partner or a device.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use zyz_credential::{Outcome, Reason, Verdict};

use crate::layers::internal;

/// Upper bounds of the duration histogram's buckets, seconds.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The process's measurements.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    verdicts: Family<VerdictLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    verdict: &'static str,
    reason: &'static str,
}

/// A request under way; gone from the gauge when dropped, also when the client went away.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(|_| ())
    }
}

impl Metrics {
    /// The common measurements, and whatever `more` registers besides (names there without the prefix `zyz_`).
    pub fn new(more: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::with_prefix("zyz");
        let requests = Family::<RequestLabels, Counter>::default();
        let durations: Family<RouteLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let in_flight = Gauge::<i64, std::sync::atomic::AtomicI64>::default();
        let verdicts = Family::<VerdictLabels, Counter<u64, AtomicU64>>::default();
        registry.register("http_requests", "Requests answered, by route, method and class of status", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register("http_requests_in_flight", "Requests being handled", in_flight.clone());
        registry.register("verdicts", "Codes judged, by verdict and reason", verdicts.clone());
        more(&mut registry);
        Self { registry, requests, durations, in_flight, verdicts }
    }

    /// A code was judged.
    pub fn judged(&self, verdict: &Verdict) {
        let labels = VerdictLabels { verdict: outcome_word(verdict.verdict), reason: reason_word(verdict.reason) };
        self.verdicts.get_or_create(&labels).inc();
    }

    /// A request begins.
    pub fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// A request of the route with pattern `route` was answered.
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let (method, status) = (method_word(method), status_class(status));
        self.requests.get_or_create(&RequestLabels { route: route.to_owned(), method, status }).inc();
        self.durations.get_or_create(&RouteLabels { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// Everything as OpenMetrics text: the body of `/metrics`.
    pub fn response(&self) -> Response {
        let mut body = String::new();
        match text::encode(&mut body, &self.registry) {
            Ok(()) => {
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                ([(header::CONTENT_TYPE, kind)], body).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "the metrics could not be written");
                internal().into_response()
            }
        }
    }
}

/// Methods as labels: anybody can invent a method, so only the known ones are told apart.
fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accept => "accept",
        Outcome::Caution => "caution",
        Outcome::Reject => "reject",
    }
}

/// The reason's word, as in the verdict's JSON.
pub fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Malformed => "malformed",
        Reason::UnknownKey => "unknown_key",
        Reason::BadSignature => "bad_signature",
        Reason::KeyCompromised => "key_compromised",
        Reason::KeyNotValid => "key_not_valid",
        Reason::NotYetValid => "not_yet_valid",
        Reason::Expired => "expired",
        Reason::Revoked => "revoked",
        Reason::Suspended => "suspended",
        Reason::Superseded => "superseded",
        Reason::StatusStale => "status_stale",
        Reason::ClockSuspect => "clock_suspect",
        Reason::Ok => "ok",
    }
}
