//! `zyz publish`.

use std::path::PathBuf;

use clap::Args;

use super::Out;
use crate::app::{App, AppError};

/// Arguments of `zyz publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Folder for the files (made if missing); a web server or CDN can serve it as it is
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// After restoring an old backup: lift the bundle's version to at least this
    #[arg(long, value_name = "VERSION")]
    at_least: Option<u64>,
}

/// Writes trust list, bundle and status lists.
pub async fn run(app: &App, args: PublishArgs, out: Out) -> Result<(), AppError> {
    let federation = app.federation().await?;
    let done = federation.publish(&args.out, args.at_least.unwrap_or(0)).await?;
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
        for file in &done.files {
            out.line(format!("  {file}"));
        }
    });
    for warning in &done.warnings {
        out.warn(warning);
    }
    Ok(())
}
