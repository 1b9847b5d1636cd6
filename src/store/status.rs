//! Status indexes: drawing free ones for new cards, and collecting those of cards that are not valid.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::domain::certificate::CertificateState;

use super::bulk::Statement;
use super::row::Columns;
use super::{KeyId, Reader, StoreError, Tx};

/// Entries of a status list.
pub const STATUS_LIST_SIZE: u32 = 1 << 20;
/// From how many cards on a list counts as full: 95 %, so that a random draw always needs few tries.
pub const STATUS_LIST_FULL: u32 = STATUS_LIST_SIZE / 20 * 19;

/// The status indexes under one key whose cards are not valid, each set in rising order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatuses {
    /// The issuing key.
    pub key: KeyId,
    /// Revoked cards.
    pub revoked: Vec<u32>,
    /// Suspended cards.
    pub suspended: Vec<u32>,
    /// Superseded cards.
    pub superseded: Vec<u32>,
}

impl Reader {
    /// How many cards a key has issued: the used part of its status list.
    pub async fn certificate_count(&mut self, key: KeyId) -> Result<u64, StoreError> {
        let query = sqlx::query("SELECT count(*) FROM certificate WHERE key_id = $1").bind(key.0);
        query.fetch_one(self.connection()).await?.number(0, "计数")
    }

    /// Which of these indexes a key has used.
    pub async fn used_indexes(&mut self, key: KeyId, indexes: &[u32]) -> Result<HashSet<u32>, StoreError> {
        // The key's number is ours; as text it serves both databases' list statement.
        let before = "SELECT status_index FROM certificate WHERE key_id = CAST({} AS BIGINT) AND status_index";
        let key = key.0.to_string();
        let rows =
            self.select_in_with(before, &[&key], indexes, "", |values, index| values.push(i64::from(*index))).await?;
        rows.iter().map(|row| row.number(0, "状态序号")).collect()
    }

    /// The indexes of every card that is not valid, by key in rising order. Keys all of whose cards are valid are left
    /// out; with `unexpired_at`, so are the cards whose time was over by then.
    pub async fn not_valid(&mut self, unexpired_at: Option<Timestamp>) -> Result<Vec<KeyStatuses>, StoreError> {
        let mut query = Statement::new("SELECT key_id, state, status_index FROM certificate WHERE state <> 'valid'");
        if let Some(moment) = unexpired_at {
            query.push(" AND expires_at >= ").bind(moment.as_second());
        }
        query.push(" ORDER BY key_id, state, status_index");
        let mut keys: Vec<KeyStatuses> = Vec::new();
        for row in query.fetch_all(self).await? {
            let key = KeyId(row.int(0)?);
            if keys.last().is_none_or(|last| last.key != key) {
                keys.push(KeyStatuses { key, revoked: Vec::new(), suspended: Vec::new(), superseded: Vec::new() });
            }
            let Some(last) = keys.last_mut() else { unreachable!("pushed above") };
            let set = match CertificateState::parse(row.str(1)?)? {
                CertificateState::Revoked => &mut last.revoked,
                CertificateState::Suspended => &mut last.suspended,
                CertificateState::Superseded => &mut last.superseded,
                CertificateState::Valid => return Err(StoreError::BadValue { what: "证件状态" }),
            };
            set.push(row.number(2, "状态序号")?);
        }
        Ok(keys)
    }
}

impl Tx {
    /// Draws `count` different free indexes of a key's list at random, so that neighbours say nothing of each other.
    /// They stay free until cards take them in this transaction. A list that would pass [`STATUS_LIST_FULL`] is
    /// [`StoreError::StatusListFull`].
    pub async fn draw_status_indexes(&mut self, key: KeyId, count: usize) -> Result<Vec<u32>, StoreError> {
        let used = self.certificate_count(key).await?;
        let (wanted, limit) = (count as u64, u64::from(STATUS_LIST_FULL));
        if used + wanted > limit {
            return Err(StoreError::StatusListFull { used, wanted, limit });
        }
        let mut drawn = Vec::with_capacity(count);
        let mut seen = HashSet::with_capacity(count);
        while drawn.len() < count {
            let mut random = vec![0; (count - drawn.len()) * 4];
            self.shared.entropy.fill(&mut random);
            let fresh: Vec<u32> = random
                .chunks_exact(4)
                .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) % STATUS_LIST_SIZE)
                .filter(|index| seen.insert(*index))
                .collect();
            let taken = if used == 0 { HashSet::new() } else { self.used_indexes(key, &fresh).await? };
            drawn.extend(fresh.into_iter().filter(|index| !taken.contains(index)));
        }
        Ok(drawn)
    }
}
