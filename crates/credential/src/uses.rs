//! How often a card has used an offer, held against the offer's limits. Who keeps the ledger counts: a partner's node or page.

use alloc::vec::Vec;

use jiff::civil::Date;
use jiff::tz::Offset;

use crate::number::CertificateNumber;
use crate::offer::{Ineligible, OfferLimits};
use crate::verdict::{Verdict, best_first, timestamp};
use crate::{MAX_TIME, Seconds};

impl OfferLimits {
    /// The limit that one more use at `at` would break: that of the day before that of the month before that in all.
    ///
    /// `uses` are the times of the uses of this offer by this card's number so far, in any order, those taken back left
    /// out. Days and months are Beijing's (UTC+8 all year). Both times are by the clock that the ledger is written with.
    pub fn reached(&self, uses: &[Seconds], at: Seconds) -> Option<Ineligible> {
        let today = beijing_date(at);
        let counts: [(_, &dyn Fn(Date) -> bool, _); 3] = [
            (self.per_day, &|day| day == today, Ineligible::UsedToday),
            (self.per_month, &|day| day.first_of_month() == today.first_of_month(), Ineligible::UsedThisMonth),
            (self.in_all, &|_| true, Ineligible::UsedUp),
        ];
        counts.into_iter().find_map(|(limit, counts, reason)| {
            let used = || uses.iter().filter(|&&at| counts(beijing_date(at))).count();
            limit.filter(|&most| used() as u64 >= u64::from(most)).map(|_| reason)
        })
    }
}

impl Verdict {
    /// Holds the offers that are still eligible against their limits, and puts them in order again.
    ///
    /// `at` is the clock that the ledger is written with; `uses` gives the times at which this number has used the offer of
    /// this id, those taken back left out. It is asked only for eligible offers with limits.
    pub fn count_uses(&mut self, at: Seconds, uses: impl Fn(&CertificateNumber, &str) -> Vec<Seconds>) {
        let (Some(certificate), Some(offers)) = (&self.certificate, &mut self.offers) else { return };
        for judged in offers.iter_mut().filter(|judged| judged.eligibility.is_ok()) {
            let limits = &judged.offer.limits;
            if !limits.are_none()
                && let Some(reason) = limits.reached(&uses(&certificate.number, &judged.offer.id), at)
            {
                judged.eligibility = Err(reason);
            }
        }
        best_first(offers);
    }
}

/// Times after [`MAX_TIME`] fall on its day.
fn beijing_date(at: Seconds) -> Date {
    Offset::constant(8).to_datetime(timestamp(at.min(MAX_TIME))).date()
}
