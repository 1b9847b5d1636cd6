//! `zyz stars …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::Out;
use crate::app::{App, AppError};
use crate::domain::star::{StarPolicy, Window};
use crate::service::stars::CertifyRequest;

/// What can be done with stars.
#[derive(Debug, Subcommand)]
pub enum StarsCommand {
    /// Certify the year's batch of stars by hours served
    Certify(CertifyArgs),
    /// The rules in force, and new ones from a date on
    #[command(subcommand)]
    Policy(PolicyCommand),
}

/// Arguments of `zyz stars certify`.
#[derive(Debug, Args)]
pub struct CertifyArgs {
    /// The year whose hours count
    #[arg(long, value_name = "Y")]
    year: i16,
    /// Show who would get which star; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the list for the public notice (公示)
    #[arg(long, value_name = "OUT.xlsx")]
    list: Option<PathBuf>,
}

/// Star policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Show all policies
    List,
    /// Add a policy that holds from a date on
    Add {
        /// First day it holds
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Date,
        /// Hours for one to five stars
        #[arg(long, value_delimiter = ',', required = true, value_name = "H1,H2,H3,H4,H5")]
        hours: Vec<u32>,
        /// calendar_year, lifetime or rolling_12_months
        #[arg(long, default_value = "calendar_year", value_parser = |s: &str| Window::parse(s).map_err(|e| e.to_string()))]
        window: Window,
        /// Take a star away again when a later year is lower (default: kept, it is an honour)
        #[arg(long)]
        may_fall: bool,
    },
}

/// Runs a star command.
pub async fn run(app: &App, command: StarsCommand, out: Out) -> Result<(), AppError> {
    let federation = app.federation().await?;
    match command {
        StarsCommand::Certify(args) => {
            let request = CertifyRequest { year: args.year, dry_run: args.dry_run, list: args.list.as_deref() };
            let batch = federation.certify_stars(request).await?;
            out.result(&batch, |out| {
                let verb = if batch.dry_run { "试算（未写入）" } else { "认定" };
                out.line(format!(
                    "{verb} {} 年度星级（{}，{} 至 {}）：有服务记录 {} 人，星级变更 {} 人。",
                    batch.year, batch.window_label, batch.first_day, batch.last_day, batch.served, batch.changed
                ));
                for (star, count) in batch.by_star.iter().enumerate().skip(1).rev() {
                    out.line(format!("  {} {count} 人", crate::domain::star::label(star as u8)));
                }
                if let Some(list) = &args.list {
                    out.line(format!("公示名单：{}", list.display()));
                }
                if !batch.dry_run && batch.changed > 0 {
                    out.line("星级已变更的志愿者请换发新证：zyz issue --all --reissue");
                }
            });
        }
        StarsCommand::Policy(PolicyCommand::List) => {
            let policies = federation.star_policies().await?;
            out.result(&policies, |out| {
                let rows: Vec<_> = policies
                    .iter()
                    .map(|policy| {
                        let hours: Vec<_> = policy.hours.iter().map(ToString::to_string).collect();
                        vec![
                            policy.from.clone(),
                            hours.join("/"),
                            policy.window_label.to_owned(),
                            policy.keep_label.to_owned(),
                        ]
                    })
                    .collect();
                out.table(&["自", "一至五星（小时）", "计算范围", "后年不足时"], &rows);
            });
        }
        StarsCommand::Policy(PolicyCommand::Add { from, hours, window, may_fall }) => {
            let hours: [u32; 5] = hours
                .try_into()
                .map_err(|_| AppError::Usage("--hours 须给出五个小时数，如 100,300,600,1000,1500".into()))?;
            let thresholds_minutes = hours.map(|h| h.saturating_mul(60));
            federation
                .add_star_policy(StarPolicy { effective_from: from, thresholds_minutes, window, keep: !may_fall })
                .await?;
            out.result(&serde_json::json!({"from": from.to_string()}), |out| {
                out.line(format!("新的星级规则自 {from} 起施行。"));
            });
        }
    }
    Ok(())
}
