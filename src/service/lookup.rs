//! Asking for a typed number, where no code can be scanned.

use zyz_credential::CertificateNumber;
use zyz_http::wire::{LookupResult, Standing};

use super::redeem::standing_word;
use super::{Federation, ServiceError};
use crate::clock::beijing_date;
use crate::domain::certificate::CertificateState;
use crate::store::KeyState;

impl Federation {
    /// How the newest card of a number stands now.
    ///
    /// # Errors
    /// The database fails; a number that was never given is a result.
    pub async fn lookup(&self, number: CertificateNumber) -> Result<LookupResult, ServiceError> {
        let now = self.now();
        let mut reader = self.store.read().await?;
        let Some(card) = reader.certificate(number.as_str()).await? else {
            return Ok(LookupResult {
                number: number.to_string(),
                standing: Standing::Unknown,
                star: None,
                holder: None,
                expires_at: None,
                message: "查无此证：没有给这个编号制发过志愿服务证。请核对编号；无误时请勿给予优惠，可联系联合会。"
                    .into(),
            });
        };
        let keys = reader.signing_keys(None).await?;
        let stolen = keys.iter().any(|key| key.id == card.issued.key && key.state == KeyState::Compromised);
        let standing = if now >= card.issued.expires_at {
            Standing::Expired
        } else if stolen {
            Standing::Revoked
        } else {
            match card.state {
                CertificateState::Valid => Standing::Valid,
                CertificateState::Revoked => Standing::Revoked,
                CertificateState::Suspended => Standing::Suspended,
                CertificateState::Superseded => Standing::Superseded,
            }
        };
        let expires = beijing_date(card.issued.expires_at);
        let message = match standing {
            Standing::Valid => {
                "该编号的志愿服务证现在有效。请查看证件原件，核对持证人与证件姓名、照片是否一致。".to_owned()
            }
            Standing::Expired => {
                format!("该证已过有效期（有效期至 {expires}）。请勿给予优惠，请持证人联系联合会换发。")
            }
            other => format!("该证{}。请勿给予优惠，可告知持证人联系联合会。", standing_word(other)),
        };
        Ok(LookupResult {
            number: number.to_string(),
            standing,
            star: Some(card.issued.star),
            holder: card.issued.holder,
            expires_at: Some(card.issued.expires_at),
            message,
        })
    }
}
