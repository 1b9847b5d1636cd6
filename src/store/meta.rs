//! Small facts by name, the mark of the data keys, and counts for the doctor.

use jiff::Timestamp;
use serde_json::json;

use crate::domain::certificate::{CertificateState, VolunteerState};

use super::row::Columns;
use super::sealed::Place;
use super::{Reader, Store, StoreError, Tx};

/// Under this name stands a sealed text, and after it the blind index of another: who opens the one and makes the other
/// has the right keys.
const KEY_MARK: &str = "key_mark";
const KEY_MARK_PLACE: Place = Place { table: "meta", column: KEY_MARK, row: 0 };
const KEY_MARK_TEXT: &str = "zyz";

/// How much of everything there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Units.
    pub units: u64,
    /// Volunteers who have not left.
    pub volunteers_active: u64,
    /// Volunteers who have.
    pub volunteers_exited: u64,
    /// Cards by state, in the order of [`CertificateState::ALL`], expired ones included.
    pub certificates: [u64; 4],
    /// Valid cards never printed.
    pub unprinted: u64,
    /// Valid or suspended cards whose time was over at the moment asked about.
    pub expired: u64,
    /// Valid or suspended cards that expire after that moment and before the second one.
    pub expiring: u64,
    /// Service records.
    pub service_records: u64,
    /// Imports.
    pub imports: u64,
    /// Audit events.
    pub audit_events: u64,
}

impl Reader {
    /// The bytes kept under `name`.
    pub async fn meta(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(name);
        let row = query.fetch_optional(self.connection()).await?;
        row.map(|row| row.bytes(0).map(<[u8]>::to_vec)).transpose()
    }

    /// Counts for the doctor, with cards expired at `now` and expiring before `soon`.
    pub async fn counts(&mut self, now: Timestamp, soon: Timestamp) -> Result<Counts, StoreError> {
        let mut counts = Counts {
            units: self.count("SELECT count(*) FROM unit").await?,
            service_records: self.count("SELECT count(*) FROM service_record").await?,
            imports: self.count("SELECT count(*) FROM import").await?,
            audit_events: self.audit_head().await?.0 as u64,
            ..Counts::default()
        };
        let rows =
            sqlx::query("SELECT state, count(*) FROM volunteer GROUP BY state").fetch_all(self.connection()).await?;
        for row in rows {
            match VolunteerState::parse(row.str(0)?)? {
                VolunteerState::Active => counts.volunteers_active = row.number(1, "计数")?,
                VolunteerState::Exited => counts.volunteers_exited = row.number(1, "计数")?,
            }
        }
        let sql = "SELECT state, count(*), \
                   CAST(sum(CASE WHEN printed_at IS NULL THEN 1 ELSE 0 END) AS BIGINT), \
                   CAST(sum(CASE WHEN expires_at < $1 THEN 1 ELSE 0 END) AS BIGINT), \
                   CAST(sum(CASE WHEN expires_at >= $1 AND expires_at < $2 THEN 1 ELSE 0 END) AS BIGINT) \
                   FROM certificate GROUP BY state";
        let query = sqlx::query(sql).bind(now.as_second()).bind(soon.as_second());
        for row in query.fetch_all(self.connection()).await? {
            let state = CertificateState::parse(row.str(0)?)?;
            counts.certificates[usize::from(state.status_value())] = row.number(1, "计数")?;
            if state == CertificateState::Valid {
                counts.unprinted = row.number(2, "计数")?;
            }
            if state.is_live() {
                counts.expired += row.number::<u64>(3, "计数")?;
                counts.expiring += row.number::<u64>(4, "计数")?;
            }
        }
        Ok(counts)
    }

    /// Asks the database to look for damage in itself; an empty answer is good. PostgreSQL has no such question.
    pub async fn integrity_problems(&mut self) -> Result<Vec<String>, StoreError> {
        let Some(question) = self.shared.dialect.integrity_check() else { return Ok(Vec::new()) };
        let rows = sqlx::query(question).fetch_all(self.connection()).await?;
        let answers: Result<Vec<_>, _> = rows.iter().map(|row| row.text(0)).collect();
        Ok(answers?.into_iter().filter(|answer| answer != "ok").collect())
    }

    async fn count(&mut self, sql: &'static str) -> Result<u64, StoreError> {
        sqlx::query(sql).fetch_one(self.connection()).await?.number(0, "计数")
    }
}

impl Tx {
    /// Keeps bytes under `name` (`meta.set`, without the bytes).
    pub async fn set_meta(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(sql).bind(name).bind(value).execute(self.connection()).await?;
        self.audit("meta.set", format!("meta/{name}"), json!({}));
        Ok(())
    }
}

impl Store {
    /// Writes the mark of the data keys if there is none; false if there is one.
    pub(super) async fn set_key_mark(&self) -> Result<bool, StoreError> {
        let mut nonce = [0; 24];
        self.shared.entropy.fill(&mut nonce);
        let mut mark = self.shared.sealer.seal(KEY_MARK_PLACE, &nonce, KEY_MARK_TEXT);
        mark.extend_from_slice(&self.shared.sealer.blind(KEY_MARK, KEY_MARK_TEXT));
        let written = sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(KEY_MARK)
            .bind(mark)
            .execute(&self.pool)
            .await?;
        Ok(written.rows_affected() == 1)
    }

    pub(super) async fn check_key_mark(&self) -> Result<(), StoreError> {
        let mark = self.read().await?.meta(KEY_MARK).await?.ok_or(StoreError::NotInitialised)?;
        let (sealed, index) = mark.split_at_checked(mark.len().saturating_sub(32)).unwrap_or_default();
        let sealer = &self.shared.sealer;
        let opens = sealer.open(KEY_MARK_PLACE, sealed).is_ok_and(|text| *text == KEY_MARK_TEXT);
        if opens && index == sealer.blind(KEY_MARK, KEY_MARK_TEXT) { Ok(()) } else { Err(StoreError::WrongDataKey) }
    }
}
