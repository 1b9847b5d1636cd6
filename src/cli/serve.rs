//! `zyz serve`.

use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tracing_subscriber::EnvFilter;
use zyz_http::limit::{Network, Rate, TrustedProxies};

use super::Out;
use crate::app::{App, AppError};
use crate::web::server::{Running, asked_to_end};
use crate::web::tls::Tls;
use crate::web::{Bounds, MetricsToken, Options, Web};

/// What is logged without `ZYZ_LOG`: a line a request, and whatever needs an operator.
const LOGGED: &str = "warn,zyz=info,zyz_http=info";

/// Arguments of `zyz serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8530")]
    listen: SocketAddr,
    /// Certificate chain (PEM) for TLS by this process; read again when it changes or on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Address of this server as the world sees it [default: public_url of the configuration]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Let /metrics be read from elsewhere with the bearer token in the first line of this file
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Reverse proxy whose X-Forwarded-For is believed: `loopback`, an address or a network; may be repeated
    #[arg(long, value_name = "NETWORK")]
    trusted_proxy: Vec<Network>,
    /// Requests a minute from one client address without a token
    #[arg(long, value_name = "COUNT", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    anonymous_per_minute: u32,
    /// Requests a minute from one partner's device
    #[arg(long, value_name = "COUNT", default_value_t = 1200, value_parser = clap::value_parser!(u32).range(1..))]
    device_per_minute: u32,
    /// Requests handled at the same time; more are turned away
    #[arg(long, value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// How often to look whether anything changed, milliseconds
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    poll_ms: u64,
    /// How long requests under way may take to finish at the end, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    grace: u64,
    /// Write the log as JSON, a line an event
    #[arg(long)]
    log_json: bool,
}

impl ServeArgs {
    /// What `zyz serve` does without options, but at this address, which is also the one in links.
    pub(super) fn at(listen: SocketAddr) -> Self {
        #[derive(clap::Parser)]
        struct Defaults {
            #[command(flatten)]
            args: ServeArgs,
        }
        let Defaults { args } = clap::Parser::parse_from(["zyz"]);
        Self { listen, public_url: Some(format!("http://{listen}/")), ..args }
    }

    /// Sends the log to standard error in the form asked for.
    pub fn start_log(&self) {
        let filter = EnvFilter::try_from_env("ZYZ_LOG").unwrap_or_else(|_| LOGGED.into());
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        if self.log_json {
            log.json().with_current_span(true).with_span_list(false).init();
        } else {
            log.with_ansi(std::io::stderr().is_terminal()).init();
        }
    }
}

/// Serves until SIGTERM or Ctrl-C.
pub async fn run(mut app: App, args: ServeArgs, out: Out) -> Result<(), AppError> {
    if let Some(url) = &args.public_url {
        app.config.public_url = web_address(url)?;
    }
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(Tls::open(cert, key).await.map_err(|e| AppError::Usage(e.to_string()))?),
        _ => None,
    };
    let options = options(&args, tls.is_some())?;
    let federation = Arc::new(app.federation().await?);
    let web = Web::open(federation, &app.config, options).await?;
    let listener = TcpListener::bind(args.listen)
        .map_err(|error| AppError::Usage(format!("不能在 {} 监听：{error}。请用 --listen 换一个地址", args.listen)))?;
    let address = listener.local_addr().map_err(AppError::Runtime)?;
    if tls.is_none() && !address.ip().is_loopback() {
        tracing::warn!(%address, "serving without TLS beyond this machine: put a reverse proxy with TLS in front");
    }

    let ending = asked_to_end();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{address}/");
    if out.is_json() {
        out.raw(&serde_json::json!({"listening": url}).to_string());
    } else {
        out.raw(&format!("listening on {url}"));
    }
    let (every, grace) = (Duration::from_millis(args.poll_ms), Duration::from_secs(args.grace));
    web.serve(Running { listener, tls, every, grace }, ending).await.map_err(AppError::Runtime)
}

fn options(args: &ServeArgs, hsts: bool) -> Result<Options, AppError> {
    let defaults = Options::default();
    // A fifth of a minute's worth may come at once.
    let rate = |per_minute: u32| Rate::new(per_minute, per_minute.div_ceil(5));
    Ok(Options {
        anonymous: rate(args.anonymous_per_minute),
        device: rate(args.device_per_minute),
        trusted: TrustedProxies(args.trusted_proxy.clone()),
        metrics_token: args.metrics_token_file.as_deref().map(metrics_token).transpose()?,
        bounds: Bounds { concurrency: args.concurrency.into(), hsts, ..defaults.bounds },
        ..defaults
    })
}

fn metrics_token(path: &Path) -> Result<MetricsToken, AppError> {
    const SHORTEST: usize = 16;
    let text =
        std::fs::read_to_string(path).map_err(|source| AppError::Io { path: path.display().to_string(), source })?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AppError::Usage(format!(
            "{} 的第一行须为至少 {SHORTEST} 个字符的令牌（字母、数字、符号），可用 openssl rand -hex 32 生成",
            path.display()
        )));
    }
    Ok(MetricsToken::new(token))
}

fn web_address(url: &str) -> Result<String, AppError> {
    let wrong = !(url.starts_with("https://") || url.starts_with("http://"))
        || url.contains(['#', '?'])
        || !url.bytes().all(|byte| byte.is_ascii_graphic());
    if wrong {
        return Err(AppError::Usage("--public-url 须以 https:// 开头，不能含空格、? 或 #".into()));
    }
    Ok(if url.ends_with('/') { url.to_owned() } else { format!("{url}/") })
}
