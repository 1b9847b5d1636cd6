//! `zyz init`.

use clap::Args;
use serde::Serialize;

use super::Out;
use crate::app::{App, AppError};
use crate::config;

/// Nothing besides the global options.
#[derive(Debug, Args)]
pub struct InitArgs {}

#[derive(Serialize)]
struct Made {
    root_public_key: String,
    issuing_key: String,
    bundle_key: String,
    data: String,
}

/// Makes database and keys; the root public key is the only thing on standard output besides the next steps.
pub async fn run(app: &App, _: InitArgs, out: Out) -> Result<(), AppError> {
    let data = &app.global.data;
    std::fs::create_dir_all(data).map_err(|source| AppError::Io { path: data.display().to_string(), source })?;
    let federation = app.initialise().await?;
    let configuration = data.join("zyz.toml");
    if app.global.config.is_none() && !configuration.exists() {
        std::fs::write(&configuration, config::EXAMPLE)
            .map_err(|source| AppError::Io { path: configuration.display().to_string(), source })?;
    }
    let keys = federation.keys().await?;
    let kid = |role: &str| keys.iter().find(|key| key.role == role).map(|key| key.kid.clone()).unwrap_or_default();
    let made = Made {
        root_public_key: federation.root_public_hex().await?,
        issuing_key: kid("issuing"),
        bundle_key: kid("bundle"),
        data: data.display().to_string(),
    };
    out.result(&made, |out| {
        out.raw(&made.root_public_key);
        let _ = out.note(format!(
            "已在 {} 建立数据库与密钥。上面一行是根公钥，合作单位登记时须核对。\n\
             下一步：在 {} 填写 public_url、联系电话；把 keys/root.pem 移到离线介质（见 docs/OPERATIONS.md）；\n\
             然后 zyz roster import 名册文件 --unit 单位名称 --county 02",
            made.data,
            configuration.display(),
        ));
    });
    Ok(())
}
