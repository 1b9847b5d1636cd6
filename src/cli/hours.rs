//! `zyz hours …`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Out;
use crate::app::{App, AppError};
use crate::service::hours::HoursRequest;

/// What can be done with service hours.
#[derive(Debug, Subcommand)]
pub enum HoursCommand {
    /// Import a sheet of service records: who, date, start–end or hours, content, activity, place, item
    Import(ImportArgs),
}

/// Arguments of `zyz hours import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The spreadsheet
    file: PathBuf,
    /// Check and report only; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the sheet back with an 错误 column and coloured cells
    #[arg(long, value_name = "OUT.xlsx")]
    report: Option<PathBuf>,
}

/// Runs an hours command.
pub async fn run(app: &App, HoursCommand::Import(args): HoursCommand, out: Out) -> Result<ExitCode, AppError> {
    let federation = app.federation().await?;
    let done = federation
        .import_hours(HoursRequest { file: &args.file, dry_run: args.dry_run, report: args.report.as_deref() })
        .await?;
    out.result(&done, |out| {
        let verb = if done.dry_run { "试导入（未写入）" } else { "导入" };
        out.line(format!(
            "{verb}服务记录：共 {} 行，新记录 {}（{:.1} 小时），已有 {}，退回 {}。",
            done.rows,
            done.imported,
            done.minutes as f64 / 60.0,
            done.known,
            done.refused.len()
        ));
        for flag in &done.flagged {
            out.line(format!("  标记：{} {} 行", flag.label, flag.rows));
        }
        super::output::refused(out, &done.refused);
        if let Some(report) = &args.report {
            out.line(format!("逐行报告：{}", report.display()));
        }
    });
    for warning in &done.warnings {
        out.warn(warning);
    }
    Ok(ExitCode::SUCCESS)
}
