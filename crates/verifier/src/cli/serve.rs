//! `zyz-verify serve`: the node.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Args;
use thiserror::Error;
use tracing_subscriber::EnvFilter;
use zyz_verifier::clock::System;
use zyz_verifier::data::{DataError, default_folder};
use zyz_verifier::serve::{ServeError, ServeRequest, serve};

use super::{failed, parse_age};

/// A line a request is too much for a shop's computer, and slower than the judging.
const LOG: &str = "info,zyz_http=warn";
/// More threads than this only take memory.
const MAX_THREADS: usize = 4;
/// The only blocking work is syncing, one thing after the other.
const MAX_BLOCKING_THREADS: usize = 2;

/// Serve the scanner page and the HTTP interface on this machine, and keep up with the federation
///
/// Stops orderly on Ctrl-C, on SIGTERM, and when its window is closed; being killed loses nothing that was acknowledged.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Folder that `zyz-verify enrol` made [default: in the user's own data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Address and port; one that other machines can reach needs --api-key-file. Port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,

    /// File with a key of 16 to 256 characters that every request under /v1 must carry
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,

    /// Oldest revocation data to accept without caution: a number and s, m, h, d or w
    #[arg(long, value_name = "7d", value_parser = parse_age)]
    max_age: Option<u64>,

    /// How often to sync, at least 1s
    #[arg(long, value_name = "5m", value_parser = parse_age, default_value = "5m")]
    sync_every: u64,
}

#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

pub(super) fn run(args: ServeArgs) -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    let colour = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour).init();
    match served(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn served(args: ServeArgs) -> Result<(), Failure> {
    let request = ServeRequest {
        data: args.data.map_or_else(default_folder, Ok)?,
        listen: args.listen,
        api_key_file: args.api_key_file,
        max_age: args.max_age,
        sync_every: Duration::from_secs(args.sync_every.max(1)),
    };
    let threads = available_parallelism().map_or(1, |threads| threads.get().min(MAX_THREADS));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .enable_all()
        .build()?;
    let ready = |address| {
        let _ = writeln!(io::stdout(), "核验页面：http://{address}/\n按 Ctrl-C 停止");
    };
    runtime.block_on(serve(request, Arc::new(System::new()), ready, stop_signal()))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

/// Done when somebody wants the program to end.
async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    // The window is closed, or the computer goes off.
    #[cfg(windows)]
    let terminate = async {
        use tokio::signal::windows::{ctrl_close, ctrl_shutdown};
        match (ctrl_close(), ctrl_shutdown()) {
            (Ok(mut close), Ok(mut shutdown)) => {
                tokio::select! {
                    _ = close.recv() => {}
                    _ = shutdown.recv() => {}
                }
            }
            _ => std::future::pending().await,
        }
    };
    #[cfg(not(any(unix, windows)))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
