//! Devices of partners: a one-time link makes one, its token is known to it alone, and it can be revoked.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;
use zyz_http::wire::{Enrolment, PartnerInfo};

use super::partners::PartnerError;
use super::publish::later;
use super::{Federation, ServiceError, rfc3339};
use crate::domain::partner::{AgreementState, DeviceId, DeviceName, PartnerId};
use crate::store::{Device, EnrolmentCode};

/// Days for which an enrolment link is good, unless the administrator says otherwise.
pub const LINK_DAYS: u32 = 7;
/// The longest that an enrolment link may be good, days.
pub const MAX_LINK_DAYS: u32 = 90;
/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a one-time code: 128 bits, five each.
const CODE_CHARS: usize = 26;
const TOKEN_PREFIX: &str = "zyzp_";

/// The one-time code of an enrolment link, 128 bits. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode([u8; 16]);

/// A device's bearer token, 256 bits: `zyzp_` and base64url. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceToken([u8; 32]);

/// A text that is no one-time code or no token. What it was is not repeated: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("格式不对")]
pub struct NotASecret;

/// A device that said who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerDevice {
    /// The device.
    pub device: DeviceId,
    /// What its partner calls it.
    pub name: String,
    /// Its partner.
    pub partner: PartnerId,
    /// The partner's name.
    pub partner_name: String,
    /// Whether the partner's agreement is over: its uses are taken, and nothing else is given.
    pub agreement_ended: bool,
}

impl PartnerDevice {
    /// The partner, as it may know itself.
    pub fn partner_info(&self) -> PartnerInfo {
        PartnerInfo { id: self.partner.to_string(), name: self.partner_name.clone() }
    }
}

/// Why a bearer token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// No device has it.
    #[error("令牌无效")]
    Unknown,
    /// The device was revoked.
    #[error("这台设备已被停用")]
    Revoked,
    /// The partner's agreement is over.
    #[error("合作协议已终止")]
    Ended,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(AuthenticateError);

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub enum EnrolLinkError {
    /// No partner has this id.
    #[error("没有编号为 {id} 的合作单位。用 zyz partner list 查看")]
    UnknownPartner {
        /// The id asked for.
        id: PartnerId,
    },
    /// The partner's agreement is over.
    #[error("“{name}”的协议已终止，不能再登记设备")]
    AgreementEnded {
        /// Its name.
        name: String,
    },
    /// Good for no day, or too many.
    #[error("--valid-days 须在 1 到 {MAX_LINK_DAYS} 之间")]
    ValidDays,
    /// Nobody said where the server is.
    #[error("不知道服务器网址：请在 zyz.toml 里写 public_url，或用 --server-url 指明，如 https://zyz.example.cn/")]
    NoServer,
    /// An address that is none.
    #[error("--server-url 须以 https:// 开头（本机试用可用 http://），不能含空格、? 或 #")]
    ServerUrl,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(EnrolLinkError);

/// Why a device was not enrolled. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// No link has this code.
    #[error("登记链接无效。请联合会重新发一个")]
    UnknownCode,
    /// The link was used.
    #[error("登记链接已经用过。请联合会重新发一个")]
    UsedCode,
    /// The link is too old.
    #[error("登记链接已过期。请联合会重新发一个")]
    ExpiredCode,
    /// The partner's agreement is over.
    #[error("合作协议已终止，不能登记设备")]
    AgreementEnded,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(EnrolError);

/// Why a device was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeDeviceError {
    /// No device has this id.
    #[error("没有编号为 {id} 的设备。用 zyz partner devices 查看")]
    Unknown {
        /// The id asked for.
        id: DeviceId,
    },
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(RevokeDeviceError);

/// An enrolment link, shown once.
#[derive(Clone, Serialize)]
pub struct EnrolmentLink {
    /// Key of the partner.
    pub partner: i64,
    /// Its name.
    pub partner_name: String,
    /// The name proposed for the device.
    pub device: Option<String>,
    /// The link with the one-time code and the root key.
    pub link: String,
    /// Until when it is good, RFC 3339.
    pub expires_at: String,
    /// Root public key, 64 hexadecimal digits.
    pub root_public_key: String,
    /// The same in groups of four, to be read out.
    pub root_fingerprint: String,
}

impl fmt::Debug for EnrolmentLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentLink").field("partner", &self.partner).finish_non_exhaustive()
    }
}

/// A device, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceLine {
    /// Key.
    pub id: i64,
    /// Key of the partner.
    pub partner: i64,
    /// What the partner calls it.
    pub name: String,
    /// When enrolled, RFC 3339.
    pub enrolled_at: String,
    /// When last heard of, to the hour or so, RFC 3339.
    pub last_seen_at: Option<String>,
    /// When revoked, RFC 3339; none while it is good.
    pub revoked_at: Option<String>,
}

impl Federation {
    /// Makes an enrolment link for a partner, good for `days` days and one device. `device` is the name proposed for it;
    /// `server` is the server's address, none for the configured `public_url`.
    ///
    /// # Errors
    /// [`EnrolLinkError`].
    pub async fn enrolment_link(
        &self,
        partner: PartnerId,
        device: Option<&DeviceName>,
        server: Option<&str>,
        days: u32,
    ) -> Result<EnrolmentLink, EnrolLinkError> {
        if !(1..=MAX_LINK_DAYS).contains(&days) {
            return Err(EnrolLinkError::ValidDays);
        }
        let server = self.server_address(server)?;
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        let code = OneTimeCode::new(random);
        let mut tx = self.begin().await?;
        let row = tx.partner(partner).await?.ok_or(EnrolLinkError::UnknownPartner { id: partner })?;
        if row.agreement.state(tx.now()) == AgreementState::Ended {
            return Err(EnrolLinkError::AgreementEnded { name: row.name });
        }
        let root = *self.root_public(&mut tx).await?.as_bytes();
        let expires_at = later(tx.now(), days, 24);
        let device = device.map(|name| name.as_str().to_owned());
        let new = EnrolmentCode { hash: code.hash(), partner, device_name: device.clone(), expires_at, device: None };
        tx.insert_enrolment_code(&new).await?;
        tx.commit().await?;
        let hex = hex::encode(root);
        let groups: Vec<_> = (0..hex.len()).step_by(4).map(|at| &hex[at..at + 4]).collect();
        Ok(EnrolmentLink {
            partner: partner.0,
            partner_name: row.name,
            device,
            link: format!("{server}scan#enrol={}&root={}", code.text(), base64url(&root)),
            expires_at: rfc3339(expires_at),
            root_fingerprint: groups.join(" "),
            root_public_key: hex,
        })
    }

    /// Makes a device of a one-time code. Atomic: of two who come with one code, one gets a device.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn enrol(&self, code: &OneTimeCode, device: &DeviceName) -> Result<Enrolment, EnrolError> {
        let hash = code.hash();
        // Whoever guesses codes does not keep the writers waiting.
        let row = self.store.read().await?.enrolment_code(&hash).await?.ok_or(EnrolError::UnknownCode)?;
        let mut random = Zeroizing::new([0; 32]);
        self.entropy.fill(random.as_mut());
        let token = DeviceToken::new(*random);
        let mut tx = self.begin_as(&format!("partner/{}", row.partner)).await?;
        let row = tx.enrolment_code(&hash).await?.ok_or(EnrolError::UnknownCode)?;
        if row.device.is_some() {
            return Err(EnrolError::UsedCode);
        }
        if tx.now() >= row.expires_at {
            return Err(EnrolError::ExpiredCode);
        }
        let partner = tx.partner(row.partner).await?.ok_or(EnrolError::UnknownCode)?;
        if partner.agreement.state(tx.now()) == AgreementState::Ended {
            return Err(EnrolError::AgreementEnded);
        }
        let root = *self.root_public(&mut tx).await?.as_bytes();
        let made = tx.enrol_device(&row, device.as_str(), &token.hash()).await?.ok_or(EnrolError::UsedCode)?;
        tx.commit().await?;
        tracing::info!(partner = %row.partner, device = %made, "device enrolled");
        Ok(Enrolment {
            token: token.text(),
            device_id: made.to_string(),
            partner: PartnerInfo { id: partner.id.to_string(), name: partner.name },
            root_public_key: hex::encode(root),
        })
    }

    /// Whose token this is, for everything but sending uses.
    ///
    /// # Errors
    /// [`AuthenticateError`].
    pub async fn authenticate(&self, token: &DeviceToken) -> Result<PartnerDevice, AuthenticateError> {
        let device = self.authenticate_for_uses(token).await?;
        if device.agreement_ended { Err(AuthenticateError::Ended) } else { Ok(device) }
    }

    /// Whose token this is, for sending uses: what was given must be recorded after the agreement's end too.
    ///
    /// # Errors
    /// [`AuthenticateError::Unknown`], [`AuthenticateError::Revoked`].
    pub async fn authenticate_for_uses(&self, token: &DeviceToken) -> Result<PartnerDevice, AuthenticateError> {
        let now = self.now();
        let mut reader = self.store.read().await?;
        let device = reader.device_by_token(&token.hash()).await?.ok_or(AuthenticateError::Unknown)?;
        if device.revoked_at.is_some() {
            return Err(AuthenticateError::Revoked);
        }
        let partner = reader.partner(device.partner).await?.ok_or(AuthenticateError::Unknown)?;
        drop(reader);
        let hour_ago = now.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(now);
        if device.last_seen_at.is_none_or(|seen| seen <= hour_ago)
            && let Err(error) = self.store.touch_device(device.id, now, hour_ago).await
        {
            // Nobody is turned away because a note could not be made.
            tracing::warn!(device = %device.id, %error, "last contact not noted");
        }
        Ok(PartnerDevice {
            device: device.id,
            name: device.name,
            partner: partner.id,
            partner_name: partner.name,
            agreement_ended: partner.agreement.state(now) == AgreementState::Ended,
        })
    }

    /// A partner's devices in the order of their enrolment, revoked ones included.
    ///
    /// # Errors
    /// [`PartnerError::Unknown`].
    pub async fn devices(&self, partner: PartnerId) -> Result<Vec<DeviceLine>, PartnerError> {
        let mut reader = self.store.read().await?;
        reader.partner(partner).await?.ok_or(PartnerError::Unknown { id: partner })?;
        Ok(reader.devices(Some(partner)).await?.into_iter().map(DeviceLine::new).collect())
    }

    /// Revokes a device: its token is refused from now on. Revoking it again changes nothing.
    ///
    /// # Errors
    /// [`RevokeDeviceError`].
    pub async fn revoke_device(&self, id: DeviceId) -> Result<DeviceLine, RevokeDeviceError> {
        let mut tx = self.begin().await?;
        tx.revoke_device(id).await?;
        let device = tx.device(id).await?.ok_or(RevokeDeviceError::Unknown { id })?;
        tx.commit().await?;
        Ok(DeviceLine::new(device))
    }

    /// Where the server is, with a slash at its end.
    fn server_address(&self, given: Option<&str>) -> Result<String, EnrolLinkError> {
        let address = given.unwrap_or(&self.config.public_url).trim();
        if address.is_empty() {
            return Err(EnrolLinkError::NoServer);
        }
        let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let good = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
            && address.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte));
        if !good {
            return Err(EnrolLinkError::ServerUrl);
        }
        Ok(if address.ends_with('/') { address.to_owned() } else { format!("{address}/") })
    }
}

impl DeviceLine {
    pub(super) fn new(row: Device) -> Self {
        Self {
            id: row.id.0,
            partner: row.partner.0,
            name: row.name,
            enrolled_at: rfc3339(row.enrolled_at),
            last_seen_at: row.last_seen_at.map(rfc3339),
            revoked_at: row.revoked_at.map(rfc3339),
        }
    }
}

impl OneTimeCode {
    /// Of random bytes.
    pub(super) fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The text in the link: 26 characters.
    pub(super) fn text(&self) -> String {
        // 128 bits and two zero bits behind them.
        let bits = u128::from_be_bytes(self.0);
        let digit = |place: usize| {
            let shift = 123_i32 - 5 * place as i32;
            if shift >= 0 { bits >> shift & 31 } else { bits << -shift & 31 }
        };
        (0..CODE_CHARS).map(|place| ALPHABET[digit(place) as usize] as char).collect()
    }

    /// What is stored of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl FromStr for OneTimeCode {
    type Err = NotASecret;

    /// Reads the text in a link; small letters, and I, L, O for 1, 1, 0 as Crockford has it, are taken too.
    fn from_str(text: &str) -> Result<Self, NotASecret> {
        if text.len() != CODE_CHARS {
            return Err(NotASecret);
        }
        let mut bits: u128 = 0;
        for (place, byte) in text.bytes().enumerate() {
            let byte = match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let digit = ALPHABET.iter().position(|known| *known == byte).ok_or(NotASecret)? as u128;
            if place + 1 < CODE_CHARS {
                bits = bits << 5 | digit;
            } else if digit & 3 == 0 {
                bits = bits << 3 | digit >> 2;
            } else {
                return Err(NotASecret);
            }
        }
        Ok(Self(bits.to_be_bytes()))
    }
}

impl DeviceToken {
    /// Of random bytes.
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The text that the device keeps.
    pub(super) fn text(&self) -> String {
        format!("{TOKEN_PREFIX}{}", base64url(&self.0))
    }

    /// What is stored of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl FromStr for DeviceToken {
    type Err = NotASecret;

    fn from_str(text: &str) -> Result<Self, NotASecret> {
        use base64::Engine;
        let rest = text.strip_prefix(TOKEN_PREFIX).ok_or(NotASecret)?;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(rest).map_err(|_| NotASecret)?;
        bytes.try_into().map(Self).map_err(|_| NotASecret)
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceToken(…)")
    }
}

/// Without padding.
fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_26_characters_and_reads_back() {
        for bytes in [[0; 16], [0xff; 16], *b"0123456789abcdef"] {
            let code = OneTimeCode::new(bytes);
            assert_eq!(code.text().len(), CODE_CHARS);
            assert_eq!(code.text().parse(), Ok(code.clone()));
            assert_eq!(code.text().to_lowercase().parse(), Ok(code));
        }
        assert_eq!(OneTimeCode::new([0; 16]).text(), "0".repeat(26));
        assert_eq!("O".repeat(26).parse(), Ok(OneTimeCode::new([0; 16])));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for wrong in ["", &"0".repeat(25), &"0".repeat(27), &"U".repeat(26), &format!("{}1", "0".repeat(25)), "零"] {
            assert_eq!(wrong.parse::<OneTimeCode>(), Err(NotASecret), "{wrong}");
        }
    }

    #[test]
    fn a_token_reads_back_and_shows_nothing() {
        let token = DeviceToken::new([7; 32]);
        assert!(token.text().starts_with("zyzp_"));
        assert_eq!(token.text().parse(), Ok(token.clone()));
        assert_eq!(format!("{token:?} {:?}", OneTimeCode::new([1; 16])), "DeviceToken(…) OneTimeCode(…)");
        for wrong in ["", "zyzp_", "zyzp_AAAA", &token.text()[5..], &format!("{}A", token.text())] {
            assert_eq!(wrong.parse::<DeviceToken>(), Err(NotASecret), "{wrong}");
        }
    }
}
