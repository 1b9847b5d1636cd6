//! The console's switches.

use serde_json::json;

use crate::clock::beijing;
use crate::domain::review::Settings;
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::{Federation, ServiceError};
use crate::store::Changed;

/// Name of the switch of the two-person rule.
const TWO_PERSON: &str = "two_person";

/// The switches with the revision that a change must name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsView {
    /// As they stand.
    pub settings: Settings,
    /// Login of who changed them last; none for the defaults.
    pub changed_by: Option<String>,
    /// When, Beijing time.
    pub changed_at: Option<String>,
    /// What a change must name; 0 for the defaults.
    pub revision: i64,
}

impl Federation {
    /// The switches in force.
    ///
    /// # Errors
    /// The database fails.
    pub async fn settings(&self) -> Result<SettingsView, ServiceError> {
        let default = Settings::default();
        let Some(row) = self.store.read().await?.setting(TWO_PERSON).await? else {
            return Ok(SettingsView { settings: default, changed_by: None, changed_at: None, revision: 0 });
        };
        let over = row.value["issue_over"].as_u64().and_then(|n| u32::try_from(n).ok());
        let settings = Settings {
            two_person: row.value["on"].as_bool().unwrap_or(default.two_person),
            issue_over: over.unwrap_or(default.issue_over),
        };
        let when = beijing().to_datetime(row.changed_at).strftime("%Y-%m-%d %H:%M").to_string();
        Ok(SettingsView { settings, changed_by: Some(row.changed_by), changed_at: Some(when), revision: row.revision })
    }
}

impl Desk {
    /// The switches in force; everybody's use cases follow them.
    ///
    /// # Errors
    /// The database fails.
    pub async fn settings(&self) -> Result<Settings, DeskError> {
        Ok(self.office().settings().await?.settings)
    }

    /// The switches with who changed them last.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], the database.
    pub async fn settings_view(&self) -> Result<SettingsView, DeskError> {
        self.need(Permission::Settings)?;
        Ok(self.office().settings().await?)
    }

    /// Changes the switches, made on the revision that the page showed.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`]; [`DeskError::Invalid`] for a size beyond [`Settings::MOST`]; [`DeskError::Conflict`].
    pub async fn change_settings(&self, to: Settings, revision: i64) -> Result<(), DeskError> {
        self.need(Permission::Settings)?;
        if to.issue_over > Settings::MOST {
            let message = format!("请填写 0 到 {} 之间的张数", Settings::MOST);
            return Err(DeskError::Invalid(vec![FieldError { field: "issue_over", message }]));
        }
        let mut tx = self.office().begin().await?;
        let value = json!({"on": to.two_person, "issue_over": to.issue_over});
        if tx.set_setting(TWO_PERSON, &value, revision).await? == Changed::Conflict {
            tx.rollback().await?;
            let now = self.office().settings().await?;
            return Err(DeskError::Conflict {
                who: now.changed_by.unwrap_or_default(),
                when: now.changed_at.unwrap_or_default(),
            });
        }
        tx.commit().await?;
        Ok(())
    }
}
