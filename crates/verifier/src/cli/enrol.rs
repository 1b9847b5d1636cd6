//! `zyz-verify enrol`: makes this machine a device of a partner.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use thiserror::Error;
use zyz_verifier::data::{DataError, default_folder};
use zyz_verifier::enrol::{EnrolError, EnrolRequest, Enrolled, enrol};
use zyz_verifier::link::{EnrolmentLink, LinkError};

use super::failed;

/// Make this machine a device of your shop or clinic, by the link that the federation gave you
///
/// The link is good once. Compare the fingerprint that is shown with the one the federation tells you.
#[derive(Debug, Args)]
pub(super) struct EnrolArgs {
    /// https://…/scan#enrol=CODE&root=KEY, in quotation marks; `-` reads it from standard input
    #[arg(value_name = "LINK")]
    link: String,

    /// Folder for what this machine keeps; made if missing [default: in the user's own data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// What this device is called, at most 40 characters
    #[arg(long, value_name = "NAME", default_value = "核验电脑")]
    device: String,

    /// Certificates (PEM) to believe when asking the server, instead of the usual ones
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,

    /// Enrol anew a machine that is enrolled; what it keeps of offers given stays
    #[arg(long)]
    again: bool,
}

#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    #[error("无法读取证书文件 {}：{source}", path.display())]
    Certificate { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Io(#[from] io::Error),
}

pub(super) fn run(args: EnrolArgs) -> ExitCode {
    match enrolled(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn enrolled(args: EnrolArgs) -> Result<(), Failure> {
    let text = if args.link == "-" { io::read_to_string(io::stdin().lock())? } else { args.link };
    let link: EnrolmentLink = text.parse()?;
    let mut out = io::stdout().lock();
    writeln!(out, "联合会的根公钥指纹，请与联合会告知的核对：\n{}\n", link.root.fingerprint())?;
    let data = args.data.map_or_else(default_folder, Ok)?;
    let ca = args.ca_file.map(|path| fs::read_to_string(&path).map_err(|source| Failure::Certificate { path, source }));
    let request = EnrolRequest { link, data: &data, device: args.device, ca: ca.transpose()?, again: args.again };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Enrolled { partner, federation, bundle, waiting } = runtime.block_on(enrol(request))?;
    writeln!(out, "已登记：{}", partner.name)?;
    if let Some(federation) = federation {
        writeln!(out, "联合会：{}", federation.name)?;
    }
    match bundle {
        Ok((version, offers)) => writeln!(out, "数据包：第 {version} 版，优惠项目 {offers} 个")?,
        Err(error) => writeln!(out, "数据包：还没有取到，启动后会自动重试（{error}）")?,
    }
    if waiting > 0 {
        writeln!(out, "待上传：{waiting} 条优惠记录，启动后自动上传")?;
    }
    writeln!(out, "数据文件夹：{}\n接下来运行 zyz-verify serve", data.display())?;
    Ok(())
}
