//! 附件1 on paper.

use crate::clock::beijing_date;
use crate::domain::application::ApplicationState;
use crate::domain::staff::Permission;
use crate::render::Fonts;
use crate::render::form::{Annex1, annex1};
use crate::service::desk::{Desk, DeskError};
use crate::store::ApplicationId;

use super::{FormRefusal, approver_name};

impl Desk {
    /// Both copies of a form as PDF, and whose it is. What it says is on them, so printing is noted.
    ///
    /// # Errors
    /// No permission to write forms; no such form within reach; withdrawn; a character that no font has.
    pub async fn print_form(&self, id: ApplicationId) -> Result<(String, Vec<u8>), DeskError> {
        self.need(Permission::WriteForms)?;
        let mut tx = self.office().begin().await?;
        let line = self.form_line(&mut tx, id).await?;
        let text = tx.application_text(id).await?.ok_or(FormRefusal::Erased)?;
        let approver = approver_name(line.county);
        let approved = line.state == ApplicationState::Approved;
        let opinion = match (line.reason.as_deref(), line.decided_at) {
            (Some(words), Some(at)) if approved => Some((words, approver.as_str(), beijing_date(at))),
            _ => None,
        };
        let form = Annex1 { unit: &line.unit_name, text: Some(&text), opinion };
        let bytes = self.annex1(&form)?;
        tx.note_application_seen(id, None);
        tx.commit().await?;
        Ok((line.name, bytes))
    }

    /// The form to fill in by hand.
    ///
    /// # Errors
    /// No permission to see people.
    pub fn blank_form(&self) -> Result<Vec<u8>, DeskError> {
        self.need(Permission::ViewPeople)?;
        self.annex1(&Annex1::default())
    }

    fn annex1(&self, form: &Annex1) -> Result<Vec<u8>, DeskError> {
        let config = self.office().config();
        let fonts = Fonts::load(&config.fonts.extra).map_err(|error| DeskError::Refused(error.to_string()))?;
        let bytes = annex1(form, &config.card.issuer, &fonts, self.office().now());
        bytes.map_err(|error| DeskError::Refused(error.to_string()))
    }
}
