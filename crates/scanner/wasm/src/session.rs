//! What the page can ask for, without pointers.

use serde::Serialize;
use zyz_credential::{
    BundleError, CertificateNumber, Credential, Offer, RatchetError, Seconds, TrustState, digits, judge,
};
use zyz_scanner::{frame_matching, read_matching};

/// One instance's state: what it trusts.
#[derive(Debug, Default)]
pub struct Session {
    trust: Option<TrustState>,
}

/// A bundle that was taken.
#[derive(Debug, Serialize)]
pub struct Accepted<'a> {
    /// The bundle's version.
    pub bundle_version: u64,
    /// The trust list's version.
    pub trust_list_version: u64,
    /// When the bundle was issued, seconds since 1970.
    pub issued_at: Seconds,
    /// When its status data goes stale, seconds since 1970.
    pub expires_at: Seconds,
    /// Whether it was not seen before: store it and the ratchet.
    pub new: bool,
    /// The offers in force.
    pub offers: Vec<&'a Offer>,
}

/// Why something was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// For programs: see `zyz_credential`'s `BundleError::word` and `RatchetError::word`; `no_root` before
    /// [`Session::trust_new`], `root_refused` for a root that is no key, `uses` for uses that cannot be read.
    pub error: &'static str,
    /// For people: what is so and what to do.
    pub message: &'static str,
}

impl Session {
    /// Pins the root, 32 bytes, and takes up a ratchet stored before; an empty one begins anew. Any bundle is forgotten.
    ///
    /// # Errors
    /// [`Refused`]; then nothing is trusted.
    pub fn trust_new(&mut self, root: &[u8], ratchet: &[u8]) -> Result<(), Refused> {
        self.trust = None;
        let root = root.try_into().map_err(|_| Refused::ROOT)?;
        self.trust = Some(match ratchet {
            [] => TrustState::new(root).map_err(RatchetError::Root)?,
            stored => TrustState::restore(root, stored)?,
        });
        Ok(())
    }

    /// Takes a bundle. If it is refused, nothing changes.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn trust_accept(&mut self, bundle: &[u8]) -> Result<Accepted<'_>, Refused> {
        let trust = self.trust.as_mut().ok_or(Refused::NO_ROOT)?;
        let accepted = trust.accept(bundle)?;
        Ok(Accepted {
            bundle_version: accepted.bundle_version,
            trust_list_version: accepted.trust_list_version,
            issued_at: accepted.issued_at,
            expires_at: accepted.expires_at,
            new: accepted.new,
            offers: trust.offers().iter().map(|offer| &**offer).collect(),
        })
    }

    /// What has to be stored before the last accepted bundle is relied on.
    pub fn trust_ratchet(&self) -> Option<Vec<u8>> {
        Some(self.trust.as_ref()?.ratchet().to_bytes())
    }

    /// Judges the text of a code at `now`, seconds since 1970 by the device's clock; `max_age`, in seconds, is without limit
    /// if negative. `uses` are the ledger's for this number: a line an offer, its id and then the times in seconds, with a
    /// blank between; ids have none. Returns the verdict's JSON.
    ///
    /// # Errors
    /// [`Refused`]: `no_root`, `uses`.
    pub fn judge(&self, text: &[u8], now: f64, max_age: f64, uses: &[u8]) -> Result<Vec<u8>, Refused> {
        let trust = self.trust.as_ref().ok_or(Refused::NO_ROOT)?;
        let uses = read_uses(uses).ok_or(Refused::USES)?;
        // `as` saturates, and makes 0 of what is no number.
        let now = now as Seconds;
        let max_age = (max_age >= 0.0).then_some(max_age as u64);
        let mut verdict = judge(&String::from_utf8_lossy(text), trust, now, max_age);
        verdict.count_uses(now, |_, offer| {
            uses.iter().filter(|(id, _)| *id == offer).flat_map(|(_, times)| times).copied().collect()
        });
        // A verdict is strings and numbers: nothing in it can fail to serialise.
        Ok(serde_json::to_vec(&verdict).unwrap_or_default())
    }
}

fn read_uses(lines: &[u8]) -> Option<Vec<(&str, Vec<Seconds>)>> {
    let mut uses = Vec::new();
    for line in str::from_utf8(lines).ok()?.lines() {
        let (id, times) = line.split_once(' ')?;
        uses.push((id, times.split(' ').map(|time| time.parse().ok()).collect::<Option<_>>()?));
    }
    Some(uses)
}

/// The number in a code that has the form of a card's; its signature is not looked at. To look up uses before judging.
pub fn number_of(text: &[u8]) -> Option<CertificateNumber> {
    let bytes = digits::decode(str::from_utf8(text).ok()?).ok()?;
    Some(Credential::parse(&bytes).ok()?.claims.number)
}

/// A number as people type it, if its check digit holds.
pub fn number_typed(text: &[u8]) -> Option<CertificateNumber> {
    CertificateNumber::parse(str::from_utf8(text).ok()?).ok()
}

/// One pass over a camera frame of one byte a pixel. A card's code is preferred; failing that the first other code.
pub fn frame(luma: &[u8], width: usize, height: usize, pass: usize) -> Option<Vec<u8>> {
    prefer_cards(|accept| frame_matching(luma, width, height, pass, accept))
}

/// Everything there is to try on a still picture.
pub fn picture(luma: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    prefer_cards(|accept| read_matching(luma, width, height, accept))
}

/// Grey from a canvas's pixels (red, green, blue, alpha): weights 77, 150, 29 of 256.
pub fn grey(rgba: &[u8]) -> Vec<u8> {
    let pixels = rgba.as_chunks::<4>().0.iter();
    pixels.map(|&[r, g, b, _]| ((77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8) as u8).collect()
}

fn prefer_cards(look: impl FnOnce(&mut dyn FnMut(&[u8]) -> bool) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut other = None;
    let card = look(&mut |bytes| {
        let is_card = number_of(bytes).is_some();
        if !is_card && other.is_none() {
            other = Some(bytes.to_vec());
        }
        is_card
    });
    card.or(other)
}

impl Refused {
    const NO_ROOT: Self =
        Self { error: "no_root", message: "本机还没有登记。请打开联合会发给的登记链接" };
    const ROOT: Self =
        Self { error: "root_refused", message: "根公钥不合格，不能使用。请向联合会重新索取" };
    const USES: Self = Self { error: "uses", message: "本机的使用记录无法读取。请重新打开页面" };
}

impl From<BundleError> for Refused {
    fn from(error: BundleError) -> Self {
        Self { error: error.word(), message: error.advice() }
    }
}

impl From<RatchetError> for Refused {
    fn from(error: RatchetError) -> Self {
        Self { error: error.word(), message: error.advice() }
    }
}
