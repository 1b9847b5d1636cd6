//! Volunteers at the console: finding them, their page, corrections, duplicates, the standing of their cards, leaving.

mod correct;
mod duplicates;
mod exit;
mod find;
mod history;
mod identity;
mod person;
mod reveal;
mod status;

use zyz_credential::CertificateNumber;

use super::{Desk, DeskError, FieldError};
use crate::store::{Reader, Volunteer};

pub use correct::{Corrected, CorrectionForm, CorrectionInput, Refused};
pub use duplicates::{Alike, AlikeGroup, AlikePage, MergeInput, MergePlan, MergeSide};
pub use exit::{ExitPage, Farewell};
pub use find::{CardChoice, Found, ListQuery, PeoplePage, PersonRow, UnitRow};
pub use history::HistoryEvent;
pub use identity::IdentityInput;
pub use person::{Action, CardRow, CorrectionRow, PersonPage, RecordRow};
pub use reveal::Revealed;
pub use status::{Step, StepInput, StepPage};

impl Desk {
    /// The volunteer of this number, if they are within reach.
    async fn within_reach(&self, reader: &mut Reader, number: CertificateNumber) -> Result<Volunteer, DeskError> {
        let person = reader.volunteer(number.as_str()).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(person.county, person.unit)?;
        Ok(person)
    }
}

/// Shortest and longest reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 2..=100;

/// A reason as it goes into the audit trail, where no identity or telephone number may stand.
fn reason(text: &str) -> Result<String, FieldError> {
    let wrong = |message: &str| FieldError { field: "reason", message: message.to_owned() };
    let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    if text.is_empty() {
        return Err(wrong("请写明原因，会记入审计"));
    }
    if !REASON.contains(&text.chars().count()) {
        return Err(wrong("原因应为 2 至 100 个字"));
    }
    let mut run = 0;
    for c in text.chars() {
        run = if c.is_numeric() { run + 1 } else { 0 };
        if run >= 7 {
            return Err(wrong("原因里请不要写身份证、电话等号码，审计记录不保存这些号码"));
        }
    }
    Ok(text)
}

/// A number in groups: `02 0001234 9`.
fn grouped(number: &str) -> String {
    CertificateNumber::parse(number).map_or_else(|_| number.to_owned(), |number| number.grouped())
}

/// Minutes as hours, with one decimal where it is not whole.
fn hours(minutes: u64) -> String {
    format!("{:.1}", minutes as f64 / 60.0).trim_end_matches(".0").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_say_something_and_hold_no_numbers() {
        assert_eq!(reason(" 核对本人身份 ").unwrap(), "核对本人身份");
        for wrong in ["", " ", "无", "电话19900000001", "身份证 530802199001010018", "１９９００００００01"]
        {
            assert_eq!(reason(wrong).unwrap_err().field, "reason", "{wrong}");
        }
        assert!(reason(&"字".repeat(101)).is_err());
    }

    #[test]
    fn hours_read_well() {
        assert_eq!(hours(60), "1");
        assert_eq!(hours(90), "1.5");
        assert_eq!(hours(0), "0");
    }
}
