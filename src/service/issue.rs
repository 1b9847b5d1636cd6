//! Signing cards: a thousand a transaction, each checked by the verifier's own judgement before it is kept.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use jiff::civil::date;
use serde::Serialize;
use zyz_credential::{
    Bundle, CertificateNumber, Claims, Holder, KeyId, ListStatus, Outcome, StatusSet, Thumbprint, TrustList,
    TrustState, code_text, judge, sign_credential,
};

use super::publish::{active, later, signed};
use super::{Federation, Progress, Selection, ServiceError, seconds};
use crate::clock::{beijing, beijing_date};
use crate::domain::certificate::{CertificateState, Reason, VolunteerState};
use crate::keystore::KeyName;
use crate::store::{
    self, CertificateId, Chosen, ChosenCard, KeyRole, KeyState, ListEntry, LiveCertificate, NewCertificate,
    ReissueWhen, SigningKey as KeyRow, Tx, VolunteerId,
};

/// Cards signed in one transaction: a second's work at the most, so that other writers wait no longer.
const BATCH: u32 = 1000;

/// Whom to issue to.
#[derive(Debug)]
pub struct IssueRequest {
    /// Among whom.
    pub selection: Selection,
    /// Also replace valid cards whose star has changed or whose key is compromised; for named numbers, any valid card.
    pub reissue: bool,
}

/// What was issued.
#[derive(Debug, Default, Serialize)]
pub struct Issued {
    /// Certificate numbers, in the order of issue.
    pub issued: Vec<String>,
    /// How many of them replace an older card.
    pub replaced: usize,
    /// Whether it was stopped before the end.
    pub interrupted: bool,
    /// How many are left then.
    pub remaining: u64,
}

/// What signing a part of a list came to.
#[derive(Debug, Default)]
pub(super) struct Signed {
    /// Cards signed now.
    pub cards: u64,
    /// How many of them replace an older one.
    pub replaced: u64,
    /// Signed before, by an attempt that did not come to its end.
    pub before: u64,
    /// Passed over, because the person or the card is no longer what it was.
    pub skipped: u64,
}

/// A card about to be signed.
struct Order {
    volunteer: VolunteerId,
    number: String,
    name: String,
    star: u8,
}

/// Everything the signing of a batch needs, opened once.
pub(super) struct Bench {
    key: SigningKey,
    row: KeyRow,
    trust: TrustState,
}

impl Bench {
    /// Whether its key is still the one that signs: another process may have rotated it, and partners refuse what a
    /// retired key signs afterwards. Within `tx` that cannot change.
    async fn still_signs(&self, tx: &mut Tx) -> Result<bool, ServiceError> {
        Ok(tx.active_key(KeyRole::Issuing).await?.is_some_and(|key| key.id == self.row.id))
    }
}

impl Federation {
    /// Issues a card to everybody selected who has none or an expired one; with `reissue` replaces those out of date.
    /// `stop` set from elsewhere ends it after the present transaction. Suspended cards are left alone.
    ///
    /// # Errors
    /// A named volunteer is unknown or has left; no active key; a full status list (rotate the key and go on); a card
    /// that the verifier's own function does not accept. What earlier transactions issued is kept.
    pub async fn issue(
        &self,
        request: IssueRequest,
        stop: &AtomicBool,
        progress: Progress<'_>,
    ) -> Result<Issued, ServiceError> {
        let selection = self.whose(&request.selection).await?;
        let when = ReissueWhen {
            any: request.reissue && matches!(request.selection, Selection::Numbers(_)),
            star_changed: request.reissue,
            key_compromised: request.reissue,
            expires_before: Some(self.now()),
        };
        let mut bench = self.bench(self.now()).await?;
        let mut done = Issued::default();
        let mut total = self.store.read().await?.issue_count(&selection).await?;
        progress(0, total);
        // Replacements first. The cursor goes on to the cards just issued: a number is replaced once only.
        let mut after = None;
        let mut replaced = HashSet::new();
        loop {
            if stop.load(Ordering::Relaxed) {
                done.interrupted = true;
                break;
            }
            let mut tx = self.begin().await?;
            if !bench.still_signs(&mut tx).await? {
                drop(tx);
                bench = self.bench(self.now()).await?;
                continue;
            }
            let page = tx.live_certificates(&selection, when, after, BATCH).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let cards: Vec<_> = page
                .into_iter()
                .filter(|card| card.state == CertificateState::Valid && replaced.insert(card.volunteer))
                .collect();
            if cards.is_empty() {
                continue;
            }
            total += cards.len() as u64;
            self.replace_batch(&mut tx, &bench, cards, when, &mut done).await?;
            tx.commit().await?;
            progress(done.issued.len() as u64, total);
        }
        while !done.interrupted {
            if stop.load(Ordering::Relaxed) {
                done.interrupted = true;
                break;
            }
            let mut tx = self.begin().await?;
            if !bench.still_signs(&mut tx).await? {
                drop(tx);
                bench = self.bench(self.now()).await?;
                continue;
            }
            let page = tx.issue_candidates(&selection, None, BATCH).await?;
            if page.is_empty() {
                break;
            }
            let orders: Vec<_> = page
                .into_iter()
                .map(|who| Order { volunteer: who.volunteer, number: who.number, name: who.name, star: who.star })
                .collect();
            let numbers = self.sign_batch(&mut tx, &bench, orders).await?;
            tx.commit().await?;
            done.issued.extend(numbers);
            progress(done.issued.len() as u64, total.max(done.issued.len() as u64));
        }
        if !done.issued.is_empty() {
            self.store.refresh_statistics().await?;
        }
        if done.interrupted {
            done.remaining = self.store.read().await?.issue_count(&selection).await?;
        }
        Ok(done)
    }

    /// Signs for a thousand or so entries of a frozen list in one transaction: a new card for whoever had none then and
    /// has none now, a successor for whoever still has the card that was live then. Everybody else is passed over, so that
    /// doing it again changes nothing. `bench` is opened when it is needed and kept for the next part.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub(super) async fn issue_entries(
        &self,
        bench: &mut Option<Bench>,
        entries: &[ListEntry],
        reason: Option<Reason>,
    ) -> Result<Signed, ServiceError> {
        loop {
            let now = self.now();
            let opened = match bench.take() {
                Some(opened) => opened,
                None => self.bench(now).await?,
            };
            let mut tx = self.begin().await?;
            if !opened.still_signs(&mut tx).await? {
                continue;
            }
            let ids: Vec<_> = entries.iter().map(|(volunteer, _)| *volunteer).collect();
            let people: std::collections::HashMap<_, _> =
                tx.chosen_by_key(&ids).await?.into_iter().map(|person| (person.volunteer, person)).collect();
            let (mut orders, mut old, mut signed) = (Vec::new(), Vec::new(), Signed::default());
            for (volunteer, frozen) in entries {
                let person = people.get(volunteer).filter(|person| person.state == VolunteerState::Active);
                match (person, person.and_then(|person| person.card.as_ref()), frozen) {
                    (Some(person), None, None) => orders.push(order(person)),
                    (Some(person), Some(card), Some(then))
                        if card.id == *then && card.state == CertificateState::Valid =>
                    {
                        old.push((card.id, reason.unwrap_or_else(|| why_chosen(person, card, tx.now()))));
                        orders.push(order(person));
                    }
                    // The card is newer than the list: signed by an attempt before this one.
                    (Some(_), Some(card), _) if frozen.is_none_or(|then| card.id > then) => signed.before += 1,
                    _ => signed.skipped += 1,
                }
            }
            for reason in Reason::ALL {
                let ids: Vec<_> = old.iter().filter(|(_, why)| *why == reason).map(|(id, _)| *id).collect();
                if !ids.is_empty() {
                    tx.supersede_certificates(&ids, reason).await?;
                }
            }
            signed.replaced = old.len() as u64;
            if !orders.is_empty() {
                signed.cards = self.sign_batch(&mut tx, &opened, orders).await?.len() as u64;
                tx.commit().await?;
            }
            *bench = Some(opened);
            return Ok(signed);
        }
    }

    /// Supersedes one card for `reason` and signs its successor in the same transaction.
    pub(super) async fn replace_one(
        &self,
        tx: &mut Tx,
        card: LiveCertificate,
        reason: Reason,
    ) -> Result<(), ServiceError> {
        let bench = self.bench(tx.now()).await?;
        tx.supersede_certificates(&[card.id], reason).await?;
        let order = Order { volunteer: card.volunteer, number: card.number, name: card.name, star: card.star };
        self.sign_batch(tx, &bench, vec![order]).await?;
        Ok(())
    }

    async fn replace_batch(
        &self,
        tx: &mut Tx,
        bench: &Bench,
        cards: Vec<LiveCertificate>,
        when: ReissueWhen,
        done: &mut Issued,
    ) -> Result<(), ServiceError> {
        for reason in [Reason::KeyCompromised, Reason::StarChanged, Reason::Expired, Reason::Reissue] {
            let ids: Vec<CertificateId> =
                cards.iter().filter(|card| why(card, when) == reason).map(|card| card.id).collect();
            if !ids.is_empty() {
                tx.supersede_certificates(&ids, reason).await?;
            }
        }
        let orders: Vec<_> = cards
            .into_iter()
            .map(|card| Order { volunteer: card.volunteer, number: card.number, name: card.name, star: card.star })
            .collect();
        done.replaced += orders.len();
        done.issued.extend(self.sign_batch(tx, bench, orders).await?);
        Ok(())
    }

    /// Signs, checks and inserts; returns the numbers.
    async fn sign_batch(&self, tx: &mut Tx, bench: &Bench, orders: Vec<Order>) -> Result<Vec<String>, ServiceError> {
        let now = tx.now();
        let expires_at = self.expiry(now)?;
        let indexes = tx.draw_status_indexes(bench.row.id, orders.len()).await?;
        let pairs: Vec<(Order, u32)> = orders.into_iter().zip(indexes).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = pairs.len().div_ceil(cores).max(1);
        let signed: Vec<Result<Vec<NewCertificate>, ServiceError>> = std::thread::scope(|scope| {
            let workers: Vec<_> = pairs
                .chunks(share)
                .map(|part| {
                    scope.spawn(move || {
                        part.iter().map(|(order, index)| self.sign(bench, order, *index, now, expires_at)).collect()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or(Err(ServiceError::Aborted))).collect()
        });
        let mut cards = Vec::with_capacity(pairs.len());
        for part in signed {
            cards.extend(part?);
        }
        tx.insert_certificates(&cards).await?;
        Ok(cards.into_iter().map(|card| card.number).collect())
    }

    fn sign(
        &self,
        bench: &Bench,
        order: &Order,
        status_index: u32,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<NewCertificate, ServiceError> {
        let number = number_of(&order.number)?;
        let holder = match self.config.card.holder {
            true => Some(Holder::masked(&order.name).map_err(|e| signed("姓名", e))?),
            false => None,
        };
        let masked = holder.as_ref().map(ToString::to_string);
        let claims = Claims {
            number,
            star: order.star,
            status: status_index,
            holder,
            issued_at: seconds(now),
            expires_at: seconds(expires_at),
        };
        let code = sign_credential(&claims, &bench.key).map_err(|e| signed("证件", e))?;
        let text = code_text(&self.config.public_url, &code);
        let verdict = judge(&text, &bench.trust, seconds(now), None);
        let same = verdict.certificate.as_ref().is_some_and(|card| card.number == number && card.star == order.star);
        if verdict.verdict != Outcome::Accept || !same {
            return Err(ServiceError::SelfCheck { number: number.grouped(), reason: verdict.message.into_owned() });
        }
        Ok(NewCertificate {
            volunteer: order.volunteer,
            number: order.number.clone(),
            key: bench.row.id,
            status_index,
            star: order.star,
            holder: masked,
            issued_at: now,
            expires_at,
            code,
        })
    }

    /// Opens the signing key and the trust a partner would have: the present trust list, in a bundle without revocations
    /// that is made for this check and thrown away. `now` must not lie after the moment of the transaction that signs:
    /// a card older than the newest signed time would be judged with suspicion.
    async fn bench(&self, now: Timestamp) -> Result<Bench, ServiceError> {
        let mut reader = self.store.read().await?;
        let keys = reader.signing_keys(None).await?;
        let row = active(&keys, KeyRole::Issuing)?.clone();
        let bundle_row = active(&keys, KeyRole::Bundle)?;
        let names = [KeyName::Issuing(KeyId(row.kid)), KeyName::Bundle(KeyId(bundle_row.kid))];
        let opened = self.folder.unlock(&names, &self.passphrase)?;
        let key = opened.issuing(KeyId(row.kid)).ok_or(ServiceError::Aborted)?.clone();
        let bundle_key = opened.bundle(KeyId(bundle_row.kid)).ok_or(ServiceError::Aborted)?;
        let body = reader.latest_trust_list().await?.ok_or(ServiceError::NoTrustList)?.body;
        let root = self.root_public(&mut reader).await?;
        let list = TrustList::open(&body, &root).map_err(|e| signed("信任列表", e))?;
        let empty = || StatusSet::from_sorted(Vec::new()).map_err(|e| signed("状态集", e));
        let mut lists = Vec::new();
        for entry in &keys {
            if entry.role == KeyRole::Issuing && entry.state != KeyState::Compromised {
                lists.push(ListStatus {
                    issuing_key: Thumbprint::of(&entry.public_key),
                    revoked: empty()?,
                    suspended: empty()?,
                    superseded: empty()?,
                });
            }
        }
        lists.sort_by_key(|list| list.issuing_key);
        let bundle = Bundle {
            version: 1,
            issued_at: seconds(now).max(list.issued_at),
            expires_at: seconds(later(now, 1, 24)).max(list.issued_at + 86_400),
            trust_list: body,
            lists,
            offers: Vec::new(),
        };
        let bytes = bundle.sign(bundle_key).map_err(|e| signed("数据包", e))?;
        let mut trust = TrustState::new(root.as_bytes()).map_err(|e| signed("根公钥", e))?;
        trust.accept(&bytes).map_err(|e| signed("数据包", e))?;
        Ok(Bench { key, row, trust })
    }

    /// The last second of the year of issue plus the configured years, in Beijing.
    pub(super) fn expiry(&self, now: Timestamp) -> Result<Timestamp, ServiceError> {
        let year = beijing_date(now).year() + i16::from(self.config.card.valid_years);
        let last = date(year, 12, 31).at(23, 59, 59, 0);
        beijing().to_timestamp(last).map_err(|e| signed("有效期", e))
    }

    /// The selection as the database knows it; each named volunteer must exist and be active.
    pub(super) async fn whose(&self, selection: &Selection) -> Result<store::Selection, ServiceError> {
        let mut reader = self.store.read().await?;
        match selection {
            Selection::All | Selection::Unprinted => Ok(store::Selection::All),
            Selection::Unit(name) => Ok(store::Selection::Unit(self.unit_named(&mut reader, name).await?.id)),
            Selection::Numbers(numbers) => {
                for number in numbers {
                    self.active_volunteer(&mut reader, *number).await?;
                }
                Ok(store::Selection::Numbers(numbers.iter().map(ToString::to_string).collect()))
            }
        }
    }
}

/// A number from the database, where only numbers of ours stand.
pub(super) fn number_of(text: &str) -> Result<CertificateNumber, ServiceError> {
    CertificateNumber::parse(text).map_err(|e| signed("证书编号", e))
}

fn order(person: &Chosen) -> Order {
    Order { volunteer: person.volunteer, number: person.number.clone(), name: person.name.clone(), star: person.star }
}

/// As [`why`], for a card of a list; one that is renewed before its end counts as expired.
fn why_chosen(person: &Chosen, card: &ChosenCard, now: Timestamp) -> Reason {
    const RENEWED: jiff::SignedDuration = jiff::SignedDuration::from_hours(60 * 24);
    if card.key_state == KeyState::Compromised {
        Reason::KeyCompromised
    } else if card.star != person.star {
        Reason::StarChanged
    } else if card.expires_at < now + RENEWED {
        Reason::Expired
    } else {
        Reason::Reissue
    }
}

/// Why a card is replaced, the gravest reason first.
fn why(card: &LiveCertificate, when: ReissueWhen) -> Reason {
    if card.key_state == KeyState::Compromised && when.key_compromised {
        Reason::KeyCompromised
    } else if card.star_on_card != card.star && when.star_changed {
        Reason::StarChanged
    } else if when.expires_before.is_some_and(|moment| card.expires_at < moment) {
        Reason::Expired
    } else {
        Reason::Reissue
    }
}
