//! Uses of offers and their reversals as partners sent them, and what is known of the cards they were given on.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::certificate::CertificateState;
use crate::domain::partner::{DeviceId, PartnerId};
use crate::domain::redemption::{CardHistory, CardStanding};

use super::audit::BatchHash;
use super::bulk::{Insert, Statement};
use super::partner::object;
use super::row::Columns;
use super::{KeyState, Reader, StoreError, Tx};

/// A use of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Made by the partner (a UUID).
    pub id: [u8; 16],
    /// Where it was given.
    pub partner: PartnerId,
    /// Which device sent it.
    pub device: DeviceId,
    /// The offer's id, as the partner sent it.
    pub offer: String,
    /// Certificate number.
    pub number: String,
    /// Key id of the card.
    pub kid: [u8; 4],
    /// When the card was issued.
    pub card_issued_at: Timestamp,
    /// When the offer was given, by the partner's clock.
    pub redeemed_at: Timestamp,
    /// Version of the bundle it was judged by.
    pub bundle_version: u64,
    /// How the card stood then.
    pub standing: CardStanding,
    /// Whether it was one use too many.
    pub over_limit: bool,
    /// When it was taken back, by the partner's clock.
    pub reversed_at: Option<Timestamp>,
}

/// A use taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// Made by the partner (a UUID).
    pub id: [u8; 16],
    /// Where.
    pub partner: PartnerId,
    /// Which device sent it.
    pub device: DeviceId,
    /// Which use.
    pub redemption: [u8; 16],
    /// When, by the partner's clock.
    pub reversed_at: Timestamp,
    /// Whether that use has come.
    pub matched: bool,
}

/// A card as a use names it, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCard {
    /// Certificate number.
    pub number: String,
    /// Key id.
    pub kid: [u8; 4],
    /// What became of it.
    pub history: CardHistory,
}

/// How many uses of one offer there are on cards of one standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The offer's id, as the partner sent it.
    pub offer: String,
    /// How the cards stood.
    pub standing: CardStanding,
    /// Uses not taken back.
    pub uses: u64,
    /// Of these, over the limit.
    pub over_limit: u64,
    /// Uses taken back.
    pub reversed: u64,
}

const INSERT: Insert = Insert {
    table: "redemption",
    columns: &[
        "id",
        "partner_id",
        "device_id",
        "offer",
        "number",
        "kid",
        "card_issued_at",
        "redeemed_at",
        "bundle_version",
        "standing",
        "over_limit",
        "reversed_at",
        "received_at",
    ],
    fixed: &[],
    conflict: "",
};

const INSERT_REVERSAL: Insert = Insert {
    table: "reversal",
    columns: &["id", "partner_id", "device_id", "redemption_id", "reversed_at", "matched", "received_at"],
    fixed: &[],
    conflict: "",
};

impl Reader {
    /// Those of these uses that are known, whosever they are.
    pub async fn uses(&mut self, ids: &[[u8; 16]]) -> Result<Vec<Use>, StoreError> {
        let sql = "SELECT id, partner_id, device_id, offer, number, kid, card_issued_at, redeemed_at, bundle_version, \
                   standing, over_limit, reversed_at FROM redemption WHERE id";
        let rows = self.select_in(sql, ids, "", |values, id| values.push(&id[..])).await?;
        rows.iter().map(used).collect()
    }

    /// All uses at a partner on cards of these numbers, in the order in which they were given.
    pub async fn uses_of_holders(&mut self, partner: PartnerId, numbers: &[String]) -> Result<Vec<Use>, StoreError> {
        let partner = partner.0.to_string();
        let sql = "SELECT id, partner_id, device_id, offer, number, kid, card_issued_at, redeemed_at, bundle_version, \
                   standing, over_limit, reversed_at FROM redemption WHERE partner_id = CAST({} AS BIGINT) AND number";
        let rows =
            self.select_in_with(sql, &[&partner], numbers, "", |values, number| values.push(number.as_str())).await?;
        let mut uses = rows.iter().map(used).collect::<Result<Vec<_>, _>>()?;
        uses.sort_by_key(|used| (used.redeemed_at, used.id));
        Ok(uses)
    }

    /// Those of these reversals that are known, whosever they are.
    pub async fn reversals(&mut self, ids: &[[u8; 16]]) -> Result<Vec<Reversal>, StoreError> {
        let sql = "SELECT id, partner_id, device_id, redemption_id, reversed_at, matched FROM reversal WHERE id";
        let rows = self.select_in(sql, ids, "", |values, id| values.push(&id[..])).await?;
        rows.iter().map(reversal).collect()
    }

    /// Reversals at a partner that came before the uses with these ids, earliest first.
    pub async fn waiting_reversals(
        &mut self,
        partner: PartnerId,
        redemptions: &[[u8; 16]],
    ) -> Result<Vec<Reversal>, StoreError> {
        let partner = partner.0.to_string();
        let sql = "SELECT id, partner_id, device_id, redemption_id, reversed_at, matched FROM reversal \
                   WHERE matched = 0 AND partner_id = CAST({} AS BIGINT) AND redemption_id";
        let rows = self.select_in_with(sql, &[&partner], redemptions, "", |values, id| values.push(&id[..])).await?;
        let mut found = rows.iter().map(reversal).collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|reversal| (reversal.reversed_at, reversal.id));
        Ok(found)
    }

    /// How many reversals at a partner wait for their use.
    pub async fn waiting_reversal_count(&mut self, partner: PartnerId) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM reversal WHERE matched = 0 AND partner_id = $1";
        sqlx::query(sql).bind(partner.0).fetch_one(self.connection()).await?.number(0, "计数")
    }

    /// Every card of these numbers with what became of it, oldest first. The changes are those of the audit trail, which is
    /// the one place that keeps all of them.
    pub async fn known_cards(&mut self, numbers: &[String]) -> Result<Vec<KnownCard>, StoreError> {
        let sql = "SELECT c.id, v.number, k.kid, c.issued_at, c.expires_at, c.state, c.state_changed_at, k.state, \
                   k.state_changed_at FROM volunteer v JOIN certificate c ON c.volunteer_id = v.id \
                   JOIN signing_key k ON k.id = c.key_id WHERE v.number";
        let rows = self.select_in(sql, numbers, "", |values, number| values.push(number.as_str())).await?;
        let mut cards = BTreeMap::new();
        let mut changed = HashMap::new();
        for row in &rows {
            let id = row.int(0)?;
            let number = row.text(1)?;
            let compromised = KeyState::parse(row.str(7)?)? == KeyState::Compromised;
            let history = CardHistory {
                issued_at: row.moment(3)?,
                expires_at: row.moment(4)?,
                changes: Vec::new(),
                key_compromised_at: if compromised { Some(row.moment(8)?) } else { None },
            };
            let never =
                CertificateState::parse(row.str(5)?)? == CertificateState::Valid && row.moment(6)? == history.issued_at;
            if !never {
                changed.insert(format!("certificate/{number}#{id}"), id);
            }
            cards.insert(id, KnownCard { number, kid: row.array(2, "密钥编号")?, history });
        }
        let objects: Vec<_> = changed.keys().collect();
        let sql = "SELECT object, at, action, seq FROM audit_event WHERE object";
        let rows = self.select_in(sql, &objects, "", |values, object| values.push(object.as_str())).await?;
        let mut events = rows.iter().map(|row| Ok((row.int(3)?, row))).collect::<Result<Vec<_>, StoreError>>()?;
        events.sort_by_key(|(seq, _)| *seq);
        for (_, row) in events {
            let state = match row.str(2)? {
                "certificate.resume" => CertificateState::Valid,
                "certificate.revoke" => CertificateState::Revoked,
                "certificate.suspend" => CertificateState::Suspended,
                "certificate.supersede" => CertificateState::Superseded,
                _ => continue,
            };
            if let Some(card) = changed.get(row.str(0)?).and_then(|id| cards.get_mut(id)) {
                card.history.changes.push((row.moment(1)?, state));
            }
        }
        Ok(cards.into_values().collect())
    }

    /// What was given at a partner from `from` until before `to`, by offer and standing.
    pub async fn usage(
        &mut self,
        partner: PartnerId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Vec<UsageRow>, StoreError> {
        let mut query = Statement::new(
            "SELECT offer, standing, \
             CAST(sum(CASE WHEN reversed_at IS NULL THEN 1 ELSE 0 END) AS BIGINT), \
             CAST(sum(CASE WHEN reversed_at IS NULL THEN over_limit ELSE 0 END) AS BIGINT), \
             CAST(sum(CASE WHEN reversed_at IS NULL THEN 0 ELSE 1 END) AS BIGINT) \
             FROM redemption WHERE partner_id = ",
        );
        query.bind(partner.0);
        if let Some(from) = from {
            query.push(" AND redeemed_at >= ").bind(from.as_second());
        }
        if let Some(to) = to {
            query.push(" AND redeemed_at < ").bind(to.as_second());
        }
        query.push(" GROUP BY offer, standing");
        let rows = query.fetch_all(self).await?;
        let mut rows = rows
            .iter()
            .map(|row| {
                Ok(UsageRow {
                    offer: row.text(0)?,
                    standing: CardStanding::parse(row.str(1)?)?,
                    uses: row.number(2, "计数")?,
                    over_limit: row.number(3, "计数")?,
                    reversed: row.number(4, "计数")?,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        // Here and not in the statement: the two databases order text differently.
        rows.sort_by(|a, b| (&a.offer, a.standing).cmp(&(&b.offer, b.standing)));
        Ok(rows)
    }
}

impl Tx {
    /// Keeps uses and reversals of one batch (`redemption.batch`, one event with a SHA-256 over their ids, in order). An id
    /// that is taken is [`StoreError::Duplicate`]. Does nothing if there is nothing.
    pub async fn insert_uses(
        &mut self,
        partner: PartnerId,
        device: DeviceId,
        uses: &[Use],
        reversals: &[Reversal],
    ) -> Result<(), StoreError> {
        if uses.is_empty() && reversals.is_empty() {
            return Ok(());
        }
        let now = self.now.as_second();
        self.insert_all(&INSERT, uses, |values, used| {
            values.push(&used.id[..]);
            values.push(used.partner.0);
            values.push(used.device.0);
            values.push(used.offer.as_str());
            values.push(used.number.as_str());
            values.push(&used.kid[..]);
            values.push(used.card_issued_at.as_second());
            values.push(used.redeemed_at.as_second());
            values.push(used.bundle_version as i64);
            values.push(used.standing.as_str());
            values.push(i64::from(used.over_limit));
            values.push(used.reversed_at.map(Timestamp::as_second));
            values.push(now);
        })
        .await?;
        self.insert_all(&INSERT_REVERSAL, reversals, |values, reversal| {
            values.push(&reversal.id[..]);
            values.push(reversal.partner.0);
            values.push(reversal.device.0);
            values.push(&reversal.redemption[..]);
            values.push(reversal.reversed_at.as_second());
            values.push(i64::from(reversal.matched));
            values.push(now);
        })
        .await?;
        let mut hash = BatchHash::default();
        uses.iter().map(|used| used.id).chain(reversals.iter().map(|reversal| reversal.id)).for_each(|id| {
            hash.add_bytes(&id);
        });
        let detail = json!({
            "device": device.0, "redemptions": uses.len(), "reversals": reversals.len(), "ids_sha256": hash.hex(),
        });
        self.audit("redemption.batch", object(partner), detail);
        Ok(())
    }

    /// Takes a use back at a moment, unless it was before; part of a batch. Reversals that waited for it have found it.
    pub async fn reverse_use(&mut self, id: &[u8; 16], at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE redemption SET reversed_at = $1 WHERE id = $2 AND reversed_at IS NULL")
            .bind(at.as_second())
            .bind(&id[..])
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes that waiting reversals have found their uses; part of a batch.
    pub async fn match_reversals(&mut self, ids: &[[u8; 16]]) -> Result<(), StoreError> {
        let sql = "UPDATE reversal SET matched = 1 WHERE id";
        self.change_in_with(sql, &[], ids, "", |values, id| values.push(&id[..])).await?;
        Ok(())
    }

    /// Notes which uses are over their limit, or no longer; part of a batch.
    pub async fn set_over_limit(&mut self, ids: &[[u8; 16]], over: bool) -> Result<(), StoreError> {
        let sql = if over {
            "UPDATE redemption SET over_limit = 1 WHERE id"
        } else {
            "UPDATE redemption SET over_limit = 0 WHERE id"
        };
        self.change_in_with(sql, &[], ids, "", |values, id| values.push(&id[..])).await?;
        Ok(())
    }
}

fn used(row: &AnyRow) -> Result<Use, StoreError> {
    Ok(Use {
        id: row.array(0, "使用记录编号")?,
        partner: PartnerId(row.int(1)?),
        device: DeviceId(row.int(2)?),
        offer: row.text(3)?,
        number: row.text(4)?,
        kid: row.array(5, "密钥编号")?,
        card_issued_at: row.moment(6)?,
        redeemed_at: row.moment(7)?,
        bundle_version: row.number(8, "版本号")?,
        standing: CardStanding::parse(row.str(9)?)?,
        over_limit: row.yes(10)?,
        reversed_at: row.moment_or_null(11)?,
    })
}

fn reversal(row: &AnyRow) -> Result<Reversal, StoreError> {
    Ok(Reversal {
        id: row.array(0, "撤销记录编号")?,
        partner: PartnerId(row.int(1)?),
        device: DeviceId(row.int(2)?),
        redemption: row.array(3, "使用记录编号")?,
        reversed_at: row.moment(4)?,
        matched: row.yes(5)?,
    })
}
