//! `zyz key …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Out;
use crate::app::{App, AppError};
use crate::keystore::Role;
use crate::service::keys::{KeyChange, RootAccess};

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Show all keys: id, role, state, validity
    List,
    /// Make a new issuing or bundle key and retire the one in use; cards signed so far stay good
    Rotate {
        /// Which kind of key
        role: RotateRole,
        #[command(flatten)]
        root: RootArgs,
    },
    /// Stop signing with a key; what it signed stays good
    Retire {
        /// Key id, eight hexadecimal digits
        kid: String,
        #[command(flatten)]
        root: RootArgs,
    },
    /// Give a key up as stolen: its cards are refused from the next bundle on. Lists whom to reissue
    Compromise {
        /// Key id, eight hexadecimal digits
        kid: String,
        #[command(flatten)]
        root: RootArgs,
    },
    /// Sign the trust list anew, before it expires
    Renew {
        #[command(flatten)]
        root: RootArgs,
    },
}

/// Keys that can be rotated.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RotateRole {
    /// Signs cards
    Issuing,
    /// Signs bundles
    Bundle,
}

/// Where the root key is, when it is kept elsewhere.
#[derive(Debug, Args)]
pub struct RootArgs {
    /// The root key's file, if it is not in the data folder
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
    /// File with the root key's passphrase, if it differs from that of the other keys
    #[arg(long, value_name = "FILE")]
    root_passphrase_file: Option<PathBuf>,
}

impl RootArgs {
    fn access(&self) -> Result<RootAccess, AppError> {
        let passphrase = match &self.root_passphrase_file {
            Some(path) => Some(crate::app::passphrase_from(path)?),
            None => None,
        };
        Ok(RootAccess { file: self.root_key.clone(), passphrase })
    }
}

/// Runs a key command.
pub async fn run(app: &App, command: KeyCommand, out: Out) -> Result<(), AppError> {
    let federation = app.federation().await?;
    match command {
        KeyCommand::List => {
            let keys = federation.keys().await?;
            out.result(&keys, |out| {
                let rows: Vec<_> = keys
                    .iter()
                    .map(|key| {
                        vec![
                            key.kid.clone(),
                            key.role_label.to_owned(),
                            key.state_label.to_owned(),
                            key.not_before.clone(),
                            key.not_after.clone().unwrap_or_default(),
                            key.list_used.map(|n| n.to_string()).unwrap_or_default(),
                            key.public_key.clone(),
                        ]
                    })
                    .collect();
                out.table(&["密钥", "用途", "状态", "启用", "停用", "已用序号", "公钥"], &rows);
            });
        }
        KeyCommand::Rotate { role, root } => {
            let role = match role {
                RotateRole::Issuing => Role::Issuing,
                RotateRole::Bundle => Role::Bundle,
            };
            say(&federation.rotate_key(role, root.access()?).await?, out);
        }
        KeyCommand::Retire { kid, root } => say(&federation.retire_key(&kid, root.access()?).await?, out),
        KeyCommand::Compromise { kid, root } => say(&federation.compromise_key(&kid, root.access()?).await?, out),
        KeyCommand::Renew { root } => say(&federation.renew_trust_list(root.access()?).await?, out),
    }
    Ok(())
}

fn say(change: &KeyChange, out: Out) {
    out.result(change, |out| {
        out.line(&change.message);
        if !change.reissue.is_empty() {
            out.line(format!("以下 {} 张证由该密钥签发，须换发（zyz issue --all --reissue）：", change.reissue.len()));
            let rows: Vec<_> = change.reissue.iter().map(|card| vec![card.number.clone(), card.name.clone()]).collect();
            out.table(&["证书编号", "姓名"], &rows);
        }
        out.line("合作单位下次同步后生效：zyz serve 运行着即自动公布，否则请运行 zyz publish。");
    });
}
