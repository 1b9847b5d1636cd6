//! One person's cards: how they look, what became of them; their photo.

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use zyz_credential::{CertificateNumber, Claims, Holder, code_text, sign_credential};

use super::choose::CardLine;
use super::{day, moment};
use crate::clock::beijing_date;
use crate::domain::certificate::{CertificateState, VolunteerState};
use crate::domain::staff::Permission;
use crate::render::{CardData, Photo, png};
use crate::service::card_jobs::blocking;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::issue::number_of;
use crate::service::{ServiceError, seconds};
use crate::store::{Chosen, StoredPhoto};

/// Resolution of pictures on pages, dots a millimetre: 1,027 × 648 pixels.
const DOTS_PER_MM: f32 = 12.0;

/// Which side of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardSide {
    /// With name and code.
    Front,
    /// With the duties.
    Back,
}

/// One person's cards.
#[derive(Debug, Clone)]
pub struct PersonCards {
    /// Who, with the live card.
    pub line: CardLine,
    /// Every card, the newest first.
    pub history: Vec<CardHistory>,
    /// The record of the live card's handing out: day, who took it.
    pub handed_out: Option<(String, String)>,
}

/// One card of somebody's.
#[derive(Debug, Clone)]
pub struct CardHistory {
    /// Its state in words.
    pub state: &'static str,
    /// Whether it is live.
    pub live: bool,
    /// Why it is what it is.
    pub reason: &'static str,
    /// Star on it.
    pub star: u8,
    /// When issued.
    pub issued: String,
    /// The last day it is good.
    pub expires: String,
    /// When first printed.
    pub printed: String,
    /// When its state changed last.
    pub changed: String,
}

impl Desk {
    /// One person's cards.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]: none of this number, or out of reach.
    pub async fn person_cards(&self, number: CertificateNumber) -> Result<PersonCards, DeskError> {
        let person = self.card_person(number).await?;
        let mut reader = self.office().store.read().await?;
        let history = reader.certificate_history(number.as_str()).await?;
        let handed_out = match &person.card {
            Some(card) => reader.handout_of(card.id).await?,
            None => None,
        };
        Ok(PersonCards {
            line: CardLine::of(&person, self.office().now()),
            history: history
                .into_iter()
                .map(|card| CardHistory {
                    state: card.state.label(),
                    live: card.state.is_live(),
                    reason: card.reason.map_or("", |reason| reason.label()),
                    star: card.issued.star,
                    issued: moment(card.issued.issued_at),
                    expires: day(card.issued.expires_at),
                    printed: card.printed_at.map(moment).unwrap_or_default(),
                    changed: moment(card.state_changed_at),
                })
                .collect(),
            handed_out: handed_out.map(|record| (record.handed_on.to_string(), record.received_by)),
        })
    }

    /// A side of somebody's card as it will print, as PNG: the valid card, or what one issued now would look like. That
    /// one's code is signed with a key that nobody trusts.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]; a card that cannot be drawn, with why.
    pub async fn card_picture(&self, number: CertificateNumber, side: CardSide) -> Result<Vec<u8>, DeskError> {
        let person = self.card_person(number).await?;
        let design = self.office().design()?;
        if side == CardSide::Back {
            return Ok(blocking(move || Ok(png::back(&design, DOTS_PER_MM)?)).await?);
        }
        let mut reader = self.office().store.read().await?;
        let valid = person.card.as_ref().filter(|card| card.state == CertificateState::Valid);
        let printed = match valid {
            Some(card) => reader.print_cards_by_key(&[card.id]).await?.pop(),
            None => None,
        };
        let photo = reader.photo(person.volunteer).await?;
        drop(reader);
        let photo = photo.map(|photo| Photo::kept(photo.jpeg, photo.width, photo.height));
        let data = match printed {
            Some(card) => self.office().card_data(&card, photo)?,
            None => CardData { photo, ..self.sample_card(&person)? },
        };
        Ok(blocking(move || Ok(png::front(&data, &design, DOTS_PER_MM)?)).await?)
    }

    /// Somebody's photo, as JPEG.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]: none, or out of reach.
    pub async fn photo(&self, number: CertificateNumber) -> Result<Vec<u8>, DeskError> {
        let person = self.card_person(number).await?;
        let photo = self.office().store.read().await?.photo(person.volunteer).await?;
        Ok(photo.ok_or(DeskError::NotFound)?.jpeg)
    }

    /// Sets somebody's photo.
    ///
    /// # Errors
    /// No permission to correct people; [`DeskError::NotFound`]; [`DeskError::Invalid`] with what is wrong with the picture.
    pub async fn set_photo(&self, number: CertificateNumber, picture: Vec<u8>) -> Result<(), DeskError> {
        self.need(Permission::EditPeople)?;
        let person = self.card_person(number).await?;
        if person.state == VolunteerState::Exited {
            return Err(DeskError::Refused("本人已退出，不再保存照片".into()));
        }
        let photo = blocking(move || Ok(Photo::decode(&picture))).await?;
        let photo =
            photo.map_err(|why| DeskError::Invalid(vec![FieldError { field: "file", message: why.to_string() }]))?;
        let photo = StoredPhoto { jpeg: photo.jpeg().to_vec(), width: photo.width(), height: photo.height() };
        let mut tx = self.office().begin().await?;
        if !tx.set_photo(person.volunteer, &photo).await? {
            return Err(DeskError::Refused("本人已退出，不再保存照片".into()));
        }
        Ok(tx.commit().await?)
    }

    /// Erases somebody's photo.
    ///
    /// # Errors
    /// No permission to correct people; [`DeskError::NotFound`]; [`DeskError::Refused`] if there is none.
    pub async fn erase_photo(&self, number: CertificateNumber) -> Result<(), DeskError> {
        self.need(Permission::EditPeople)?;
        let person = self.card_person(number).await?;
        let mut tx = self.office().begin().await?;
        if !tx.erase_photo(person.volunteer).await? {
            return Err(DeskError::Refused("没有照片可以删除".into()));
        }
        Ok(tx.commit().await?)
    }

    /// Numbers of those within reach whose number is this text or whose name it is; 50 at most.
    ///
    /// # Errors
    /// No permission to see people; [`DeskError::Invalid`] for an empty text.
    pub async fn find_cards(&self, text: &str) -> Result<Vec<CardLine>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let text = text.trim();
        if text.is_empty() {
            let message = "请填写证书编号或姓名".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "text", message }]));
        }
        if text.chars().any(char::is_control) {
            return Ok(Vec::new());
        }
        let now = self.office().now();
        if let Ok(number) = CertificateNumber::parse(text) {
            return match self.card_person(number).await {
                Ok(person) => Ok(vec![CardLine::of(&person, now)]),
                Err(DeskError::NotFound) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let mut reader = self.office().store.read().await?;
        let found = reader.chosen_by_name(text, self.reach()?, 50).await?;
        Ok(found.iter().map(|person| CardLine::of(person, now)).collect())
    }

    /// Whoever has this number, if within reach.
    pub(super) async fn card_person(&self, number: CertificateNumber) -> Result<Chosen, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let person = reader.chosen_by_number(&[number.as_str()]).await?.pop().ok_or(DeskError::NotFound)?;
        self.reach_unit(person.county, person.unit)?;
        Ok(person)
    }

    /// What a card issued now would say. Its code has the size of a real one and is signed with a key that is no secret, so
    /// no verifier accepts it.
    pub(super) fn sample_card(&self, person: &Chosen) -> Result<CardData, DeskError> {
        const NOBODYS: [u8; 32] = [0; 32];
        let office = self.office();
        let (number, now) = (number_of(&person.number)?, office.now());
        let expires_at: Timestamp = office.expiry(now)?;
        let bad = |why: zyz_credential::CredentialError| ServiceError::Signed { what: "样证", why: why.to_string() };
        let holder = match office.config().card.holder {
            true => Holder::masked(&person.name).ok(),
            false => None,
        };
        let claims = Claims {
            number,
            star: person.star,
            status: 0,
            holder,
            issued_at: seconds(now),
            expires_at: seconds(expires_at),
        };
        let code = sign_credential(&claims, &SigningKey::from_bytes(&NOBODYS)).map_err(bad)?;
        Ok(CardData {
            number: number.grouped(),
            name: person.name.clone(),
            unit: person.unit_name.clone(),
            star: person.star,
            valid_until: beijing_date(expires_at),
            code: code_text(&office.config().public_url, &code),
            photo: None,
        })
    }
}
