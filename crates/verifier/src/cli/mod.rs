//! The command line: one subcommand a file.

mod check;
mod enrol;
mod serve;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks Pu'er volunteer service cards, with or without a network.
#[derive(Debug, Parser)]
#[command(name = "zyz-verify", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Enrol(enrol::EnrolArgs),
    Serve(serve::ServeArgs),
}

/// Reads the arguments and does what they say.
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Enrol(args) => enrol::run(args),
        Command::Serve(args) => serve::run(args),
    }
}

/// The error in words, and the status of errors.
fn failed(error: &dyn Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "错误：{error}");
    ExitCode::FAILURE
}

/// A stretch of time: a number and s, m, h, d or w. In seconds.
fn parse_age(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err("expected a number and a unit, such as 36h or 7d".into()),
    };
    let number: u64 = number.parse().map_err(|_| "expected a number and a unit, such as 36h or 7d")?;
    number.checked_mul(seconds).ok_or_else(|| "too long".into())
}
