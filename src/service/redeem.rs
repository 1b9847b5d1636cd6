//! Uses of offers as partners' devices send them: each recorded once, whatever the card has become since.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use zyz_credential::{CertificateNumber, KeyId, OfferLimits};
use zyz_http::wire::{
    BatchResult, EntryOutcome, MAX_BATCH, Redemption, RedemptionBatch, RedemptionResult, ReversalResult, Standing,
};

use super::enrol::PartnerDevice;
use super::{Federation, ServiceError};
use crate::domain::redemption::{CardStanding, over_limit};
use crate::store::{KnownCard, Reader, Reversal, Tx, Use};

/// How far ahead of our clock a partner's may be, hours.
const AHEAD_HOURS: i64 = 24;
/// Longest id of an offer, characters.
const MAX_OFFER_ID: usize = 64;

/// Why a batch was not taken. Nothing of it was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// More than [`MAX_BATCH`] entries.
    #[error("一批最多 {MAX_BATCH} 条，请分批发送")]
    TooMany,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(RedeemError);

impl Federation {
    /// Records a batch of a device, all of it or nothing: uses first, then reversals. Sending it again changes nothing and
    /// gives the same answer, but for `repeated`.
    ///
    /// # Errors
    /// [`RedeemError`].
    pub async fn redeem(&self, device: &PartnerDevice, batch: &RedemptionBatch) -> Result<BatchResult, RedeemError> {
        if batch.redemptions.len() + batch.reversals.len() > MAX_BATCH {
            return Err(RedeemError::TooMany);
        }
        let mut tx = self.begin_as(&format!("device/{}", device.device)).await?;
        let mut intake = Intake::new(&mut tx, device, batch).await?;
        let uses: Vec<_> = batch.redemptions.iter().map(|entry| (entry.id, intake.take_use(entry))).collect();
        let mut reversals = Vec::with_capacity(batch.reversals.len());
        for entry in &batch.reversals {
            let outcome = intake.take_reversal(entry.id, entry.redemption, entry.reversed_at);
            reversals.push(ReversalResult { id: entry.id, outcome });
        }
        let over = intake.write(&mut tx).await?;
        tx.commit().await?;
        let redemptions = uses
            .into_iter()
            .map(|(id, outcome)| {
                let used = match outcome {
                    EntryOutcome::Recorded | EntryOutcome::Repeated => intake.uses.get(id.as_bytes()),
                    EntryOutcome::Conflict | EntryOutcome::Unmatched | EntryOutcome::Refused => None,
                };
                let over_limit = |used: &Use| over.get(&used.id).copied().unwrap_or(used.over_limit);
                RedemptionResult {
                    id,
                    outcome,
                    standing: used.map_or(Standing::Unknown, |used| wire_standing(used.standing)),
                    over_limit: used.is_some_and(over_limit),
                }
            })
            .collect();
        tracing::info!(partner = %device.partner, device = %device.device, uses = batch.redemptions.len(),
            reversals = batch.reversals.len(), "uses received");
        Ok(BatchResult { redemptions, reversals })
    }
}

/// A batch on its way in: what is known of its entries, and what becomes of them.
struct Intake<'d> {
    device: &'d PartnerDevice,
    /// The last moment by our clock that a partner's may show.
    latest: Timestamp,
    /// Known uses with the ids of the batch or its reversals, and those taken in.
    uses: HashMap<[u8; 16], Use>,
    reversals: HashMap<[u8; 16], Reversal>,
    /// Reversals that came before their use, by it.
    waiting: HashMap<[u8; 16], Vec<Reversal>>,
    cards: HashMap<String, Vec<KnownCard>>,
    new_uses: Vec<[u8; 16]>,
    new_reversals: Vec<[u8; 16]>,
    /// Older uses taken back by this batch.
    reversed: Vec<([u8; 16], Timestamp)>,
    matched: Vec<[u8; 16]>,
}

impl<'d> Intake<'d> {
    async fn new(tx: &mut Tx, device: &'d PartnerDevice, batch: &RedemptionBatch) -> Result<Self, RedeemError> {
        // Either kind of entry takes its id for both.
        let own = batch.redemptions.iter().map(|entry| entry.id).chain(batch.reversals.iter().map(|entry| entry.id));
        let own: Vec<_> = own.map(Uuid::into_bytes).collect();
        let meant = batch.reversals.iter().map(|entry| entry.redemption.into_bytes());
        let all = distinct(own.iter().copied().chain(meant));
        let numbers = distinct(batch.redemptions.iter().map(|entry| entry.number.clone()));
        let sent = distinct(batch.redemptions.iter().map(|entry| entry.id.into_bytes()));
        let mut cards: HashMap<_, Vec<_>> = HashMap::new();
        for card in tx.known_cards(&numbers).await? {
            cards.entry(card.number.clone()).or_default().push(card);
        }
        let mut waiting: HashMap<_, Vec<_>> = HashMap::new();
        for reversal in tx.waiting_reversals(device.partner, &sent).await? {
            waiting.entry(reversal.redemption).or_default().push(reversal);
        }
        Ok(Self {
            device,
            latest: tx.now().saturating_add(SignedDuration::from_hours(AHEAD_HOURS)).unwrap_or(Timestamp::MAX),
            uses: tx.uses(&all).await?.into_iter().map(|used| (used.id, used)).collect(),
            reversals: tx.reversals(&distinct(own)).await?.into_iter().map(|entry| (entry.id, entry)).collect(),
            waiting,
            cards,
            new_uses: Vec::new(),
            new_reversals: Vec::new(),
            reversed: Vec::new(),
            matched: Vec::new(),
        })
    }

    fn take_use(&mut self, entry: &Redemption) -> EntryOutcome {
        let Some(mut used) = self.well_formed(entry) else { return EntryOutcome::Refused };
        if let Some(known) = self.uses.get(&used.id) {
            return if same_use(known, &used) { EntryOutcome::Repeated } else { EntryOutcome::Conflict };
        }
        if self.reversals.contains_key(&used.id) {
            return EntryOutcome::Conflict;
        }
        used.standing = self.standing(&used);
        let waited = self.waiting.remove(&used.id).unwrap_or_default();
        used.reversed_at = waited.first().map(|reversal| reversal.reversed_at);
        self.matched.extend(waited.iter().map(|reversal| reversal.id));
        self.new_uses.push(used.id);
        self.uses.insert(used.id, used);
        EntryOutcome::Recorded
    }

    fn take_reversal(&mut self, id: Uuid, redemption: Uuid, at: Timestamp) -> EntryOutcome {
        let (Some(reversed_at), true) = (whole(at).filter(|at| *at <= self.latest), is_v7(id)) else {
            return EntryOutcome::Refused;
        };
        let mut reversal = Reversal {
            id: id.into_bytes(),
            partner: self.device.partner,
            device: self.device.device,
            redemption: redemption.into_bytes(),
            reversed_at,
            matched: false,
        };
        if let Some(known) = self.reversals.get(&reversal.id) {
            let same = known.partner == reversal.partner
                && known.redemption == reversal.redemption
                && known.reversed_at == reversal.reversed_at;
            return if same { EntryOutcome::Repeated } else { EntryOutcome::Conflict };
        }
        if self.uses.contains_key(&reversal.id) {
            return EntryOutcome::Conflict;
        }
        if let Some(used) = self.uses.get_mut(&reversal.redemption).filter(|used| used.partner == reversal.partner) {
            reversal.matched = true;
            if used.reversed_at.is_none() {
                used.reversed_at = Some(reversed_at);
                self.reversed.push((used.id, reversed_at));
            }
        }
        let outcome = if reversal.matched { EntryOutcome::Recorded } else { EntryOutcome::Unmatched };
        self.new_reversals.push(reversal.id);
        self.reversals.insert(reversal.id, reversal);
        outcome
    }

    /// Writes what is new; returns which uses of the holders concerned are over their limit.
    async fn write(&self, tx: &mut Tx) -> Result<HashMap<[u8; 16], bool>, RedeemError> {
        let uses: Vec<_> = self.new_uses.iter().filter_map(|id| self.uses.get(id).cloned()).collect();
        let reversals: Vec<_> = self.new_reversals.iter().filter_map(|id| self.reversals.get(id).cloned()).collect();
        tx.insert_uses(self.device.partner, self.device.device, &uses, &reversals).await?;
        for (id, at) in &self.reversed {
            tx.reverse_use(id, *at).await?;
        }
        tx.match_reversals(&self.matched).await?;
        let touched = self.new_uses.iter().chain(self.reversed.iter().map(|(id, _)| id));
        let numbers = distinct(touched.filter_map(|id| Some(self.uses.get(id)?.number.clone())));
        let over = over_limits(tx, self.device, &numbers).await?;
        for value in [false, true] {
            let changed: Vec<_> =
                over.iter().filter(|(_, (before, now))| before != now && *now == value).map(|(id, _)| *id).collect();
            tx.set_over_limit(&changed, value).await?;
        }
        Ok(over.into_iter().map(|(id, (_, now))| (id, now)).collect())
    }

    /// The entry as it is stored, if its parts have the right form. Its standing is not known yet.
    fn well_formed(&self, entry: &Redemption) -> Option<Use> {
        let offer = &entry.offer;
        let offer_good = (1..=MAX_OFFER_ID).contains(&offer.len()) && offer.bytes().all(|byte| byte.is_ascii_graphic());
        let redeemed_at = whole(entry.redeemed_at).filter(|at| *at <= self.latest)?;
        if !is_v7(entry.id) || !offer_good || i64::try_from(entry.bundle_version).is_err() {
            return None;
        }
        Some(Use {
            id: entry.id.into_bytes(),
            partner: self.device.partner,
            device: self.device.device,
            offer: offer.clone(),
            number: CertificateNumber::from_wire(&entry.number).ok()?.to_string(),
            kid: kid(&entry.key_id)?.0,
            card_issued_at: whole(entry.issued_at)?,
            redeemed_at,
            bundle_version: entry.bundle_version,
            standing: CardStanding::Unknown,
            over_limit: false,
            reversed_at: None,
        })
    }

    /// How the card stood that the use names. Two cards of one number issued in one second are not told apart: the newer
    /// one counts.
    fn standing(&self, used: &Use) -> CardStanding {
        let cards = self.cards.get(&used.number).map_or(&[][..], Vec::as_slice);
        let card =
            cards.iter().rev().find(|card| card.kid == used.kid && card.history.issued_at == used.card_issued_at);
        card.map_or(CardStanding::Unknown, |card| card.history.standing(used.redeemed_at))
    }
}

/// Of every use of these holders at the partner: whether it was and whether it is over its offer's limit.
async fn over_limits(
    reader: &mut Reader,
    device: &PartnerDevice,
    numbers: &[String],
) -> Result<HashMap<[u8; 16], (bool, bool)>, RedeemError> {
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let offers = reader.offers(Some(device.partner), true).await?;
    let limits: HashMap<_, _> = offers.into_iter().map(|row| (row.offer.id, row.offer.limits)).collect();
    let mut groups: BTreeMap<(String, String), Vec<Use>> = BTreeMap::new();
    let mut over = HashMap::new();
    for used in reader.uses_of_holders(device.partner, numbers).await? {
        if used.reversed_at.is_some() {
            over.insert(used.id, (used.over_limit, false));
        } else {
            groups.entry((used.number.clone(), used.offer.clone())).or_default().push(used);
        }
    }
    for ((_, offer), uses) in groups {
        let none = OfferLimits::default();
        let times: Vec<_> = uses.iter().map(|used| used.redeemed_at).collect();
        let now = over_limit(limits.get(&offer).unwrap_or(&none), &times);
        over.extend(uses.iter().zip(now).map(|(used, now)| (used.id, (used.over_limit, now))));
    }
    Ok(over)
}

/// The word of a standing for people.
pub(super) fn standing_word(standing: Standing) -> &'static str {
    let known = CardStanding::ALL.into_iter().find(|known| wire_standing(*known) == standing);
    known.map_or("", CardStanding::label)
}

fn wire_standing(standing: CardStanding) -> Standing {
    match standing {
        CardStanding::Valid => Standing::Valid,
        CardStanding::Revoked => Standing::Revoked,
        CardStanding::Suspended => Standing::Suspended,
        CardStanding::Superseded => Standing::Superseded,
        CardStanding::Expired => Standing::Expired,
        CardStanding::Unknown => Standing::Unknown,
    }
}

/// Whether two entries say the same. Which device of the partner sent it does not matter: a till may be replaced while its
/// queue is saved.
fn same_use(known: &Use, sent: &Use) -> bool {
    let said = |used: &Use| (used.partner, used.kid, used.card_issued_at, used.redeemed_at, used.bundle_version);
    said(known) == said(sent) && known.offer == sent.offer && known.number == sent.number
}

/// To the second, as everything is stored.
fn whole(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(at.as_second()).ok()
}

fn is_v7(id: Uuid) -> bool {
    id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122
}

fn kid(text: &str) -> Option<KeyId> {
    let lower = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let bytes = hex::decode(text).ok().filter(|_| lower)?;
    bytes.try_into().ok().map(KeyId)
}

fn distinct<T: std::hash::Hash + Eq + Clone>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.into_iter().filter(|item| seen.insert(item.clone())).collect()
}
