//! `zyz-verify check`: one card, no network.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::panic;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use thiserror::Error;
use zyz_credential::digits::MAX_TEXT_LEN;
use zyz_verifier::report::{Style, human};
use zyz_verifier::{CheckError, CheckRequest, Outcome, PictureError, RootKey, Verdict, check, clock, read_code};

use super::{failed, parse_age};

/// Check one card: the text of its code, or a picture of it
///
/// Nothing is fetched from anywhere: the root key is pinned by you, the bundle is a file.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 accept, 3 caution, 4 reject, 1 error, 2 usage.")]
pub(super) struct CheckArgs {
    /// Text of the code, as scanned or typed; `-` reads it from standard input
    #[arg(value_name = "TEXT", required_unless_present = "image", conflicts_with = "image")]
    text: Option<String>,

    /// Read the code from a PNG or JPEG picture instead
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,

    /// Pinned public root key: 64 hex digits, or a file with them (root.pub)
    #[arg(long, value_name = "HEX|FILE")]
    root: String,

    /// Bundle with keys, revocations and offers; with --state, the one accepted last if left out
    #[arg(long, value_name = "FILE", required_unless_present = "state")]
    bundle: Option<PathBuf>,

    /// Folder that remembers the newest versions seen, so that an older bundle is refused; made if missing
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Judge at this moment instead of now, e.g. 2026-11-23T16:00:00+08:00
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,

    /// Oldest revocation data to accept without caution: a number and s, m, h, d or w
    #[arg(long, value_name = "7d", value_parser = parse_age)]
    max_age: Option<u64>,

    /// Print the verdict as one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error("无法读取标准输入：{0}")]
    Input(io::Error),
    #[error("无法输出结果：{0}")]
    Output(#[from] io::Error),
}

pub(super) fn run(args: &CheckArgs) -> ExitCode {
    quiet_detector();
    match judged(args) {
        Ok(Outcome::Accept) => ExitCode::SUCCESS,
        Ok(Outcome::Caution) => ExitCode::from(3),
        Ok(Outcome::Reject) => ExitCode::from(4),
        Err(failure) => failed(&failure),
    }
}

fn judged(args: &CheckArgs) -> Result<Outcome, Failure> {
    let root = RootKey::from_argument(&args.root).map_err(CheckError::from)?;
    let text = match (&args.image, args.text.as_deref()) {
        (Some(image), _) => read_code(image)?,
        (None, Some("-")) => read_stdin().map_err(Failure::Input)?,
        (None, text) => text.unwrap_or_default().to_owned(),
    };
    let verdict = check(&CheckRequest {
        text: &text,
        root,
        bundle: args.bundle.as_deref(),
        state: args.state.as_deref(),
        now: args.at.unwrap_or_else(clock::now),
        max_age: args.max_age,
    })?;
    print(&verdict, args.json)?;
    Ok(verdict.verdict)
}

/// One line from a person or a keyboard-wedge scanner, everything from a pipe; a little more than the judge looks at, so
/// that it can say "too long".
fn read_stdin() -> io::Result<String> {
    let stdin = io::stdin();
    let mut limited = stdin.lock().take(MAX_TEXT_LEN as u64 + 1);
    let mut bytes = Vec::new();
    if stdin.is_terminal() {
        limited.read_until(b'\n', &mut bytes)?;
    } else {
        limited.read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn print(verdict: &Verdict, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, verdict)?;
        return writeln!(out);
    }
    let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    out.write_all(human(verdict, if colour { Style::Colour } else { Style::Plain }).as_bytes())
}

/// The code detector's panics on odd pictures are caught; a cashier need not read them.
fn quiet_detector() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|location| location.file().contains("scanner")) {
            loud(info);
        }
    }));
}
