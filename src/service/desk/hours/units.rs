//! Choosing a unit: somebody of a unit has theirs, everybody else finds it by its name.

use crate::domain::division::County;
use crate::domain::staff::{Permission, Scope};
use crate::service::desk::{Desk, DeskError};
use crate::store::{Reader, Unit, UnitId};

/// Units offered at once.
const OFFERED: u32 = 30;

/// A unit to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitChoice {
    /// Key.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Name of its county.
    pub county: &'static str,
}

impl Desk {
    /// The caller's own unit, if they are of one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn hours_own_unit(&self) -> Result<Option<UnitChoice>, DeskError> {
        match self.staff().scope {
            Scope::Unit { unit, .. } => Ok(Some(self.hours_unit(unit).await?)),
            Scope::All | Scope::County(_) | Scope::Partner(_) => Ok(None),
        }
    }

    /// One unit within reach.
    ///
    /// # Errors
    /// There is none, or not within reach.
    pub async fn hours_unit(&self, unit: i64) -> Result<UnitChoice, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        Ok(choice(&self.hours_unit_within(&mut reader, unit).await?))
    }

    /// Up to thirty units within reach whose name holds `search`.
    ///
    /// # Errors
    /// The role may not read people; the database fails.
    pub async fn hours_find_units(&self, search: &str) -> Result<Vec<UnitChoice>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let units = self.office().store.read().await?.units_holding(self.reach()?, search.trim(), OFFERED).await?;
        Ok(units.iter().map(choice).collect())
    }

    pub(super) async fn hours_unit_within(&self, reader: &mut Reader, unit: i64) -> Result<Unit, DeskError> {
        let unit = reader.unit(UnitId(unit)).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(unit.county, unit.id)?;
        Ok(unit)
    }
}

fn choice(unit: &Unit) -> UnitChoice {
    UnitChoice { id: unit.id.0, name: unit.name.clone(), county: county_name(unit.county) }
}

/// The name of a county by its code.
pub(in crate::service::desk) fn county_name(code: u8) -> &'static str {
    County::from_code(code).map_or("—", County::name)
}
