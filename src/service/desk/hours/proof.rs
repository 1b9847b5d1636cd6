//! 《志愿服务记录证明》: what a volunteer served, as the recording units noted it (民政部令第67号). It is free of charge, its
//! own document beside the card, and numbered.

use jiff::civil::Date;
use sha2::{Digest, Sha256};
use zyz_credential::CertificateNumber;

use super::enter::grouped;
use super::paper::{self, ProofPaper};
use super::rows::{of_volunteer, row};
use super::units::county_name;
use crate::clock::beijing_date;
use crate::domain::hours::hours_of;
use crate::domain::staff::{Permission, Scope};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::NewProof;

/// Records of one proof.
const MOST: u32 = 5_000;

/// A proof that was issued.
#[derive(Debug, Clone)]
pub struct ProofLine {
    /// Serial number.
    pub serial: String,
    /// First and last day.
    pub days: (Date, Date),
    /// Records.
    pub records: u64,
    /// Hours.
    pub hours: String,
    /// Name of who issued it.
    pub who: String,
    /// When, Beijing time.
    pub when: String,
}

impl Desk {
    /// Issues a proof of what somebody served from one day to another, both included: its file name and PDF.
    ///
    /// # Errors
    /// Out of reach; days in the wrong order; nothing served then; a character that no font has. No number is used up by
    /// any of them.
    pub async fn issue_proof(
        &self,
        number: CertificateNumber,
        (from, to): (Date, Date),
    ) -> Result<(String, Vec<u8>), DeskError> {
        self.need(Permission::WriteHours)?;
        let field = |field, message: &str| DeskError::Invalid(vec![FieldError { field, message: message.into() }]);
        if from > to {
            return Err(field("to", "结束日期早于开始日期"));
        }
        let office = self.office();
        let today = beijing_date(office.now());
        let mut tx = office.begin().await?;
        let person = tx.volunteer(number.as_str()).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(person.county, person.unit)?;
        let lines = tx.record_lines(&of_volunteer(person.id, from, to), None, MOST + 1).await?;
        if lines.is_empty() {
            return Err(field("from", "这段时间没有计入时长的服务记录，不能出具证明"));
        }
        if lines.len() > MOST as usize {
            return Err(field("to", "这段时间的记录超过 5000 条，请缩短起止日期，分别出具"));
        }
        if lines.iter().any(|line| line.disputed) {
            return Err(field("from", "这段时间有待处理异议的记录，请先处理异议再出具证明"));
        }
        let mut hash = Sha256::new();
        lines.iter().for_each(|line| hash.update(line.record.noted.fingerprint()));
        let new = NewProof {
            volunteer: person.id,
            first_day: from,
            last_day: to,
            records: lines.len() as u64,
            minutes: lines.iter().map(|line| u64::from(line.record.noted.minutes)).sum(),
            records_sha256: hash.finalize().into(),
        };
        // Whoever keeps the record answers for it: the unit, the county's office, or the federation.
        let issuer = match self.staff().scope {
            Scope::Unit { .. } => person.unit_name.clone(),
            Scope::County(county) => format!("{}文明办", county_name(county)),
            Scope::All | Scope::Partner(_) => office.config().card.issuer.clone(),
        };
        let proof = tx.issue_proof(today.year(), &new).await?;
        let paper = ProofPaper {
            serial: proof.serial.clone(),
            name: person.name.clone(),
            number: grouped(&person.number),
            unit: person.unit_name.clone(),
            days: (from, to),
            minutes: new.minutes,
            rows: lines.iter().rev().map(row).collect(),
            issuer,
            issued_by: self.staff().name.clone(),
            today,
            digest: hex::encode(&new.records_sha256[..8]),
            created: office.now(),
        };
        let bytes = paper::proof(&paper).map_err(ServiceError::from)?;
        tx.commit().await?;
        Ok((format!("志愿服务记录证明_{}.pdf", proof.serial), bytes))
    }

    /// The proofs issued to somebody, newest first.
    ///
    /// # Errors
    /// Out of reach.
    pub async fn proofs(&self, number: CertificateNumber) -> Result<Vec<ProofLine>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let person = reader.volunteer(number.as_str()).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(person.county, person.unit)?;
        let proofs = reader.proofs_of(person.id).await?;
        Ok(proofs
            .iter()
            .map(|proof| ProofLine {
                serial: proof.serial.clone(),
                days: (proof.noted.first_day, proof.noted.last_day),
                records: proof.noted.records,
                hours: hours_of(proof.noted.minutes),
                who: proof.issued_by.clone(),
                when: super::rows::moment(proof.issued_at),
            })
            .collect())
    }
}
