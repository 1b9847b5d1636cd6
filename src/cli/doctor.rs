//! `zyz doctor`.

use std::process::ExitCode;

use super::Out;
use crate::app::{App, AppError};

/// Checks everything and says what to do; fails if something needs an administrator.
pub async fn run(app: &App, out: Out) -> Result<ExitCode, AppError> {
    let federation = app.federation().await?;
    let report = federation.doctor().await?;
    out.result(&report, |out| {
        for check in &report.checks {
            out.line(format!("{} {}：{}", if check.ok { "✓" } else { "✕" }, check.what, check.says));
        }
        out.line(if report.ok { "一切正常。" } else { "有需要处理的事项，见带 ✕ 的行。" });
    });
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
