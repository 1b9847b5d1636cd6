//! Partners: those who signed an agreement with the federation to give 优先, 优惠 or 免费 on sight of the card
//! (激励回馈, 普创文办〔2018〕12号), and how long an agreement holds.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::clock::beijing;

/// Longest name of a partner, characters.
pub const MAX_NAME: usize = 60;
/// Longest kind, contact and reason, characters.
pub const MAX_NOTE: usize = 200;
/// Longest agreement number, characters.
pub const MAX_AGREEMENT_NUMBER: usize = 60;
/// Longest name of a device, characters.
pub const MAX_DEVICE_NAME: usize = 40;

/// Makes the type of an id that people type and programs read as a number.
macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::domain::partner::NotAnId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.trim().parse() {
                    Ok(id) if id > 0 => Ok(Self(id)),
                    _ => Err(crate::domain::partner::NotAnId { what: $what }),
                }
            }
        }
    };
}
pub(crate) use number_id;

number_id!(
    /// Key of a partner.
    PartnerId,
    "合作单位"
);
number_id!(
    /// Key of a partner's device.
    DeviceId,
    "设备"
);

/// A text that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}编号应为正整数，如 3")]
pub struct NotAnId {
    /// Whose id, in Chinese.
    pub what: &'static str,
}

/// What a partner's paper says. It holds from the beginning of `from` to the end of `to`, Beijing time, unless it was
/// ended before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Its number.
    pub number: String,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The first day on which it no longer holds, where it was ended.
    pub ended_from: Option<Date>,
}

/// Where an agreement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreementState {
    /// It has not begun.
    NotYet,
    /// It holds.
    InForce,
    /// It is past its last day, or was ended.
    Ended,
}

impl Agreement {
    /// The first moment at which it holds.
    pub fn begins_at(&self) -> Timestamp {
        midnight(self.from)
    }

    /// The first moment at which it no longer holds.
    pub fn ends_at(&self) -> Timestamp {
        let past = midnight(self.to.checked_add(1.day()).unwrap_or(Date::MAX));
        self.ended_from.map_or(past, |ended| past.min(midnight(ended)))
    }

    /// Where it stands at `now`.
    pub fn state(&self, now: Timestamp) -> AgreementState {
        if now >= self.ends_at() {
            AgreementState::Ended
        } else if now < self.begins_at() {
            AgreementState::NotYet
        } else {
            AgreementState::InForce
        }
    }
}

impl AgreementState {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotYet => "not_yet",
            Self::InForce => "in_force",
            Self::Ended => "ended",
        }
    }

    /// The word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::NotYet => "未生效",
            Self::InForce => "有效",
            Self::Ended => "已终止",
        }
    }
}

/// What a partner calls a device: 1 to 40 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(String);

impl DeviceName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("设备名称须为 1 到 40 个字，不能换行，如 收银台1")]
pub struct DeviceNameError;

impl FromStr for DeviceName {
    type Err = DeviceNameError;

    fn from_str(text: &str) -> Result<Self, DeviceNameError> {
        let text = text.trim();
        if is_line(text, MAX_DEVICE_NAME) { Ok(Self(text.to_owned())) } else { Err(DeviceNameError) }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line for people: not empty, not too long, no control characters.
pub fn is_line(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

/// The first moment of a day in Beijing.
pub fn midnight(day: Date) -> Timestamp {
    beijing().to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn agreement() -> Agreement {
        Agreement {
            number: "普志协〔2026〕1号".into(),
            from: date(2026, 1, 1),
            to: date(2026, 12, 31),
            ended_from: None,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn it_holds_from_its_first_midnight_through_its_last_day_in_beijing() {
        let agreement = agreement();
        assert_eq!(agreement.state(at("2025-12-31T15:59:59Z")), AgreementState::NotYet);
        assert_eq!(agreement.state(at("2025-12-31T16:00:00Z")), AgreementState::InForce);
        assert_eq!(agreement.state(at("2026-12-31T15:59:59Z")), AgreementState::InForce);
        assert_eq!(agreement.state(at("2026-12-31T16:00:00Z")), AgreementState::Ended, "by itself");
    }

    #[test]
    fn ending_it_takes_effect_on_the_day_named_and_never_prolongs_it() {
        let ended = Agreement { ended_from: Some(date(2026, 6, 1)), ..agreement() };
        assert_eq!(ended.state(at("2026-05-31T15:59:59Z")), AgreementState::InForce);
        assert_eq!(ended.state(at("2026-05-31T16:00:00Z")), AgreementState::Ended);
        let later = Agreement { ended_from: Some(date(2028, 6, 1)), ..agreement() };
        assert_eq!(later.ends_at(), agreement().ends_at());
    }

    #[test]
    fn ids_are_positive_numbers() {
        assert_eq!("3".parse(), Ok(PartnerId(3)));
        for wrong in ["", "0", "-1", "x", "3x", "99999999999999999999"] {
            assert!(wrong.parse::<PartnerId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn device_names_are_one_line() {
        assert_eq!(" 收银台1 ".parse::<DeviceName>().unwrap().as_str(), "收银台1");
        for wrong in ["", "  ", "a\nb", &"字".repeat(41)] {
            assert_eq!(wrong.parse::<DeviceName>(), Err(DeviceNameError), "{wrong}");
        }
    }
}
