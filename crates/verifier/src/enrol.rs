//! Making this machine a partner's device: the link's one-time code for a token, then the first bundle.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;
use zyz_http::wire::{EnrolmentRequest, FederationInfo, PartnerInfo};

use crate::client::{Answer, Audience, ClientError, Federation, Fetched, NoCertificate};
use crate::data::{DataDir, DataError};
use crate::ledger::{Identity, Ledger, LedgerError};
use crate::link::EnrolmentLink;
use crate::root::RootKey;
use crate::trust::{Trust, TrustError};

/// Longest name of a device, characters.
pub const MAX_DEVICE_CHARS: usize = 40;

/// What is to be enrolled.
#[derive(Debug, Clone)]
pub struct EnrolRequest<'a> {
    /// From the federation.
    pub link: EnrolmentLink,
    /// The data folder; made if need be.
    pub data: &'a Path,
    /// What the partner calls this device.
    pub device: String,
    /// Certificates (PEM) to believe instead of the usual ones.
    pub ca: Option<String>,
    /// Whether a machine that is enrolled may be so anew. What it keeps of offers given stays.
    pub again: bool,
}

/// An enrolled machine.
#[derive(Debug)]
pub struct Enrolled {
    /// Whose device it is now.
    pub partner: PartnerInfo,
    /// Who issues the cards, if it could be asked.
    pub federation: Option<FederationInfo>,
    /// Version and offers of the first bundle, or why it is not there yet: syncing tries again.
    pub bundle: Result<(u64, usize), FirstBundleError>,
    /// Offers given before that wait to be sent.
    pub waiting: u64,
}

/// Why the first bundle is not there yet.
#[derive(Debug, Error)]
#[error(transparent)]
#[non_exhaustive]
pub enum FirstBundleError {
    /// The server gave none.
    Client(#[from] ClientError),
    /// It was not taken.
    Trust(#[from] TrustError),
}

/// Why the machine is not enrolled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The record cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What is remembered of bundles cannot be used, or belongs to another root key.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The certificates given are none.
    #[error(transparent)]
    Certificate(#[from] NoCertificate),
    /// No name, a long one, or control characters.
    #[error("设备名称应为 1 到 40 个字，用来在联合会那里区分各台设备，例如 --device 收银台1")]
    Device,
    /// It is a device of `partner` already.
    #[error("本机已经登记为“{partner}”的设备。确要重新登记，请加 --again（已有的优惠记录会保留）")]
    Already {
        /// The partner's name.
        partner: String,
    },
    /// The server did not take the code.
    #[error("登记没有成功：{0}")]
    Client(#[from] ClientError),
    /// The server has another root key than the link.
    #[error("服务器给出的根公钥与登记链接里的不同，可能有人冒充联合会。没有登记，请立即告知联合会")]
    OtherRoot,
    /// The machine was another partner's.
    #[error(
        "这个链接属于“{new}”，而数据文件夹里是“{old}”的记录。没有登记：请让联合会再发一个链接，并用 --data 另指一个文件夹"
    )]
    OtherPartner {
        /// Whose record it is.
        old: String,
        /// Whose link it is.
        new: String,
    },
}

/// Enrols. Everything that may fail on this side is tried before the one-time code is spent.
///
/// # Errors
/// [`EnrolError`]: nothing has changed then, except that the code may be spent.
pub async fn enrol(request: EnrolRequest<'_>) -> Result<Enrolled, EnrolError> {
    let device = request.device.trim().to_owned();
    if device.is_empty() || device.chars().count() > MAX_DEVICE_CHARS || device.chars().any(char::is_control) {
        return Err(EnrolError::Device);
    }
    let EnrolmentLink { server, code, root } = request.link;
    let federation = Federation::new(server.clone(), request.ca.as_deref().map(str::as_bytes))?;
    let data = DataDir::create(request.data)?;
    let ledger = Ledger::open(&data.database()?).await?;
    let before = ledger.identity().await?;
    if let Some(before) = before.as_ref().filter(|_| !request.again) {
        return Err(EnrolError::Already { partner: before.partner_name.clone() });
    }
    let trust = Trust::load(data, &root)?;
    ledger.probe().await?;

    let ask = EnrolmentRequest { code, device: device.clone() };
    let enrolment = blocking(&federation, move |federation| federation.enrol(&ask)).await?.value;
    if RootKey::from_hex(&enrolment.root_public_key).and_then(Result::ok) != Some(root) {
        return Err(EnrolError::OtherRoot);
    }
    if let Some(before) = before.filter(|before| before.partner_id != enrolment.partner.id) {
        return Err(EnrolError::OtherPartner { old: before.partner_name, new: enrolment.partner.name });
    }
    let identity = Identity {
        server: server.as_str().to_owned(),
        root: root.to_hex(),
        token: enrolment.token,
        device_id: enrolment.device_id,
        device,
        partner_id: enrolment.partner.id.clone(),
        partner_name: enrolment.partner.name.clone(),
        ca: request.ca,
    };
    ledger.set_identity(&identity).await?;

    let info = blocking(&federation, |federation| federation.info()).await.ok().map(|answer| answer.value);
    let info = info.filter(|info| info.root_public_key.eq_ignore_ascii_case(&identity.root));
    if let Some(info) = &info {
        ledger.set_federation(info).await?;
    }
    let bundle = first_bundle(&federation, &identity, Arc::new(trust)).await;
    let waiting = ledger.queue(0).await?.waiting;
    ledger.close().await?;
    Ok(Enrolled { partner: enrolment.partner, federation: info, bundle, waiting })
}

async fn first_bundle(
    federation: &Federation,
    identity: &Identity,
    trust: Arc<Trust>,
) -> Result<(u64, usize), FirstBundleError> {
    let token = identity.token.clone();
    let ask = move |federation: &Federation| federation.bundle(Audience::Partner(&token), None);
    let Fetched::Bundle { bytes, .. } = blocking(federation, ask).await?.value else {
        return Err(ClientError::Unexpected("没有数据包").into());
    };
    let accept = tokio::task::spawn_blocking(move || Ok((trust.accept(&bytes)?.bundle_version, trust.current())));
    let (version, current) =
        accept.await.map_err(|_| ClientError::Unexpected("本机程序出错"))?.map_err(FirstBundleError::Trust)?;
    Ok((version, current.state.offers().len()))
}

async fn blocking<T: Send + 'static>(
    federation: &Federation,
    ask: impl FnOnce(&Federation) -> Result<Answer<T>, ClientError> + Send + 'static,
) -> Result<Answer<T>, ClientError> {
    let federation = federation.clone();
    let answer = tokio::task::spawn_blocking(move || ask(&federation)).await;
    answer.map_err(|_| ClientError::Unexpected("本机程序出错"))?
}
