//! The server's life: takes connections, keeps what is published fresh, jobs moving and certificates current, and ends
//! within a bound.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use tokio::sync::watch;

use super::router::router;
use super::tls::Tls;
use super::{Shared, Web};

/// How long a client may take for the head of a request, from its connection or the end of the request before.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// How the server is to run.
pub struct Running {
    /// Where connections come in.
    pub listener: TcpListener,
    /// Certificates, if this process speaks TLS.
    pub tls: Option<Tls>,
    /// How often to look whether anything changed: the database, the certificates' files.
    pub every: Duration,
    /// How long requests under way may take to finish once it is to end.
    pub grace: Duration,
}

impl Web {
    /// Serves until `stop` ends; then takes no more connections, lets requests under way finish within the grace time, and
    /// returns.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve(
        self: Arc<Self>,
        running: Running,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let Running { listener, tls, every, grace } = running;
        let tls = tls.map(Arc::new);
        let (ended, ending) = watch::channel(false);
        let handle = Handle::<SocketAddr>::new();
        let ender = tokio::spawn({
            let handle = handle.clone();
            async move {
                stop.await;
                tracing::info!(grace_seconds = grace.as_secs(), "ending");
                handle.graceful_shutdown(Some(grace));
            }
        });
        let refresher = tokio::spawn(self.clone().keep_refreshed(every, until(ending.clone())));
        let worker = tokio::spawn(self.clone().keep_jobs(every, until(ending.clone())));
        let counter = tokio::spawn(self.clone().keep_counted(until(ending.clone())));
        let reloader = tokio::spawn(keep_certificates(tls.clone(), every, until(ending)));

        let served = self.take_connections(listener, tls, handle).await;
        let _ = ended.send(true);
        // What is being signed is finished: a transaction is not left to be rolled back by a vanished connection.
        let _ = tokio::join!(refresher, worker, counter, reloader);
        ender.abort();
        served
    }

    async fn take_connections(
        self: Arc<Self>,
        listener: TcpListener,
        tls: Option<Arc<Tls>>,
        handle: Handle<SocketAddr>,
    ) -> io::Result<()> {
        let service = router(self as Shared).into_make_service_with_connect_info::<SocketAddr>();
        let refused = |peer: Option<&SocketAddr>, error: &io::Error| {
            tracing::debug!(?peer, %error, "a connection was not taken");
        };
        match tls {
            Some(tls) => {
                let mut server = axum_server::from_tcp_rustls(listener, tls.config())?;
                server.http_builder().http1().header_read_timeout(HEAD_PATIENCE);
                let server = server.handle(handle).first_request_timeout(HEAD_PATIENCE);
                server.accept_error_handler(refused).serve(service).await
            }
            None => {
                let mut server = axum_server::from_tcp(listener)?;
                server.http_builder().http1().header_read_timeout(HEAD_PATIENCE);
                let server = server.handle(handle).first_request_timeout(HEAD_PATIENCE);
                server.accept_error_handler(refused).serve(service).await
            }
        }
    }
}

/// Ends when the channel says so.
async fn until(mut ending: watch::Receiver<bool>) {
    let _ = ending.wait_for(|ended| *ended).await;
}

/// Reads the certificates again when their files change, or on SIGHUP.
async fn keep_certificates(tls: Option<Arc<Tls>>, every: Duration, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut hang_up = HangUp::new();
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let told = tokio::select! {
            () = &mut stop => return,
            () = hang_up.next() => true,
            _ = ticks.tick() => false,
        };
        let Some(tls) = &tls else {
            if told {
                tracing::info!("SIGHUP: there are no certificates to read again");
            }
            continue;
        };
        if told || tls.changed() {
            match tls.reload().await {
                Ok(()) => tracing::info!("certificates read again"),
                Err(error) => tracing::error!(%error, "the certificates in use stay"),
            }
        }
    }
}

/// SIGHUP, where there is such a thing. Caught without TLS as well: its default would end the process.
struct HangUp {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl HangUp {
    fn new() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self { signal: signal(SignalKind::hangup()).ok() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal {
            signal.recv().await;
            return;
        }
        std::future::pending().await
    }
}

/// SIGTERM or Ctrl-C. Listened for from the call on, not only once the future is waited for: whoever is told that the
/// server is there may end it at once.
pub fn asked_to_end() -> impl Future<Output = ()> + Send + 'static {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{Signal, SignalKind, signal};
        async fn of(signal: io::Result<Signal>) {
            match signal {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        }
        let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        async move {
            tokio::select! {
                () = of(interrupt) => {}
                () = of(terminate) => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
