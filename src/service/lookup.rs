//! Asking for a typed number, where no code can be scanned.

use zyz_credential::CertificateNumber;
use zyz_http::wire::LookupResult;

use super::{Federation, ServiceError};

impl Federation {
    /// How the newest card of a number stands now.
    ///
    /// # Errors
    /// The database fails; a number that was never given is a result.
    pub async fn lookup(&self, number: CertificateNumber) -> Result<LookupResult, ServiceError> {
        let _ = number;
        Err(ServiceError::Aborted)
    }
}
