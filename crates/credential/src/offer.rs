//! What a partner gives on sight of the card, and when a holder is eligible.

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

use crate::cbor::{EncodingError, Reader, Writer};
use crate::{MAX_TIME, Seconds};

/// Minutes of a day.
pub(crate) const DAY_MINUTES: u16 = 24 * 60;
const MAX_ID_CHARS: usize = 64;
const MAX_TITLE_CHARS: usize = 80;
const MAX_TERMS_CHARS: usize = 1000;
const MAX_WINDOWS: u64 = 8;
/// Beijing time is UTC+8 all year; 1970-01-01 was a Thursday, day 3 counted from Monday.
const BEIJING_OFFSET: u64 = 8 * 3600;
const EPOCH_WEEKDAY: u64 = 3;

/// The three kinds of the notice: 优先, 优惠, 免费.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum OfferKind {
    /// 优先: served first.
    Priority = 0,
    /// 优惠: for less.
    Discount = 1,
    /// 免费: for nothing.
    Free = 2,
}

/// Days of the week in Beijing; bit 0 is Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

/// Part of a day in Beijing, in minutes since midnight: `from` ≤ t < `to`. A night is two windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HourWindow {
    /// 0…1439.
    pub from: u16,
    /// 1…1440, after `from`.
    pub to: u16,
}

/// How often one card may use an offer; `None` is without limit. See [`OfferLimits::reached`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OfferLimits {
    /// A day in Beijing.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub per_day: Option<u32>,
    /// A calendar month in Beijing.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub per_month: Option<u32>,
    /// In all.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub in_all: Option<u32>,
}

/// One offer of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Names it among the bundle's offers: 1 to 64 printable ASCII characters.
    pub id: String,
    /// 优先, 优惠 or 免费.
    pub kind: OfferKind,
    /// For people: 1 to 80 characters.
    pub title: String,
    /// For people: at most 1,000 characters, empty for none.
    pub terms: String,
    /// The star that it asks for, 0…5.
    pub min_star: u8,
    /// The first second it holds.
    pub valid_from: Option<Seconds>,
    /// The first second it no longer holds.
    pub valid_to: Option<Seconds>,
    /// The days on which it holds.
    pub weekdays: Weekdays,
    /// The parts of the day in which it holds, in order and apart; none for the whole day.
    pub hours: Vec<HourWindow>,
    /// How often.
    pub limits: OfferLimits,
    /// Whether the partner wants to see an identity document.
    pub identity_check: bool,
    /// The oldest status data, in seconds, on which it is still given.
    pub max_status_age: Option<u64>,
}

/// Why a holder does not get an offer now; the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Ineligible {
    /// It asks for more stars.
    #[error("the star is too low")]
    StarTooLow,
    /// It has not begun.
    #[error("the offer has not begun")]
    NotYet,
    /// It has ended.
    #[error("the offer is over")]
    Over,
    /// It does not hold on this day of the week.
    #[error("not on this day of the week")]
    NotToday,
    /// It does not hold at this hour.
    #[error("not at this hour")]
    NotInHours,
    /// The status data is older than it accepts.
    #[error("the status data is too old for this offer")]
    StatusTooOld,
    /// Used as often as it may be on this day in Beijing.
    #[error("used up for today")]
    UsedToday,
    /// Used as often as it may be in this calendar month in Beijing.
    #[error("used up for this month")]
    UsedThisMonth,
    /// Used as often as it may be in all.
    #[error("used up")]
    UsedUp,
}

/// Why something is not an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OfferError {
    /// Not the deterministic encoding.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A field that does not belong there.
    #[error("unknown field {0} of an offer")]
    UnknownField(i64),
    /// A field is missing.
    #[error("field {0} of an offer is missing")]
    MissingField(i64),
    /// A field says what its absence says (nothing, every day, no check).
    #[error("field {0} of an offer says what its absence says")]
    Redundant(i64),
    /// An id that is not 1 to 64 printable ASCII characters.
    #[error("the id of an offer is not 1 to 64 printable ASCII characters")]
    Id,
    /// A kind above 2.
    #[error("unknown kind of offer {0}")]
    Kind(u64),
    /// A title that is empty, longer than 80 characters or has control characters.
    #[error("the title of an offer is empty, too long or has control characters")]
    Title,
    /// Terms longer than 1,000 characters or with control characters other than line ends.
    #[error("the terms of an offer are too long or have control characters")]
    Terms,
    /// More than five stars.
    #[error("an offer asks for {0} stars: at most five")]
    StarRange(u64),
    /// It ends before it begins, or after [`MAX_TIME`].
    #[error("the validity of an offer is no stretch of time")]
    Validity,
    /// No day at all, or bits beyond Sunday.
    #[error("the weekdays of an offer are none, or more than seven")]
    Weekdays,
    /// More than eight windows, or windows that are empty, out of order, touching or beyond the day.
    #[error("the hours of an offer are not windows of a day, in order and apart")]
    Hours,
    /// An identity check other than 1.
    #[error("the identity check of an offer is 1 or absent, not {0}")]
    IdentityCheck(u64),
    /// A limit of zero or above 2^32 − 1, or not three of them.
    #[error("the limits of an offer are out of range")]
    Limits,
}

const ID: i64 = 1;
const KIND: i64 = 2;
const TITLE: i64 = 3;
const TERMS: i64 = 4;
const MIN_STAR: i64 = 5;
const VALID_FROM: i64 = 6;
const VALID_TO: i64 = 7;
const WEEKDAYS: i64 = 8;
const HOURS: i64 = 9;
const LIMITS: i64 = 10;
const IDENTITY_CHECK: i64 = 11;
const MAX_STATUS_AGE: i64 = 12;

impl Offer {
    /// An offer without conditions; set what it asks for.
    pub fn new(id: impl Into<String>, kind: OfferKind, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind,
            title: title.into(),
            terms: String::new(),
            min_star: 0,
            valid_from: None,
            valid_to: None,
            weekdays: Weekdays::ALL,
            hours: Vec::new(),
            limits: OfferLimits::default(),
            identity_check: false,
            max_status_age: None,
        }
    }

    /// Whether a holder of `star` stars gets it at `at`, the status data being `status_age` seconds old.
    ///
    /// Uses are not known here: [`Verdict::count_uses`](crate::Verdict::count_uses).
    ///
    /// # Errors
    /// [`Ineligible`]: the first reason that applies, in the order of its variants.
    pub fn eligibility(&self, star: u8, at: Seconds, status_age: u64) -> Result<(), Ineligible> {
        let (weekday, minute) = beijing_weekday_and_minute(at);
        let refusals = [
            (star < self.min_star, Ineligible::StarTooLow),
            (self.valid_from.is_some_and(|from| at < from), Ineligible::NotYet),
            (self.valid_to.is_some_and(|to| at >= to), Ineligible::Over),
            (!self.weekdays.contains(weekday), Ineligible::NotToday),
            (
                !self.hours.is_empty() && !self.hours.iter().any(|window| window.contains(minute)),
                Ineligible::NotInHours,
            ),
            (self.max_status_age.is_some_and(|most| status_age > most), Ineligible::StatusTooOld),
        ];
        refusals.into_iter().find(|(applies, _)| *applies).map_or(Ok(()), |(_, reason)| Err(reason))
    }

    /// Every range that the format sets.
    ///
    /// # Errors
    /// [`OfferError`].
    pub fn check(&self) -> Result<(), OfferError> {
        if self.id.is_empty() || self.id.len() > MAX_ID_CHARS || !self.id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(OfferError::Id);
        }
        if !is_line(&self.title, MAX_TITLE_CHARS) {
            return Err(OfferError::Title);
        }
        if self.terms.chars().count() > MAX_TERMS_CHARS || self.terms.chars().any(|c| c.is_control() && c != '\n') {
            return Err(OfferError::Terms);
        }
        if self.min_star > 5 {
            return Err(OfferError::StarRange(u64::from(self.min_star)));
        }
        let (from, to) = (self.valid_from.unwrap_or(0), self.valid_to.unwrap_or(MAX_TIME));
        if from >= to || to > MAX_TIME {
            return Err(OfferError::Validity);
        }
        let ends = self.hours.iter().map(|window| window.to);
        let begins = self.hours.iter().skip(1).map(|window| window.from);
        if self.hours.len() as u64 > MAX_WINDOWS
            || self.hours.iter().any(|window| window.from >= window.to || window.to > DAY_MINUTES)
            || ends.zip(begins).any(|(end, begin)| end >= begin)
        {
            return Err(OfferError::Hours);
        }
        if self.limits.all().contains(&Some(0)) {
            return Err(OfferError::Limits);
        }
        Ok(())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        let limits = (!self.limits.are_none()).then_some(self.limits);
        let present = [
            !self.terms.is_empty(),
            self.valid_from.is_some(),
            self.valid_to.is_some(),
            self.weekdays != Weekdays::ALL,
            !self.hours.is_empty(),
            limits.is_some(),
            self.identity_check,
            self.max_status_age.is_some(),
        ];
        writer.map(4 + present.iter().filter(|present| **present).count());
        writer.integer(ID).text(&self.id);
        writer.integer(KIND).unsigned(self.kind as u64);
        writer.integer(TITLE).text(&self.title);
        if !self.terms.is_empty() {
            writer.integer(TERMS).text(&self.terms);
        }
        writer.integer(MIN_STAR).unsigned(u64::from(self.min_star));
        for (key, time) in [(VALID_FROM, self.valid_from), (VALID_TO, self.valid_to)] {
            if let Some(time) = time {
                writer.integer(key).unsigned(time);
            }
        }
        if self.weekdays != Weekdays::ALL {
            writer.integer(WEEKDAYS).unsigned(u64::from(self.weekdays.0));
        }
        if !self.hours.is_empty() {
            writer.integer(HOURS).array(self.hours.len());
            for window in &self.hours {
                writer.array(2).unsigned(u64::from(window.from)).unsigned(u64::from(window.to));
            }
        }
        if let Some(limits) = limits {
            writer.integer(LIMITS).array(3);
            for limit in limits.all() {
                writer.unsigned(u64::from(limit.unwrap_or(0)));
            }
        }
        if self.identity_check {
            writer.integer(IDENTITY_CHECK).unsigned(1);
        }
        if let Some(age) = self.max_status_age {
            writer.integer(MAX_STATUS_AGE).unsigned(age);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, OfferError> {
        let mut keys = reader.map()?;
        let mut offer = Self::new("", OfferKind::Priority, "");
        let (mut id, mut kind, mut title, mut min_star) = (None, None, None, None);
        while let Some(key) = keys.next(reader)? {
            match key {
                ID => id = Some(reader.text()?),
                KIND => kind = Some(OfferKind::from_wire(reader.unsigned()?)?),
                TITLE => title = Some(reader.text()?),
                TERMS => offer.terms = unless(key, reader.text()?, "")?.into(),
                MIN_STAR => {
                    let star = reader.unsigned()?;
                    min_star = Some(u8::try_from(star).map_err(|_| OfferError::StarRange(star))?);
                }
                VALID_FROM => offer.valid_from = Some(reader.unsigned()?),
                VALID_TO => offer.valid_to = Some(reader.unsigned()?),
                WEEKDAYS => {
                    let days = u8::try_from(reader.unsigned()?).map_err(|_| OfferError::Weekdays)?;
                    offer.weekdays = unless(key, Weekdays::from_bits(days)?, Weekdays::ALL)?;
                }
                HOURS => offer.hours = unless(key, read_hours(reader)?, Vec::new())?,
                LIMITS => offer.limits = unless(key, read_limits(reader)?, OfferLimits::default())?,
                IDENTITY_CHECK => match unless(key, reader.unsigned()?, 0)? {
                    1 => offer.identity_check = true,
                    other => return Err(OfferError::IdentityCheck(other)),
                },
                MAX_STATUS_AGE => offer.max_status_age = Some(reader.unsigned()?),
                other => return Err(OfferError::UnknownField(other)),
            }
        }
        offer.id = id.ok_or(OfferError::MissingField(ID))?.into();
        offer.kind = kind.ok_or(OfferError::MissingField(KIND))?;
        offer.title = title.ok_or(OfferError::MissingField(TITLE))?.into();
        offer.min_star = min_star.ok_or(OfferError::MissingField(MIN_STAR))?;
        offer.check()?;
        Ok(offer)
    }
}

/// Every field, for the page and for programs: times in RFC 3339, days as 1 (Monday) to 7, hours as `["09:00","18:00"]` in
/// Beijing; what sets no condition is left out.
#[cfg(feature = "serde")]
impl serde::Serialize for Offer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use alloc::format;
        use serde::ser::SerializeMap;

        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("kind", &self.kind)?;
        map.serialize_entry("title", &self.title)?;
        map.serialize_entry("min_star", &self.min_star)?;
        if !self.terms.is_empty() {
            map.serialize_entry("terms", &self.terms)?;
        }
        for (name, time) in [("valid_from", self.valid_from), ("valid_to", self.valid_to)] {
            if let Some(time) = time {
                map.serialize_entry(name, &format!("{}", crate::verdict::timestamp(time)))?;
            }
        }
        if self.weekdays != Weekdays::ALL {
            let days: Vec<u8> = (0..7).filter(|day| self.weekdays.contains(*day)).map(|day| day + 1).collect();
            map.serialize_entry("weekdays", &days)?;
        }
        if !self.hours.is_empty() {
            let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            let hours: Vec<_> = self.hours.iter().map(|window| [clock(window.from), clock(window.to)]).collect();
            map.serialize_entry("hours", &hours)?;
        }
        if !self.limits.are_none() {
            map.serialize_entry("limits", &self.limits)?;
        }
        if self.identity_check {
            map.serialize_entry("identity_check", &true)?;
        }
        if let Some(age) = self.max_status_age {
            map.serialize_entry("max_status_age", &age)?;
        }
        map.end()
    }
}

impl OfferKind {
    fn from_wire(kind: u64) -> Result<Self, OfferError> {
        match kind {
            0 => Ok(Self::Priority),
            1 => Ok(Self::Discount),
            2 => Ok(Self::Free),
            other => Err(OfferError::Kind(other)),
        }
    }
}

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0x7f);

    /// Takes seven bits, bit 0 for Monday.
    ///
    /// # Errors
    /// [`OfferError::Weekdays`] for no day at all or bits beyond Sunday.
    pub fn from_bits(bits: u8) -> Result<Self, OfferError> {
        if bits == 0 || bits > Self::ALL.0 { Err(OfferError::Weekdays) } else { Ok(Self(bits)) }
    }

    /// The seven bits, bit 0 for Monday.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether a day is among them; 0 is Monday, 6 Sunday.
    pub fn contains(self, weekday: u8) -> bool {
        weekday < 7 && self.0 >> weekday & 1 == 1
    }
}

impl HourWindow {
    /// Whether a minute of the day is in it.
    pub fn contains(&self, minute: u16) -> bool {
        (self.from..self.to).contains(&minute)
    }
}

impl OfferLimits {
    /// Whether there is no limit.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    fn all(&self) -> [Option<u32>; 3] {
        [self.per_day, self.per_month, self.in_all]
    }
}

/// Day of the week (0 is Monday) and minute of the day in Beijing.
fn beijing_weekday_and_minute(at: Seconds) -> (u8, u16) {
    let local = at.saturating_add(BEIJING_OFFSET);
    (((local / 86_400 + EPOCH_WEEKDAY) % 7) as u8, (local % 86_400 / 60) as u16)
}

/// One line for people: not empty, not too long, no control characters.
pub(crate) fn is_line(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

fn unless<T: PartialEq>(key: i64, value: T, absent: T) -> Result<T, OfferError> {
    if value == absent { Err(OfferError::Redundant(key)) } else { Ok(value) }
}

fn read_hours(reader: &mut Reader<'_>) -> Result<Vec<HourWindow>, OfferError> {
    let count = reader.array()?;
    if count > MAX_WINDOWS {
        return Err(OfferError::Hours);
    }
    let minute = |reader: &mut Reader<'_>| u16::try_from(reader.unsigned()?).map_err(|_| OfferError::Hours);
    (0..count)
        .map(|_| match reader.array()? {
            2 => Ok(HourWindow { from: minute(reader)?, to: minute(reader)? }),
            _ => Err(OfferError::Hours),
        })
        .collect()
}

fn read_limits(reader: &mut Reader<'_>) -> Result<OfferLimits, OfferError> {
    if reader.array()? != 3 {
        return Err(OfferError::Limits);
    }
    let mut limit = || match u32::try_from(reader.unsigned()?).map_err(|_| OfferError::Limits)? {
        0 => Ok::<_, OfferError>(None),
        some => Ok(Some(some)),
    };
    Ok(OfferLimits { per_day: limit()?, per_month: limit()?, in_all: limit()? })
}
