//! `zyz revoke`, `suspend`, `resume`, `replace`.

use clap::Args;

use super::Out;
use crate::app::{App, AppError};
use crate::domain::certificate::Reason;
use crate::service::lifecycle::StatusChange;

/// Arguments of the commands that change a card's standing.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// Certificate number, ten digits
    number: String,
    /// Why: exit, lost, misuse, error, deceased, resumed, reissue, other
    #[arg(long, value_name = "REASON", value_parser = |s: &str| Reason::parse(s).map_err(|e| e.to_string()))]
    reason: Reason,
}

/// Takes a card back for good.
pub async fn revoke(app: &App, args: ChangeArgs, out: Out) -> Result<(), AppError> {
    let number = super::number(&args.number)?;
    say(&app.federation().await?.revoke(number, args.reason).await?, out);
    Ok(())
}

/// Holds a card back for a while.
pub async fn suspend(app: &App, args: ChangeArgs, out: Out) -> Result<(), AppError> {
    let number = super::number(&args.number)?;
    say(&app.federation().await?.suspend(number, args.reason).await?, out);
    Ok(())
}

/// Lifts a suspension.
pub async fn resume(app: &App, args: ChangeArgs, out: Out) -> Result<(), AppError> {
    let number = super::number(&args.number)?;
    say(&app.federation().await?.resume(number, args.reason).await?, out);
    Ok(())
}

/// Gives a new card for an old one.
pub async fn replace(app: &App, args: ChangeArgs, out: Out) -> Result<(), AppError> {
    let number = super::number(&args.number)?;
    say(&app.federation().await?.replace(number, args.reason).await?, out);
    Ok(())
}

fn say(change: &StatusChange, out: Out) {
    out.result(change, |out| {
        out.line(&change.message);
        out.line("合作单位下次同步后生效：zyz serve 运行着即自动公布，否则请运行 zyz publish。");
    });
}
