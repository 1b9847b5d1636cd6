//! The command line: arguments in, a service called, its result shown. One file a subcommand.
//!
//! Invariant: names no `store`; everything goes through `service`.
//! To add a command: a variant here, a file beside, a service, a transcript in `tests/cli`, a line in the README.

mod card;
mod demo;
mod doctor;
mod hours;
mod init;
mod issue;
mod key;
mod migrate;
mod offer;
mod output;
mod partner;
mod print;
mod publish;
mod roster;
mod serve;
mod staff;
mod stars;
mod status;
mod volunteer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::{App, AppError, Global};
use crate::config;
pub use output::Out;

/// Register volunteers, certify stars, issue, print and publish signed volunteer cards.
#[derive(Debug, Parser)]
#[command(name = "zyz", version, about, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the database and the keys; print the root public key
    Init(init::InitArgs),
    /// List, rotate, retire or give up signing keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Import rosters of volunteers
    #[command(subcommand)]
    Roster(roster::RosterCommand),
    /// Import service hours
    #[command(subcommand)]
    Hours(hours::HoursCommand),
    /// Certify stars by hours served; the rules they follow
    #[command(subcommand)]
    Stars(stars::StarsCommand),
    /// Sign cards for volunteers that have none
    Issue(issue::IssueArgs),
    /// Print cards as PDF sheets
    Print(print::PrintArgs),
    /// Print a calibration page for adjusting the printer
    Calibrate(print::CalibrateArgs),
    /// One card as a picture or as the text of its code
    Card(card::CardArgs),
    /// Revoke a card for good (with --reason exit: the volunteer leaves)
    Revoke(status::ChangeArgs),
    /// Suspend a card for a while
    Suspend(status::ChangeArgs),
    /// Lift a suspension
    Resume(status::ChangeArgs),
    /// Replace a lost or damaged card by a new one; the old one stops working
    Replace(status::ChangeArgs),
    /// Write trust list, bundle and status lists as static files
    Publish(publish::PublishArgs),
    /// Serve the federation's HTTP interface and the scanner page
    Serve(serve::ServeArgs),
    /// Look at volunteers
    #[command(subcommand)]
    Volunteer(volunteer::VolunteerCommand),
    /// Partners: agreements, devices, what was given
    #[command(subcommand)]
    Partner(partner::PartnerCommand),
    /// What partners give to holders of the card
    #[command(subcommand)]
    Offer(offer::OfferCommand),
    /// Accounts of the console
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Check keys, database, audit trail, fonts and due dates
    Doctor,
    /// Bring the database of an older release up to this one
    Migrate,
    /// Show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Run the whole main job on invented people in a new folder
    Demo(demo::DemoArgs),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the commented example configuration
    Print,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // A command needs little at once; a server all cores.
    let workers = match &cli.command {
        Command::Serve(args) => {
            args.start_log();
            std::thread::available_parallelism().map_or(2, usize::from).max(2)
        }
        _ => {
            let filter = tracing_subscriber::EnvFilter::try_from_env("ZYZ_LOG").unwrap_or_else(|_| "error".into());
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
            2
        }
    };
    let out = Out::new(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&AppError::Runtime(error)),
    };
    match runtime.block_on(run(cli.global, cli.command, out)) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

async fn run(global: Global, command: Command, out: Out) -> Result<ExitCode, AppError> {
    let done = ExitCode::SUCCESS;
    match command {
        Command::Config(ConfigCommand::Print) => {
            out.raw(config::EXAMPLE.trim_end());
            Ok(done)
        }
        Command::Init(args) => init::run(&App::new(global)?, args, out).await.map(|()| done),
        Command::Demo(args) => demo::run(global, args, out).await.map(|()| done),
        Command::Key(command) => key::run(&App::new(global)?, command, out).await.map(|()| done),
        Command::Roster(command) => roster::run(&App::new(global)?, command, out).await,
        Command::Hours(command) => hours::run(&App::new(global)?, command, out).await,
        Command::Stars(command) => stars::run(&App::new(global)?, command, out).await.map(|()| done),
        Command::Issue(args) => issue::run(&App::new(global)?, args, out).await,
        Command::Print(args) => print::run(&App::new(global)?, args, out).await.map(|()| done),
        Command::Calibrate(args) => print::calibrate(&App::new(global)?, args, out).map(|()| done),
        Command::Card(args) => card::run(&App::new(global)?, args, out).await.map(|()| done),
        Command::Revoke(args) => status::revoke(&App::new(global)?, args, out).await.map(|()| done),
        Command::Suspend(args) => status::suspend(&App::new(global)?, args, out).await.map(|()| done),
        Command::Resume(args) => status::resume(&App::new(global)?, args, out).await.map(|()| done),
        Command::Replace(args) => status::replace(&App::new(global)?, args, out).await.map(|()| done),
        Command::Publish(args) => publish::run(&App::new(global)?, args, out).await.map(|()| done),
        Command::Serve(args) => serve::run(App::new(global)?, args, out).await.map(|()| done),
        Command::Volunteer(command) => volunteer::run(&App::new(global)?, command, out).await.map(|()| done),
        Command::Partner(command) => partner::run(&App::new(global)?, command, out).await.map(|()| done),
        Command::Offer(command) => offer::run(&App::new(global)?, command, out).await.map(|()| done),
        Command::Staff(command) => staff::run(&App::new(global)?, command, out).await.map(|()| done),
        Command::Migrate => migrate::run(&App::new(global)?, out).await.map(|()| done),
        Command::Doctor => doctor::run(&App::new(global)?, out).await,
    }
}

/// A certificate number as typed; a wrong check digit is refused before any look-up.
fn number(text: &str) -> Result<zyz_credential::CertificateNumber, AppError> {
    zyz_credential::CertificateNumber::parse(text).map_err(|_| {
        AppError::Usage(format!(
            "{text:?} 不是证书编号：应为十位数字，末位为校验位，如 02 0001234 9。请核对是否输错一位"
        ))
    })
}

/// Says an error with its causes on standard error.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "错误：{error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
