//! Registering volunteers; leaving, coming back, new contact data.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinHandle;

use crate::domain::certificate::VolunteerState;

use super::audit::BatchHash;
use super::bulk::{Fixed, Insert, Values};
use super::row::{Columns, county_text};
use super::set_aside::SetAside;
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
        "identity_sealed",
        "identity_index",
        "phone_sealed",
        "phone_index",
        "user_name",
        "email_sealed",
        "address_sealed",
        "national_number",
    ],
    fixed: &["unit_id", "county", "state", "star", "import_id", "registered_at"],
    conflict: "",
    may_stop_halfway: true,
};

/// The same for people without the last three, as annex 2 brings them: at 100,000 rows each value bound counts.
const INSERT_SHORT: Insert = Insert { columns: INSERT.columns.split_at(INSERT.columns.len() - 3).0, ..INSERT };

/// Volunteers on their way into the register in several parts ([`Tx::begin_registration`]). One statement's worth is
/// always being sealed on another thread while the database works on the one before, across the parts too.
#[must_use = "a registration begun must be finished, or the transaction cannot be committed"]
pub struct Registration {
    import: Option<ImportId>,
    /// Fewer than a statement takes.
    pending: VecDeque<NewVolunteer>,
    sealing: Option<JoinHandle<Sealed>>,
    /// Keys given, in the volunteers' order.
    ids: Vec<Range<i64>>,
    hash: BatchHash,
    statement: Option<(Shape, Arc<str>)>,
    /// The unit asked for last, with its county.
    county: Option<(UnitId, u8)>,
    inserted: u64,
    aside: SetAside,
}

/// One statement's worth, ready to be bound.
struct Sealed {
    rows: usize,
    shape: Shape,
    values: Values,
}

/// What tells one statement of so many rows from another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    unit: UnitId,
    /// With the columns that [`INSERT_SHORT`] leaves out.
    full: bool,
}

impl Tx {
    /// Takes the next `count` serials of a county, starting at 1; with the county's two digits and the check digit they
    /// make certificate numbers. Serials of a rolled back transaction are given again.
    pub async fn draw_serials(&mut self, county: u8, count: usize) -> Result<Range<u32>, StoreError> {
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
        let mut registration = self.begin_registration(import);
        self.register(&mut registration, new).await?;
        self.finish_registration(registration).await
    }

    /// Begins to register volunteers who come in parts: [`Self::register`] each, then [`Self::finish_registration`].
    /// The outcome is that of [`Self::insert_volunteers`] with all of them, the one event of an import included.
    pub fn begin_registration(&mut self, import: Option<ImportId>) -> Registration {
        self.open += 1;
        Registration {
            import,
            pending: VecDeque::new(),
            sealing: None,
            ids: Vec::new(),
            hash: BatchHash::default(),
            statement: None,
            county: None,
            inserted: 0,
            aside: SetAside::default(),
        }
    }

    /// Registers the next volunteers; what of them is refused, for the reasons of [`Self::insert_volunteers`], may show
    /// only with a later part or at the end.
    pub async fn register(&mut self, to: &mut Registration, new: Vec<NewVolunteer>) -> Result<(), StoreError> {
        for volunteer in &new {
            if to.import.is_some() {
                to.hash.add(&volunteer.number);
            } else {
                let detail = json!({"unit": volunteer.unit.0});
                self.audit("volunteer.register", format!("volunteer/{}", volunteer.number), detail);
            }
        }
        to.pending.extend(new);
        self.insert_pending(to, false).await
    }

    /// Registers what is left and returns the keys of all, in order.
    pub async fn finish_registration(&mut self, mut of: Registration) -> Result<Vec<VolunteerId>, StoreError> {
        self.insert_pending(&mut of, true).await?;
        if let Some(last) = of.sealing.take() {
            self.insert_sealed(&mut of, last).await?;
        }
        self.put_indexes_back(std::mem::take(&mut of.aside)).await?;
        let ids: Vec<VolunteerId> = of.ids.into_iter().flatten().map(VolunteerId).collect();
        if let Some(import) = of.import.filter(|_| !ids.is_empty()) {
            let detail = json!({"count": ids.len(), "numbers_sha256": of.hash.hex()});
            self.audit("volunteer.import", format!("import/{import}"), detail);
        }
        self.open -= 1;
        Ok(ids)
    }

    /// Has full statements' worths sealed, or with `all` everything, and inserts each when the next is being sealed.
    async fn insert_pending(&mut self, of: &mut Registration, all: bool) -> Result<(), StoreError> {
        let size = INSERT.rows(self.shared.dialect);
        let chunks: Vec<_> = std::iter::from_fn(|| of.next_chunk(size, all)).collect();
        let count = chunks.iter().map(|(_, chunk)| chunk.len()).sum();
        if count == 0 {
            return Ok(());
        }
        let ids = self.draw("volunteer", count).await?;
        let mut first = ids.start;
        of.ids.push(ids);
        for (shape, chunk) in chunks {
            let (shared, from) = (self.shared.clone(), first);
            first += chunk.len() as i64;
            let seal =
                move || Sealed { rows: chunk.len(), shape, values: seal_chunk(&shared, from, chunk, shape.full) };
            if let Some(before) = of.sealing.replace(tokio::task::spawn_blocking(seal)) {
                self.insert_sealed(of, before).await?;
            }
        }
        Ok(())
    }

    async fn insert_sealed(&mut self, of: &mut Registration, sealing: JoinHandle<Sealed>) -> Result<(), StoreError> {
        let Sealed { rows, shape, values } = sealing.await.expect("sealing does not panic");
        let dialect = self.shared.dialect;
        let county = match of.county {
            Some((unit, county)) if unit == shape.unit => county,
            // A unit that is not there is refused by the database at the end, with the rest.
            _ => self.unit(shape.unit).await?.map_or(0, |unit| unit.county),
        };
        of.county = Some((shape.unit, county));
        let sql = || -> Arc<str> {
            let fixed = [
                Fixed::Number(shape.unit.0),
                Fixed::County(county),
                Fixed::Word(VolunteerState::Active.as_str()),
                Fixed::Number(0),
                of.import.map(|import| import.0).into(),
                Fixed::Number(self.now.as_second()),
            ];
            let insert = if shape.full { &INSERT } else { &INSERT_SHORT };
            insert.sql(dialect, rows, &fixed).into()
        };
        let full = rows == INSERT.rows(dialect);
        let sql = match &of.statement {
            Some((same, sql)) if full && *same == shape => sql.clone(),
            _ => sql(),
        };
        if full {
            of.statement = Some((shape, sql.clone()));
        }
        self.insert_chunk(sql, values, full).await?;
        of.inserted += rows as u64;
        self.set_indexes_aside(&mut of.aside, of.inserted).await
    }

    /// A volunteer leaves (退出自由, `volunteer.exit`): contact data are erased, those of earlier corrections and of
    /// registration forms too, and the photo; identity number, hours and the trail stay, as the law asks for the records and
    /// a return must be recognised. The event names which kinds of data were there to erase. Their card is the caller's to
    /// revoke.
    pub async fn exit_volunteer(&mut self, id: VolunteerId) -> Result<ExitOutcome, StoreError> {
        let now = self.now.as_second();
        let sql = "SELECT number, phone_sealed, email_sealed, address_sealed, user_name FROM volunteer WHERE id = $1";
        let row = sqlx::query(sql).bind(id.0).fetch_optional(self.connection()).await?;
        let row = row.ok_or(StoreError::NotFound { what: "志愿者" })?;
        let kept = [row.bytes_or_null(1)?, row.bytes_or_null(2)?, row.bytes_or_null(3)?];
        let mut erased = Vec::new();
        for (name, there) in ["phone", "email", "address"].into_iter().zip(kept) {
            if there.is_some() {
                erased.push(name);
            }
        }
        if row.text_or_null(4)?.is_some() {
            erased.push("user_name");
        }
        let changed = sqlx::query(
            "UPDATE volunteer SET state = 'exited', exited_at = $1, phone_sealed = NULL, phone_index = NULL, \
             email_sealed = NULL, address_sealed = NULL, user_name = NULL, revision = revision + 1 \
             WHERE id = $2 AND state = 'active'",
        )
        .bind(now)
        .bind(id.0)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed != 1 {
            return Ok(ExitOutcome::AlreadyExited);
        }
        self.erase_contact_corrections(id).await?;
        if self.erase_forms_contact(id).await? > 0 {
            erased.push("form");
        }
        if self.erase_photo(id).await? {
            erased.push("photo");
        }
        self.audit("volunteer.exit", format!("volunteer/{}", row.str(0)?), json!({"erased": erased}));
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
            "UPDATE volunteer SET state = 'active', exited_at = NULL, unit_id = $1, \
             county = (SELECT unit.county FROM unit WHERE unit.id = $1), phone_sealed = $2, phone_index = $3, \
             email_sealed = $4, address_sealed = $5, user_name = $6, revision = revision + 1 \
             WHERE id = $7 AND state = 'exited' AND merged_into IS NULL",
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
             user_name = $5, revision = revision + 1 WHERE id = $6 AND state = 'active'",
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
}

impl Registration {
    /// The next statement's worth: people of one unit, because the unit stands in the statement; `size` of them, unless
    /// another unit follows or `all` must go.
    fn next_chunk(&mut self, size: usize, all: bool) -> Option<(Shape, Vec<NewVolunteer>)> {
        let unit = self.pending.front()?.unit;
        let run = self.pending.iter().take(size).take_while(|person| person.unit == unit).count();
        if run < size && run == self.pending.len() && !all {
            return None;
        }
        let chunk: Vec<NewVolunteer> = self.pending.drain(..run).collect();
        let full = chunk.iter().any(|person| {
            person.contact.email.is_some() || person.contact.address.is_some() || person.national_number.is_some()
        });
        Some((Shape { unit, full }, chunk))
    }
}

impl std::fmt::Debug for Registration {
    /// Its figures only: what is pending are people's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").field("import", &self.import).field("ids", &self.ids).finish_non_exhaustive()
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
fn seal_chunk(shared: &Shared, first: i64, chunk: Vec<NewVolunteer>, full: bool) -> Values {
    let (insert, sealed_columns) = if full { (&INSERT, 4) } else { (&INSERT_SHORT, 2) };
    let mut nonces = vec![[0; 24]; chunk.len() * sealed_columns];
    shared.entropy.fill(nonces.as_flattened_mut());
    let mut nonces = nonces.iter();
    let mut values = Values::with_capacity(chunk.len() * insert.columns.len());
    let mut sealed = Vec::new();
    for (row, new) in (first..).zip(chunk) {
        let mut push_sealed = |values: &mut Values, column, plain: Option<&str>| {
            let nonce = nonces.next().expect("a nonce for each sealed column of each row");
            match plain {
                None => values.push(None::<&[u8]>),
                Some(plain) => {
                    shared.sealer.seal_into(&mut sealed, place(column, row), nonce, plain);
                    values.push(&sealed[..]);
                }
            }
        };
        let contact = new.contact;
        values.push(row);
        values.push(new.number);
        values.push(new.name);
        values.push(i64::from(new.sex));
        values.push(i64::from(new.ethnicity));
        values.push(new.birth_date.to_string());
        values.push(new.political.map(i64::from));
        push_sealed(&mut values, "identity_sealed", Some(&new.identity));
        values.push(&shared.sealer.blind("identity", &new.identity)[..]);
        push_sealed(&mut values, "phone_sealed", contact.phone.as_deref());
        values.push(contact.phone.as_ref().map(|phone| shared.sealer.blind("phone", phone)).as_ref().map(|i| &i[..]));
        values.push(contact.user_name);
        if full {
            push_sealed(&mut values, "email_sealed", contact.email.as_deref());
            push_sealed(&mut values, "address_sealed", contact.address.as_deref());
            values.push(new.national_number);
        }
    }
    values
}
