//! Registering volunteers; leaving, coming back, new contact data.

use std::sync::Arc;

use serde_json::json;

use crate::domain::certificate::VolunteerState;

use super::audit::BatchHash;
use super::bulk::{Insert, Values};
use super::row::{Columns, county_text};
use super::volunteer::place;
use super::{Contact, ExitOutcome, ImportId, NewVolunteer, Shared, StoreError, Tx, UnitId, VolunteerId};

/// The last serial of a county: seven digits.
const LAST_SERIAL: i64 = 9_999_999;

const INSERT: Insert = Insert {
    table: "volunteer",
    columns: &[
        "id",
        "number",
        "name",
        "sex",
        "ethnicity",
        "birth_date",
        "political",
        "unit_id",
        "identity_sealed",
        "identity_index",
        "phone_sealed",
        "phone_index",
        "user_name",
        "state",
        "email_sealed",
        "address_sealed",
        "national_number",
    ],
    fixed: &["star", "import_id", "registered_at"],
    conflict: "",
};

/// The same for people without the last three, as annex 2 brings them: at 100,000 rows each value bound counts.
const INSERT_SHORT: Insert = Insert { columns: INSERT.columns.split_at(INSERT.columns.len() - 3).0, ..INSERT };

impl Tx {
    /// Takes the next `count` serials of a county, starting at 1; with the county's two digits and the check digit they
    /// make certificate numbers. Serials of a rolled back transaction are given again.
    pub async fn draw_serials(&mut self, county: u8, count: usize) -> Result<std::ops::Range<u32>, StoreError> {
        let counter = format!("serial/{}", county_text(county)?);
        let drawn = self.draw(&counter, count).await?;
        if drawn.end - 1 > LAST_SERIAL {
            return Err(StoreError::SerialsExhausted { county });
        }
        Ok(drawn.start as u32..drawn.end as u32)
    }

    /// Registers volunteers and returns their keys in the same order. An identity number that is known is
    /// [`StoreError::Duplicate`] and spoils the transaction: ask [`super::Reader::known_by_identity`] first.
    ///
    /// With an import, one event (`volunteer.import`); without, one each (`volunteer.register`).
    pub async fn insert_volunteers(
        &mut self,
        import: Option<ImportId>,
        new: Vec<NewVolunteer>,
    ) -> Result<Vec<VolunteerId>, StoreError> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.draw("volunteer", new.len()).await?;
        self.audit_registration(import, &new);

        // Sealing a chunk runs beside the database's work on the chunk before.
        let shared = self.shared.clone();
        let dialect = shared.dialect;
        let short = new.iter().all(|person| {
            person.contact.email.is_none() && person.contact.address.is_none() && person.national_number.is_none()
        });
        let insert = if short { &INSERT_SHORT } else { &INSERT };
        let size = insert.rows(dialect);
        let fixed = [Some(0), import.map(|import| import.0), Some(self.now.as_second())];
        let mut chunks = ids.clone().step_by(size).zip(into_chunks(new, size));
        let mut seal_next = move || {
            let (first, chunk) = chunks.next()?;
            let shared = shared.clone();
            let work = move || (chunk.len(), seal_chunk(&shared, first, chunk, insert));
            Some(tokio::task::spawn_blocking(work))
        };
        let full: Arc<str> = insert.sql(dialect, size, &fixed).into();
        let mut sealing = seal_next();
        while let Some(task) = sealing {
            let (rows, values) = task.await.expect("sealing does not panic");
            sealing = seal_next();
            let sql = if rows == size { full.clone() } else { insert.sql(dialect, rows, &fixed).into() };
            self.insert_chunk(sql, values, rows == size).await?;
        }
        Ok(ids.map(VolunteerId).collect())
    }

    /// A volunteer leaves (退出自由, `volunteer.exit`): contact data are erased; identity number, hours and the trail
    /// stay, as the law asks for the records and a return must be recognised. Their card is the caller's to revoke.
    pub async fn exit_volunteer(&mut self, id: VolunteerId) -> Result<ExitOutcome, StoreError> {
        let now = self.now.as_second();
        let changed = sqlx::query(
            "UPDATE volunteer SET state = 'exited', exited_at = $1, phone_sealed = NULL, phone_index = NULL, \
             email_sealed = NULL, address_sealed = NULL, user_name = NULL WHERE id = $2 AND state = 'active'",
        )
        .bind(now)
        .bind(id.0)
        .execute(self.connection())
        .await?
        .rows_affected();
        let number = self.number_of(id).await?;
        if changed != 1 {
            return Ok(ExitOutcome::AlreadyExited);
        }
        self.audit("volunteer.exit", format!("volunteer/{number}"), json!({}));
        Ok(ExitOutcome::Exited)
    }

    /// Takes a volunteer back who had left (`volunteer.readmit`), with the same number, in the given unit; false if they
    /// had not left.
    pub async fn readmit_volunteer(
        &mut self,
        id: VolunteerId,
        unit: UnitId,
        contact: &Contact,
    ) -> Result<bool, StoreError> {
        let number = self.number_of(id).await?;
        let sealed = seal_contact(&self.shared, id.0, contact);
        let changed = sqlx::query(
            "UPDATE volunteer SET state = 'active', exited_at = NULL, unit_id = $1, phone_sealed = $2, phone_index = $3, \
             email_sealed = $4, address_sealed = $5, user_name = $6 WHERE id = $7 AND state = 'exited'",
        )
        .bind(unit.0)
        .bind(sealed.phone)
        .bind(sealed.phone_index)
        .bind(sealed.email)
        .bind(sealed.address)
        .bind(contact.user_name.clone())
        .bind(id.0)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            self.audit("volunteer.readmit", format!("volunteer/{number}"), json!({"unit": unit.0}));
        }
        Ok(changed == 1)
    }

    /// Replaces the contact data of an active volunteer (`volunteer.contact`); false if they have left.
    pub async fn set_contact(&mut self, id: VolunteerId, contact: &Contact) -> Result<bool, StoreError> {
        let number = self.number_of(id).await?;
        let sealed = seal_contact(&self.shared, id.0, contact);
        let changed = sqlx::query(
            "UPDATE volunteer SET phone_sealed = $1, phone_index = $2, email_sealed = $3, address_sealed = $4, \
             user_name = $5 WHERE id = $6 AND state = 'active'",
        )
        .bind(sealed.phone)
        .bind(sealed.phone_index)
        .bind(sealed.email)
        .bind(sealed.address)
        .bind(contact.user_name.clone())
        .bind(id.0)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            self.audit("volunteer.contact", format!("volunteer/{number}"), json!({}));
        }
        Ok(changed == 1)
    }

    /// Sets one volunteer's star by hand (`volunteer.star`); a batch does so by itself.
    pub async fn set_star(&mut self, id: VolunteerId, star: u8) -> Result<(), StoreError> {
        let number = self.number_of(id).await?;
        let query = sqlx::query("UPDATE volunteer SET star = $1 WHERE id = $2").bind(i64::from(star)).bind(id.0);
        query.execute(self.connection()).await?;
        self.audit("volunteer.star", format!("volunteer/{number}"), json!({"star": star}));
        Ok(())
    }

    async fn number_of(&mut self, id: VolunteerId) -> Result<String, StoreError> {
        let query = sqlx::query("SELECT number FROM volunteer WHERE id = $1").bind(id.0);
        let row = query.fetch_optional(self.connection()).await?;
        row.ok_or(StoreError::NotFound { what: "志愿者" })?.text(0)
    }

    fn audit_registration(&mut self, import: Option<ImportId>, new: &[NewVolunteer]) {
        let Some(import) = import else {
            for volunteer in new {
                let detail = json!({"unit": volunteer.unit.0});
                self.audit("volunteer.register", format!("volunteer/{}", volunteer.number), detail);
            }
            return;
        };
        let mut hash = BatchHash::default();
        for volunteer in new {
            hash.add(&volunteer.number);
        }
        let detail = json!({"count": new.len(), "numbers_sha256": hash.hex()});
        self.audit("volunteer.import", format!("import/{import}"), detail);
    }
}

/// Contact data ready to store.
struct SealedContact {
    phone: Option<Vec<u8>>,
    phone_index: Option<Vec<u8>>,
    email: Option<Vec<u8>>,
    address: Option<Vec<u8>>,
}

fn seal_contact(shared: &Shared, row: i64, contact: &Contact) -> SealedContact {
    let mut nonces = [[0; 24]; 3];
    shared.entropy.fill(nonces.as_flattened_mut());
    seal_contact_with(shared, row, contact, &nonces)
}

fn seal_contact_with(shared: &Shared, row: i64, contact: &Contact, nonces: &[[u8; 24]; 3]) -> SealedContact {
    let seal = |column, nonce, value: &Option<String>| {
        value.as_ref().map(|value| shared.sealer.seal(place(column, row), nonce, value))
    };
    SealedContact {
        phone: seal("phone_sealed", &nonces[0], &contact.phone),
        phone_index: contact.phone.as_ref().map(|phone| shared.sealer.blind("phone", phone).to_vec()),
        email: seal("email_sealed", &nonces[1], &contact.email),
        address: seal("address_sealed", &nonces[2], &contact.address),
    }
}

/// Seals one statement's worth of volunteers, whose keys start at `first`.
fn seal_chunk(shared: &Shared, first: i64, chunk: Vec<NewVolunteer>, insert: &Insert) -> Values {
    let mut nonces = vec![[[0; 24]; 4]; chunk.len()];
    shared.entropy.fill(nonces.as_flattened_mut().as_flattened_mut());
    let mut values = Values::with_capacity(chunk.len() * insert.columns.len());
    for ((row, new), [identity_nonce, contact_nonces @ ..]) in (first..).zip(chunk).zip(&nonces) {
        let contact = seal_contact_with(shared, row, &new.contact, contact_nonces);
        values.push(row);
        values.push(new.number);
        values.push(new.name);
        values.push(i64::from(new.sex));
        values.push(i64::from(new.ethnicity));
        values.push(new.birth_date.to_string());
        values.push(new.political.map(i64::from));
        values.push(new.unit.0);
        values.push(shared.sealer.seal(place("identity_sealed", row), identity_nonce, &new.identity));
        values.push(&shared.sealer.blind("identity", &new.identity)[..]);
        values.push(contact.phone);
        values.push(contact.phone_index);
        values.push(new.contact.user_name);
        values.push(VolunteerState::Active.as_str());
        if insert.columns.len() == INSERT.columns.len() {
            values.push(contact.email);
            values.push(contact.address);
            values.push(new.national_number);
        }
    }
    values
}

/// Cuts a vector without copying its items.
fn into_chunks<T>(all: Vec<T>, size: usize) -> impl Iterator<Item = Vec<T>> {
    let mut items = all.into_iter();
    std::iter::from_fn(move || {
        let chunk: Vec<T> = items.by_ref().take(size).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}
