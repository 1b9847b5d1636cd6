//! `zyz publish`.

use std::path::PathBuf;

use clap::Args;

use super::Out;
use crate::app::{App, AppError};
use crate::domain::partner::PartnerId;

/// Arguments of `zyz publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Folder for the files (made if missing); a web server or CDN can serve it as it is
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// After restoring an old backup: lift the bundle's version to at least this
    #[arg(long, value_name = "VERSION")]
    at_least: Option<u64>,
    /// Also write partners/ID/bundle.cose with this partner's offers; may be repeated
    #[arg(long, value_name = "ID")]
    partner: Vec<PartnerId>,
}

/// Writes trust list, bundle and status lists.
pub async fn run(app: &App, args: PublishArgs, out: Out) -> Result<(), AppError> {
    let federation = app.federation().await?;
    let done = federation.publish(&args.out, args.at_least.unwrap_or(0), &args.partner).await?;
    out.result(&done, |out| {
        out.line(format!(
            "数据包第 {} 版（信任列表第 {} 版），有效至 {}：已注销 {}，已暂停 {}，已换发 {}；共 {} 字节。",
            done.bundle_version,
            done.trust_list_version,
            done.expires_at,
            done.revoked,
            done.suspended,
            done.superseded,
            done.bundle_bytes
        ));
        for partner in &done.partners {
            out.line(format!(
                "  {}：数据包第 {} 版，优惠项目 {} 个",
                partner.name, partner.bundle_version, partner.offers
            ));
        }
        for file in &done.files {
            out.line(format!("  {file}"));
        }
    });
    for warning in &done.warnings {
        out.warn(warning);
    }
    Ok(())
}
