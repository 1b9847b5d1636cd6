//! `zyz roster …`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Out;
use crate::app::{App, AppError};
use crate::domain::division::County;
use crate::service::import::RosterRequest;
use crate::service::reading::RosterReading;

/// What can be done with rosters.
#[derive(Debug, Subcommand)]
pub enum RosterCommand {
    /// Import a unit's roster (附件2, or any table with 姓名 and 身份证号): .xlsx, .xls, .csv
    Import(ImportArgs),
}

/// Arguments of `zyz roster import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The spreadsheet
    file: PathBuf,
    /// The unit that sends it
    #[arg(long, value_name = "NAME")]
    unit: String,
    /// Its county: 00 the city itself, 02 思茅, 21 宁洱 … (code or name)
    #[arg(long, value_name = "CC", value_parser = parse_county)]
    county: County,
    /// Check and report only; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the sheet back with an 错误 column and coloured cells
    #[arg(long, value_name = "OUT.xlsx")]
    report: Option<PathBuf>,
    /// Import nothing if any row is refused
    #[arg(long)]
    strict: bool,
}

fn parse_county(text: &str) -> Result<County, String> {
    County::parse(text).map_err(|error| error.to_string())
}

/// Runs a roster command.
pub async fn run(app: &App, RosterCommand::Import(args): RosterCommand, out: Out) -> Result<ExitCode, AppError> {
    // The file is read while the keys are unlocked.
    let roster = RosterReading::begin(&args.file, &app.config, app.clock().now());
    let federation = app.federation().await?;
    let bar = out.progress("导入名册", 0);
    let result = federation
        .import_roster(
            RosterRequest {
                roster,
                unit: &args.unit,
                county: args.county,
                dry_run: args.dry_run,
                strict: args.strict,
                report: args.report.as_deref(),
            },
            &|done, total| super::output::step(&bar, done, total),
        )
        .await;
    bar.finish_and_clear();
    let done = result?;
    out.result(&done, |out| {
        let verb = if done.dry_run { "试导入（未写入）" } else { "导入" };
        out.line(format!(
            "{verb}：共 {} 行，新登记 {}，已在册 {}，退回 {}。",
            done.rows,
            done.imported,
            done.known,
            done.refused.len()
        ));
        super::output::refused(out, &done.refused);
        if let Some(report) = &args.report {
            out.line(format!("逐行报告：{}（可直接退给单位修改）", report.display()));
        }
        if done.nothing_imported_because_strict {
            out.line("有退回的行，按 --strict 要求一行也没有写入。");
        }
    });
    for warning in &done.warnings {
        out.warn(warning);
    }
    Ok(if done.nothing_imported_because_strict { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
