//! The console's use cases: what a signed-in member of staff does, held to their role and reach.
//!
//! A [`Desk`] is the office acting as one person. Each use case is an `impl Desk` block in a file here; it begins with
//! [`Desk::need`] and holds whatever it is about against the person's reach before reading more of it. What is out of reach
//! is answered like what does not exist, so that numbers cannot be tried out.
//!
//! To add a use case: a file with an `impl Desk` block, a permission from [`crate::domain::staff`], a route in
//! `web/console`, cases in `tests/console`.

pub mod accounts;
pub mod cards;
pub mod forms;
pub mod hours;
pub mod oversight;
pub mod people;
pub mod rosters;
mod session;
pub mod stars;

use std::sync::Arc;

use super::{Federation, ServiceError};
use crate::domain::division::County;
use crate::domain::staff::{Permission, Scope, Staff};
use crate::store::{StoreError, UnitId};

pub use crate::store::Reach;
pub use session::{Opened, SessionToken};

/// One person at work: the office, acting in their name.
#[derive(Clone)]
pub struct Desk {
    office: Arc<Federation>,
    staff: Staff,
    place: Option<String>,
    session: Option<i64>,
    must_enrol: bool,
}

/// Why a use case of the console was refused. The text is for the person at the screen: what is so, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The role may not do this.
    #[error("您的账号（{role}）没有这项权限。需要办理时请联系联合会管理员")]
    Forbidden {
        /// The role, in words.
        role: &'static str,
    },
    /// There is no such thing, or not within reach: the same answer.
    #[error("没有找到，或不在您的管辖范围内")]
    NotFound,
    /// Somebody else changed it meanwhile; nothing was written.
    #[error("{who} 在 {when} 已经改动过，您的修改没有保存。请核对下面的最新内容后再改")]
    Conflict {
        /// Who changed it.
        who: String,
        /// When, Beijing time.
        when: String,
    },
    /// Fields that are wrong, each with what to do; nothing was written.
    #[error("有 {} 处需要更正", .0.len())]
    Invalid(Vec<FieldError>),
    /// It cannot be done as things stand; the text says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// A use case below.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What is wrong with one field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field, as in the form.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl Desk {
    /// The office in the hands of `staff`: the audit trail names their login.
    pub fn new(federation: &Federation, staff: Staff) -> Self {
        let office = Arc::new(federation.acting_as(&staff.login));
        Self { office, staff, place: None, session: None, must_enrol: false }
    }

    /// Who is at work.
    pub fn staff(&self) -> &Staff {
        &self.staff
    }

    /// The office acting as them.
    pub fn office(&self) -> &Federation {
        &self.office
    }

    /// Their role and of whom, in words: 县文明办 · 宁洱县.
    pub fn role_words(&self) -> String {
        let role = self.staff.role.label();
        let place = match self.staff.scope {
            Scope::All => None,
            Scope::County(county) => County::from_code(county).map(|county| county.name().to_owned()),
            Scope::Unit { .. } | Scope::Partner(_) => self.place.clone(),
        };
        place.map_or_else(|| role.to_owned(), |place| format!("{role} · {place}"))
    }

    /// Whether they must set up a second factor before they may do anything else.
    pub fn must_enrol(&self) -> bool {
        self.must_enrol
    }

    /// Whether their role may do this.
    pub fn may(&self, permission: Permission) -> bool {
        self.staff.role.may(permission)
    }

    /// Refuses what their role may not do.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`].
    pub fn need(&self, permission: Permission) -> Result<(), DeskError> {
        if self.may(permission) { Ok(()) } else { Err(DeskError::Forbidden { role: self.staff.role.label() }) }
    }

    /// How far they reach among people and units; a partner's account reaches nobody.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] for a partner's account.
    pub fn reach(&self) -> Result<Reach, DeskError> {
        match self.staff.scope {
            Scope::All => Ok(Reach::Everything),
            Scope::County(county) => Ok(Reach::County(county)),
            Scope::Unit { unit, .. } => Ok(Reach::Unit(UnitId(unit))),
            Scope::Partner(_) => Err(DeskError::NotFound),
        }
    }

    /// Refuses a unit that is out of reach.
    ///
    /// # Errors
    /// [`DeskError::NotFound`].
    pub fn reach_unit(&self, county: u8, unit: UnitId) -> Result<(), DeskError> {
        match self.staff.scope {
            Scope::All => Ok(()),
            Scope::County(own) if own == county => Ok(()),
            Scope::Unit { unit: own, .. } if own == unit.0 => Ok(()),
            Scope::County(_) | Scope::Unit { .. } | Scope::Partner(_) => Err(DeskError::NotFound),
        }
    }

    /// Refuses a county as a whole, unless it is theirs.
    ///
    /// # Errors
    /// [`DeskError::NotFound`].
    pub fn reach_county(&self, county: u8) -> Result<(), DeskError> {
        match self.staff.scope {
            Scope::All => Ok(()),
            Scope::County(own) if own == county => Ok(()),
            Scope::County(_) | Scope::Unit { .. } | Scope::Partner(_) => Err(DeskError::NotFound),
        }
    }

    /// Refuses a partner that is not theirs.
    ///
    /// # Errors
    /// [`DeskError::NotFound`].
    pub fn reach_partner(&self, partner: i64) -> Result<(), DeskError> {
        match self.staff.scope {
            Scope::All => Ok(()),
            Scope::Partner(own) if own == partner => Ok(()),
            Scope::County(_) | Scope::Unit { .. } | Scope::Partner(_) => Err(DeskError::NotFound),
        }
    }
}

/// What is searched for, as typed: without blanks around it, no longer than a name can be.
fn sought(text: &str) -> String {
    text.trim().chars().take(100).collect()
}
