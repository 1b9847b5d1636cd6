//! The unit that a list of this room is narrowed to: by its key in links, by words of its name as somebody types them. There
//! are thousands, too many for a menu.

use super::unit_key;
use crate::domain::staff::Scope;
use crate::service::desk::Desk;
use crate::service::desk::people::UnitRow;
use crate::web::console::PageError;

/// A unit asked for, or what to choose from.
pub(super) struct UnitFilter {
    /// Key; none for all within reach.
    pub key: Option<i64>,
    /// What stands in the field: the unit's name, or the words that were typed.
    pub words: String,
    /// Units whose names hold the words, where it is not one alone.
    pub picks: Vec<UnitRow>,
    /// What is wrong with the words; then the list is empty rather than everybody's.
    pub error: &'static str,
    /// Whether whoever asks has more than one unit to choose from.
    pub many: bool,
}

impl UnitFilter {
    /// Understands `unit`, a key, and `words`, what stands in the field. Words that still name the unit leave it chosen: two
    /// counties may have units of one name.
    pub async fn of(desk: &Desk, unit: Option<&str>, words: Option<&str>) -> Result<Self, PageError> {
        let many = !matches!(desk.staff().scope, Scope::Unit { .. });
        let mut found = Self { key: unit_key(unit)?, words: String::new(), picks: Vec::new(), error: "", many };
        let name = match found.key {
            Some(key) => Some(desk.hours_unit(key).await?.name),
            None => None,
        };
        let Some(words) = words.map(str::trim) else {
            found.words = name.unwrap_or_default();
            return Ok(found);
        };
        words.clone_into(&mut found.words);
        if name.as_deref() == Some(words) {
            return Ok(found);
        }
        found.key = None;
        if words.is_empty() {
            return Ok(found);
        }
        let mut units = desk.units_for(words).await?;
        match units.as_slice() {
            [] => found.error = "没有名称含此文字的单位（在您的管辖范围内）",
            [_] => {
                let one = units.remove(0);
                (found.key, found.words) = (Some(one.id), one.name);
            }
            _ => {
                found.error = "有几个单位的名称含此文字，请选择：";
                found.picks = units;
            }
        }
        Ok(found)
    }

    /// The key for addresses and hidden fields; empty for all.
    pub fn unit(&self) -> String {
        self.key.map(|key| key.to_string()).unwrap_or_default()
    }

    /// Whether the list can be shown.
    pub fn understood(&self) -> bool {
        self.error.is_empty()
    }
}
