//! Uses of offers: how a card stood when an offer was given, and which use was one too many.

use std::fmt;

use jiff::Timestamp;
use zyz_credential::OfferLimits;

use super::certificate::{CertificateState, UnknownWord};

/// How a card stood when an offer was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CardStanding {
    /// Good.
    Valid,
    /// Revoked before the offer was given, or signed with a key given up as stolen before.
    Revoked,
    /// Suspended at that time.
    Suspended,
    /// Replaced by a newer card before.
    Superseded,
    /// Past its validity.
    Expired,
    /// No such card is known.
    Unknown,
}

impl CardStanding {
    /// Every standing.
    pub const ALL: [Self; 6] =
        [Self::Valid, Self::Revoked, Self::Suspended, Self::Superseded, Self::Expired, Self::Unknown];

    /// The word stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    /// The word shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Valid => "有效",
            Self::Revoked => "已注销",
            Self::Suspended => "已暂停",
            Self::Superseded => "已换发",
            Self::Expired => "已过期",
            Self::Unknown => "查无此证",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    ///
    /// # Errors
    /// [`UnknownWord`].
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|standing| standing.as_str() == text);
        known.ok_or_else(|| UnknownWord { what: "证件当时状态", text: text.to_owned() })
    }
}

impl fmt::Display for CardStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of one card, as far as its standing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardHistory {
    /// When issued; valid from then on.
    pub issued_at: Timestamp,
    /// The first moment at which it is past its validity.
    pub expires_at: Timestamp,
    /// Its changes of state, oldest first.
    pub changes: Vec<(Timestamp, CertificateState)>,
    /// Since when its key counts as stolen.
    pub key_compromised_at: Option<Timestamp>,
}

impl CardHistory {
    /// How the card stood at `at`; a change at that very second counts. Before it was issued it stood as when issued: then
    /// the partner's clock was behind.
    pub fn standing(&self, at: Timestamp) -> CardStanding {
        if at >= self.expires_at {
            return CardStanding::Expired;
        }
        let last = self.changes.iter().rev().find(|(when, _)| *when <= at.max(self.issued_at));
        match last.map_or(CertificateState::Valid, |(_, state)| *state) {
            CertificateState::Revoked => CardStanding::Revoked,
            _ if self.key_compromised_at.is_some_and(|when| when <= at) => CardStanding::Revoked,
            CertificateState::Valid => CardStanding::Valid,
            CertificateState::Suspended => CardStanding::Suspended,
            CertificateState::Superseded => CardStanding::Superseded,
        }
    }
}

/// Which uses of one offer by one holder were one too many: `uses` are the times of those not taken back, in order. The rule
/// is the core's: each is held against those before it.
pub fn over_limit(limits: &OfferLimits, uses: &[Timestamp]) -> Vec<bool> {
    let uses: Vec<_> = uses.iter().map(|at| u64::try_from(at.as_second()).unwrap_or(0)).collect();
    (0..uses.len()).map(|n| limits.reached(&uses[..n], uses[n]).is_some()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn card() -> CardHistory {
        CardHistory {
            issued_at: at("2026-01-01T00:00:00Z"),
            expires_at: at("2027-12-31T15:59:59Z"),
            changes: vec![
                (at("2026-02-01T00:00:00Z"), CertificateState::Suspended),
                (at("2026-03-01T00:00:00Z"), CertificateState::Valid),
                (at("2026-04-01T00:00:00Z"), CertificateState::Revoked),
            ],
            key_compromised_at: None,
        }
    }

    #[test]
    fn standing_follows_the_history_to_the_second() {
        for (when, standing) in [
            ("2025-12-31T00:00:00Z", CardStanding::Valid),
            ("2026-01-31T23:59:59Z", CardStanding::Valid),
            ("2026-02-01T00:00:00Z", CardStanding::Suspended),
            ("2026-02-28T23:59:59Z", CardStanding::Suspended),
            ("2026-03-01T00:00:00Z", CardStanding::Valid),
            ("2026-03-31T23:59:59Z", CardStanding::Valid),
            ("2026-04-01T00:00:00Z", CardStanding::Revoked),
            ("2027-12-31T15:59:58Z", CardStanding::Revoked),
            ("2027-12-31T15:59:59Z", CardStanding::Expired),
        ] {
            assert_eq!(card().standing(at(when)), standing, "{when}");
        }
    }

    #[test]
    fn a_stolen_key_counts_as_revoked_from_then_on() {
        let card = CardHistory { changes: Vec::new(), key_compromised_at: Some(at("2026-05-01T00:00:00Z")), ..card() };
        assert_eq!(card.standing(at("2026-04-30T23:59:59Z")), CardStanding::Valid);
        assert_eq!(card.standing(at("2026-05-01T00:00:00Z")), CardStanding::Revoked);
    }

    #[test]
    fn a_day_ends_at_midnight_in_beijing() {
        let limits = OfferLimits { per_day: Some(1), ..OfferLimits::default() };
        let uses = [at("2026-05-01T15:59:58Z"), at("2026-05-01T15:59:59Z"), at("2026-05-01T16:00:00Z")];
        assert_eq!(over_limit(&limits, &uses), [false, true, false]);
    }

    #[test]
    fn a_month_ends_at_midnight_in_beijing() {
        let limits = OfferLimits { per_month: Some(2), ..OfferLimits::default() };
        let uses = [
            at("2026-05-01T00:00:00Z"),
            at("2026-05-02T00:00:00Z"),
            at("2026-05-31T15:59:59Z"),
            at("2026-05-31T16:00:00Z"),
        ];
        assert_eq!(over_limit(&limits, &uses), [false, false, true, false]);
    }

    #[test]
    fn in_all_counts_everything() {
        let limits = OfferLimits { in_all: Some(1), ..OfferLimits::default() };
        assert_eq!(over_limit(&limits, &[at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")]), [false, true]);
        assert_eq!(over_limit(&OfferLimits::default(), &[at("2026-01-01T00:00:00Z"); 3]), [false; 3]);
    }

    #[test]
    fn every_word_reads_back() {
        for standing in CardStanding::ALL {
            assert_eq!(CardStanding::parse(standing.as_str()), Ok(standing));
        }
        assert!(CardStanding::parse("gone").is_err());
    }
}
