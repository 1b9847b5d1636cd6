//! Giving an offer, taking it back, and the history.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;
use zyz_credential::{CertificateNumber, Ineligible, OfferLimits, Seconds};

use super::{HISTORY_SECONDS, Ledger, LedgerError, signed, unsigned};

/// An offer to be given. Whether the card is good was judged before; here only uses are counted.
#[derive(Debug, Clone)]
pub struct NewUse {
    /// UUIDv7.
    pub id: Uuid,
    /// Whoever asks names the request by it: asking again gives the same answer.
    pub idempotency_key: String,
    /// SHA-256 of what was asked for under that key.
    pub content: [u8; 32],
    /// The offer's id.
    pub offer: String,
    /// Its title at that time.
    pub title: String,
    /// How often it may be given.
    pub limits: OfferLimits,
    /// Whose card.
    pub number: CertificateNumber,
    /// The masked name on it.
    pub holder: Option<String>,
    /// The card's key id, eight hex digits.
    pub key_id: String,
    /// When the card was issued.
    pub issued_at: Seconds,
    /// When the offer is given: the moment it was judged at.
    pub redeemed_at: Seconds,
    /// By which bundle.
    pub bundle_version: u64,
}

/// An offer given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// UUIDv7.
    pub id: Uuid,
    /// The offer's id.
    pub offer: String,
    /// Its title at that time.
    pub title: String,
    /// Certificate number, ten digits.
    pub number: String,
    /// The masked name, for as long as the history reaches.
    pub holder: Option<String>,
    /// When.
    pub redeemed_at: Seconds,
    /// When it was taken back.
    pub reversed_at: Option<Seconds>,
    /// Whether the federation has answered for it, and for its reversal if there is one.
    pub sent: bool,
    /// Whether the federation did not take it.
    pub refused: bool,
    /// How the card stood, as the federation knew when it got the use.
    pub standing: Option<String>,
}

/// What came of giving an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Written down, durably.
    New(Use),
    /// The same was asked before under this key; this was the answer.
    Repeated(Use),
    /// Something else was asked before under this key.
    KeyReused,
    /// Used as often as it may be.
    Limit(Ineligible),
}

/// What came of taking a use back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversed {
    /// It is taken back since then, now or before.
    At(Seconds),
    /// There is no such use (any more).
    Unknown,
}

const COLUMNS: &str = "id, offer, title, number, holder, redeemed_at, reversed_at, standing, \
     outcome IS NOT NULL AND (reversed_at IS NULL OR reversal_outcome IS NOT NULL), \
     coalesce(outcome IN ('conflict', 'refused'), FALSE), content";

impl Ledger {
    /// What an idempotency key was used for: the use and the hash of what was asked.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn by_key(&self, key: &str) -> Result<Option<(Use, Vec<u8>)>, LedgerError> {
        by_key(&mut *self.lock().await, key).await
    }

    /// When a holder used an offer, uses taken back left out.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn uses(&self, number: &CertificateNumber, offer: &str) -> Result<Vec<Seconds>, LedgerError> {
        uses(&mut *self.lock().await, number, offer).await
    }

    /// Counts and writes in one transaction. Durable on return.
    ///
    /// # Errors
    /// [`LedgerError`]: then the offer is not given.
    pub async fn redeem(&self, new: NewUse) -> Result<Recorded, LedgerError> {
        let mut tx = self.begin().await?;
        if let Some((known, content)) = by_key(&mut tx, &new.idempotency_key).await? {
            return Ok(if content == new.content { Recorded::Repeated(known) } else { Recorded::KeyReused });
        }
        if new.limits != OfferLimits::default() {
            let uses = uses(&mut tx, &new.number, &new.offer).await?;
            if let Some(reason) = new.limits.reached(&uses, new.redeemed_at) {
                return Ok(Recorded::Limit(reason));
            }
        }
        insert(&mut tx, &new).await?;
        tx.commit().await?;
        self.mark_used(new.number.as_str());
        Ok(Recorded::New(Use {
            id: new.id,
            offer: new.offer,
            title: new.title,
            number: new.number.as_str().to_owned(),
            holder: new.holder,
            redeemed_at: new.redeemed_at,
            reversed_at: None,
            sent: false,
            refused: false,
            standing: None,
        }))
    }

    /// Takes a use back; `reversal` is a new UUIDv7, not used if it was taken back before. Durable on return.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn reverse(&self, id: Uuid, reversal: Uuid, at: Seconds) -> Result<Reversed, LedgerError> {
        let mut tx = self.begin().await?;
        let update = "UPDATE redemption SET reversal_id = $2, reversed_at = max($3, redeemed_at) \
                      WHERE id = $1 AND reversed_at IS NULL";
        sqlx::query(update)
            .bind(&id.as_bytes()[..])
            .bind(&reversal.as_bytes()[..])
            .bind(signed(at))
            .execute(&mut *tx)
            .await?;
        let select = sqlx::query("SELECT reversed_at FROM redemption WHERE id = $1").bind(&id.as_bytes()[..]);
        let Some(row) = select.fetch_optional(&mut *tx).await? else { return Ok(Reversed::Unknown) };
        let at = unsigned(row.try_get(0)?);
        drop(row);
        tx.commit().await?;
        Ok(Reversed::At(at))
    }

    /// The newest uses first, as far back as the history reaches from `now`.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn history(&self, now: Seconds, most: u32) -> Result<Vec<Use>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM redemption WHERE redeemed_at >= $1 ORDER BY redeemed_at DESC, id DESC LIMIT $2"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let since = signed(now.saturating_sub(HISTORY_SECONDS));
        let rows = query.bind(since).bind(i64::from(most)).fetch_all(&mut *self.lock().await).await?;
        rows.iter().map(read).collect()
    }
}

async fn by_key(connection: &mut SqliteConnection, key: &str) -> Result<Option<(Use, Vec<u8>)>, LedgerError> {
    let sql = format!("SELECT {COLUMNS} FROM redemption WHERE idempotency_key = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key).fetch_optional(connection).await?;
    row.map(|row| Ok((read(&row)?, row.try_get(10)?))).transpose()
}

async fn uses(
    connection: &mut SqliteConnection,
    number: &CertificateNumber,
    offer: &str,
) -> Result<Vec<Seconds>, LedgerError> {
    let select = "SELECT redeemed_at FROM redemption WHERE number = $1 AND offer = $2 AND reversed_at IS NULL";
    let rows = sqlx::query(select).bind(number.as_str()).bind(offer).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(unsigned(row.try_get(0)?))).collect()
}

async fn insert(connection: &mut SqliteConnection, new: &NewUse) -> Result<(), LedgerError> {
    let insert = "INSERT INTO redemption (id, idempotency_key, content, offer, title, number, holder, key_id, issued_at, \
                  redeemed_at, bundle_version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    sqlx::query(insert)
        .bind(&new.id.as_bytes()[..])
        .bind(&new.idempotency_key)
        .bind(&new.content[..])
        .bind(&new.offer)
        .bind(&new.title)
        .bind(new.number.as_str())
        .bind(new.holder.as_deref())
        .bind(&new.key_id)
        .bind(signed(new.issued_at))
        .bind(signed(new.redeemed_at))
        .bind(signed(new.bundle_version))
        .execute(connection)
        .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Use, LedgerError> {
    let reversed_at: Option<i64> = row.try_get(6)?;
    Ok(Use {
        id: super::queue::id(row, 0)?,
        offer: row.try_get(1)?,
        title: row.try_get(2)?,
        number: row.try_get(3)?,
        holder: row.try_get(4)?,
        redeemed_at: unsigned(row.try_get(5)?),
        reversed_at: reversed_at.map(unsigned),
        standing: row.try_get(7)?,
        sent: row.try_get(8)?,
        refused: row.try_get(9)?,
    })
}
