//! `zyz issue`.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::Out;
use crate::app::{App, AppError};
use crate::service::Selection;
use crate::service::issue::IssueRequest;

/// Arguments of `zyz issue`.
#[derive(Debug, Args)]
pub struct IssueArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// Also replace cards whose star has changed, whose key is compromised or that have expired; with --volunteer, the card in any case
    #[arg(long)]
    reissue: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhoArgs {
    /// Every volunteer
    #[arg(long)]
    all: bool,
    /// The volunteers of one unit
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// One volunteer, by certificate number
    #[arg(long, value_name = "NUMBER")]
    volunteer: Option<String>,
}

/// Signs cards. Ctrl-C ends it after the present transaction; running it again goes on there.
pub async fn run(app: &App, args: IssueArgs, out: Out) -> Result<ExitCode, AppError> {
    let selection = match (args.who.unit, args.who.volunteer) {
        (Some(unit), _) => Selection::Unit(unit),
        (_, Some(number)) => Selection::Numbers(vec![super::number(&number)?]),
        _ => Selection::All,
    };
    let federation = app.federation().await?;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            flag.store(true, Ordering::Relaxed);
        }
    });
    let bar = out.progress("签发", 0);
    let result = federation
        .issue(IssueRequest { selection, reissue: args.reissue }, &stop, &|done, total| {
            super::output::step(&bar, done, total)
        })
        .await;
    bar.finish_and_clear();
    let done = result?;
    out.result(&done, |out| {
        out.line(format!("签发 {} 张证（其中换发 {} 张）。", done.issued.len(), done.replaced));
        if done.issued.is_empty() {
            out.line("所选志愿者都已有有效的证。");
        } else {
            out.line("请随后打印：zyz print …；没有运行 zyz serve 的，并公布：zyz publish --out 目录");
        }
        if done.interrupted {
            out.line(format!("已按要求中断，尚余 {} 人；再次运行同一命令即从此处继续。", done.remaining));
        }
    });
    Ok(if done.interrupted { ExitCode::from(130) } else { ExitCode::SUCCESS })
}
