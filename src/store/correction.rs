//! Corrections of a volunteer's data: what it was and what it is now, by whom and why.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

use crate::domain::correction::Fact;

use super::bulk::Statement;
use super::row::Columns;
use super::sealed::Place;
use super::volunteer::place;
use super::{Reader, StoreError, Tx, UnitId, Volunteer, VolunteerId};

/// A volunteer's data as they are to be. Those that are sealed stay as they are unless they are said.
#[derive(Clone, PartialEq, Eq)]
pub struct Corrected {
    /// Name.
    pub name: String,
    /// GB/T 2261.1.
    pub sex: u8,
    /// GB/T 3304.
    pub ethnicity: u8,
    /// Date of birth.
    pub birth_date: Date,
    /// GB/T 4762, if known.
    pub political: Option<u8>,
    /// Account name in the national system.
    pub user_name: Option<String>,
    /// Number in the national system.
    pub national_number: Option<String>,
    /// Unit.
    pub unit: UnitId,
    /// Mobile number, normalised.
    pub phone: Change,
    /// E-mail address.
    pub email: Change,
    /// Postal address.
    pub address: Change,
    /// Identity number, normalised; [`Change::Erase`] keeps it.
    pub identity: Change,
}

/// What becomes of a sealed value.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Change {
    /// It stays.
    #[default]
    Keep,
    /// It is gone.
    Erase,
    /// It is this.
    Set(Zeroizing<String>),
}

/// What became of a correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorrectOutcome {
    /// These were changed; none if all was as said already.
    Done(Vec<Fact>),
    /// Somebody changed the volunteer since `revision`; nothing was written.
    Conflict,
}

/// A correction made.
#[derive(Clone, PartialEq, Eq)]
pub struct Correction {
    /// Of what.
    pub fact: Fact,
    /// What it was; none if there was nothing, or it was erased since.
    pub old: Option<Zeroizing<String>>,
    /// What it became.
    pub new: Option<Zeroizing<String>>,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

impl Corrected {
    /// The data as they are now.
    pub fn as_stored(volunteer: &Volunteer) -> Self {
        Self {
            name: volunteer.name.clone(),
            sex: volunteer.sex,
            ethnicity: volunteer.ethnicity,
            birth_date: volunteer.birth_date,
            political: volunteer.political,
            user_name: volunteer.user_name.clone(),
            national_number: volunteer.national_number.clone(),
            unit: volunteer.unit,
            phone: Change::Keep,
            email: Change::Keep,
            address: Change::Keep,
            identity: Change::Keep,
        }
    }

    fn plain(&self) -> [(Fact, Option<String>); 8] {
        [
            (Fact::Name, Some(self.name.clone())),
            (Fact::Sex, Some(self.sex.to_string())),
            (Fact::Ethnicity, Some(self.ethnicity.to_string())),
            (Fact::BirthDate, Some(self.birth_date.to_string())),
            (Fact::Political, self.political.map(|code| code.to_string())),
            (Fact::UserName, self.user_name.clone()),
            (Fact::NationalNumber, self.national_number.clone()),
            (Fact::Unit, Some(self.unit.to_string())),
        ]
    }
}

impl Reader {
    /// The last `limit` corrections of one volunteer, newest first, opened.
    pub async fn corrections(&mut self, id: VolunteerId, limit: u32) -> Result<Vec<Correction>, StoreError> {
        let mut query = Statement::new(
            "SELECT id, field, old_text, new_text, old_sealed, new_sealed, reason, actor, at FROM correction \
             WHERE volunteer_id = ",
        );
        query.bind(id.0).push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit));
        let rows = query.fetch_all(self).await?;
        rows.iter().map(|row| self.correction(row)).collect()
    }

    fn correction(&self, row: &AnyRow) -> Result<Correction, StoreError> {
        let id = row.int(0)?;
        let value = |text, sealed, column| -> Result<Option<Zeroizing<String>>, StoreError> {
            match row.bytes_or_null(sealed)? {
                Some(sealed) => Ok(Some(self.shared.sealer.open(kept(column, id), sealed)?)),
                None => Ok(row.text_or_null(text)?.map(Zeroizing::new)),
            }
        };
        Ok(Correction {
            fact: Fact::parse(row.str(1)?).ok_or(StoreError::BadValue { what: "更正项目" })?,
            old: value(2, 4, "old_sealed")?,
            new: value(3, 5, "new_sealed")?,
            reason: row.text(6)?,
            actor: row.text(7)?,
            at: row.moment(8)?,
        })
    }
}

impl Tx {
    /// Writes a volunteer's corrected data if they are still those of `revision`, and keeps what they were
    /// (`volunteer.correct`, with the names of what changed and no value). An identity number that somebody else has is
    /// [`StoreError::Duplicate`] and spoils the transaction.
    pub async fn correct_volunteer(
        &mut self,
        id: VolunteerId,
        revision: i64,
        corrected: &Corrected,
        reason: &str,
    ) -> Result<CorrectOutcome, StoreError> {
        let before = self.volunteer_by_id(id).await?.ok_or(StoreError::NotFound { what: "志愿者" })?;
        if before.revision != revision {
            return Ok(CorrectOutcome::Conflict);
        }
        let private = self.personal_data(id).await?.ok_or(StoreError::NotFound { what: "志愿者" })?;
        let mut changed = Vec::new();
        let plain = Corrected::as_stored(&before).plain();
        for ((fact, old), (_, new)) in plain.into_iter().zip(corrected.plain()) {
            if old != new {
                changed.push((fact, old.map(Zeroizing::new), new.map(Zeroizing::new)));
            }
        }
        let sealed = [
            (Fact::Phone, private.phone, &corrected.phone),
            (Fact::Email, private.email, &corrected.email),
            (Fact::Address, private.address, &corrected.address),
            (Fact::Identity, Some(private.identity), &corrected.identity),
        ];
        for (fact, old, change) in sealed {
            let new = match change {
                Change::Keep => continue,
                Change::Erase if fact == Fact::Identity => continue,
                Change::Erase => None,
                Change::Set(value) => Some(value.clone()),
            };
            if old != new {
                changed.push((fact, old, new));
            }
        }
        if changed.is_empty() {
            return Ok(CorrectOutcome::Done(Vec::new()));
        }
        self.write_plain(id, revision, corrected).await?;
        let facts: Vec<Fact> = changed.iter().map(|(fact, ..)| *fact).collect();
        for (fact, old, new) in changed {
            if fact.is_sealed() {
                self.write_sealed(id, fact, new.as_deref()).await?;
            }
            self.keep_correction(id, fact, old, new, reason).await?;
        }
        let names: Vec<&str> = facts.iter().map(|fact| fact.as_str()).collect();
        self.audit("volunteer.correct", format!("volunteer/{}", before.number), json!({"facts": names}));
        Ok(CorrectOutcome::Done(facts))
    }

    async fn write_plain(&mut self, id: VolunteerId, revision: i64, to: &Corrected) -> Result<(), StoreError> {
        let changed = sqlx::query(
            "UPDATE volunteer SET name = $1, sex = $2, ethnicity = $3, birth_date = $4, political = $5, user_name = $6, \
             national_number = $7, unit_id = $8, county = (SELECT unit.county FROM unit WHERE unit.id = $8), \
             revision = revision + 1 WHERE id = $9 AND revision = $10",
        )
        .bind(&to.name)
        .bind(i64::from(to.sex))
        .bind(i64::from(to.ethnicity))
        .bind(to.birth_date.to_string())
        .bind(to.political.map(i64::from))
        .bind(to.user_name.as_deref())
        .bind(to.national_number.as_deref())
        .bind(to.unit.0)
        .bind(id.0)
        .bind(revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        // Writers take turns: the revision read in this transaction still holds.
        if changed == 1 { Ok(()) } else { Err(StoreError::NotFound { what: "志愿者" }) }
    }

    /// Replaces one sealed column, and its blind index where it has one.
    pub(super) async fn write_sealed(
        &mut self,
        id: VolunteerId,
        fact: Fact,
        value: Option<&String>,
    ) -> Result<(), StoreError> {
        let (column, sql, index) = match fact {
            Fact::Phone => (
                "phone_sealed",
                "UPDATE volunteer SET phone_sealed = $1, phone_index = $2 WHERE id = $3",
                Some("phone"),
            ),
            Fact::Identity => (
                "identity_sealed",
                "UPDATE volunteer SET identity_sealed = $1, identity_index = $2 WHERE id = $3",
                Some("identity"),
            ),
            Fact::Email => ("email_sealed", "UPDATE volunteer SET email_sealed = $1 WHERE id = $2", None),
            Fact::Address => ("address_sealed", "UPDATE volunteer SET address_sealed = $1 WHERE id = $2", None),
            _ => return Ok(()),
        };
        let sealed = value.map(|value| self.seal(place(column, id.0), value));
        let mut query = sqlx::query(sql).bind(sealed);
        if let Some(index) = index {
            query = query.bind(value.map(|value| self.shared.sealer.blind(index, value).to_vec()));
        }
        query.bind(id.0).execute(self.connection()).await?;
        Ok(())
    }

    async fn keep_correction(
        &mut self,
        volunteer: VolunteerId,
        fact: Fact,
        old: Option<Zeroizing<String>>,
        new: Option<Zeroizing<String>>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let id = self.draw_one("correction").await?;
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        let (old_sealed, new_sealed) = {
            let seal = |column, value: &Option<Zeroizing<String>>| {
                value.as_ref().filter(|_| fact.is_sealed()).map(|value| self.seal(kept(column, id), value))
            };
            (seal("old_sealed", &old), seal("new_sealed", &new))
        };
        let plain = |value: Option<Zeroizing<String>>| value.filter(|_| !fact.is_sealed()).map(|text| text.to_string());
        sqlx::query(
            "INSERT INTO correction (id, volunteer_id, field, old_text, new_text, old_sealed, new_sealed, reason, \
             actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(id)
        .bind(volunteer.0)
        .bind(fact.as_str())
        .bind(plain(old))
        .bind(plain(new))
        .bind(old_sealed)
        .bind(new_sealed)
        .bind(reason)
        .bind(actor)
        .bind(at)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Erases the contact data that corrections of a volunteer keep; that there were such corrections stays.
    pub(super) async fn erase_contact_corrections(&mut self, id: VolunteerId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE correction SET old_text = NULL, new_text = NULL, old_sealed = NULL, new_sealed = NULL \
             WHERE volunteer_id = $1 AND field IN ('phone', 'email', 'address', 'user_name')",
        )
        .bind(id.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    fn seal(&self, place: Place, value: &str) -> Vec<u8> {
        let mut nonce = [0; 24];
        self.shared.entropy.fill(&mut nonce);
        self.shared.sealer.seal(place, &nonce, value)
    }
}

/// Where a sealed value of a correction stands.
fn kept(column: &'static str, row: i64) -> Place {
    Place { table: "correction", column, row }
}

impl std::fmt::Debug for Corrected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Corrected(…)")
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Erase => "Erase",
            Self::Set(_) => "Set(…)",
        })
    }
}

impl std::fmt::Debug for Correction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Correction({:?}, {})", self.fact, self.at)
    }
}
