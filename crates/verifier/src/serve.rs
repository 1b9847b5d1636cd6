//! `zyz-verify serve`: the node with its listener and its syncing, from start to orderly end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::client::{Federation, NoCertificate};
use crate::clock::Machine;
use crate::data::{DataDir, DataError};
use crate::ledger::{Ledger, LedgerError};
use crate::link::{LinkError, ServerUrl};
use crate::node::{Access, ApiKey, ApiKeyError, Node, NodeError, OpenToOthers, router};
use crate::sync::Syncer;

/// How long requests and a round of syncing may go on after the order to stop.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How the node is to run.
#[derive(Debug, Clone)]
pub struct ServeRequest {
    /// The data folder, made by enrolling.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File with the API key.
    pub api_key_file: Option<PathBuf>,
    /// Oldest status data accepted without caution, seconds.
    pub max_age: Option<u64>,
    /// How often to sync.
    pub sync_every: Duration,
}

/// Why the node does not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The record cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What is believed cannot be used, or nobody has enrolled.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The API key's file.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
    /// An address that others can reach, without a key.
    #[error(transparent)]
    Open(#[from] OpenToOthers),
    /// What was kept of the server's address.
    #[error(transparent)]
    Server(#[from] LinkError),
    /// What was kept of certificates.
    #[error(transparent)]
    Certificate(#[from] NoCertificate),
    /// The address cannot be listened on.
    #[error("无法在 {listen} 上提供服务：{source}。可能另一个程序占用了这个端口，可用 --listen 换一个")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The listener failed later.
    #[error("服务中断：{0}")]
    Io(#[from] std::io::Error),
}

/// Runs until `stop` is done; `ready` learns the address when requests are answered.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    request: ServeRequest,
    machine: Arc<dyn Machine>,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let key = request.api_key_file.as_deref().map(ApiKey::from_file).transpose()?;
    let access = Access::new(request.listen, key)?;
    let data = DataDir::open(&request.data)?;
    let ledger = Ledger::open(&data.database()?).await?;
    let node = Arc::new(Node::open(data, ledger, machine, request.max_age).await?);
    let server = ServerUrl::parse(&node.identity.server)?;
    let federation = Federation::new(server, node.identity.ca.as_deref().map(str::as_bytes))?;

    let listen = |source| ServeError::Listen { listen: request.listen, source };
    let listener = TcpListener::bind(request.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });

    let (ending, ended) = watch::channel(false);
    let syncer = Syncer::new(Arc::clone(&node), federation);
    let every = request.sync_every;
    let syncing = tokio::spawn(async move { syncer.run(every, ended).await });
    let mut stopping = ending.subscribe();
    let server = axum::serve(listener, router(Arc::clone(&node), access)).with_graceful_shutdown(async move {
        stop.await;
        tracing::info!("stopping");
        let _ = ending.send(true);
    });
    tracing::info!(%address, partner = %node.identity.partner_id, "serving");
    ready(address);
    let late = async {
        let _ = stopping.wait_for(|stop| *stop).await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        served = server => served?,
        () = late => tracing::warn!("some requests did not end in time"),
    }
    // A round ends by itself within the time limits of its requests; a kill loses nothing, so it need not be waited for.
    if tokio::time::timeout(LAST_WORDS, syncing).await.is_err() {
        tracing::warn!("a round of syncing did not end in time");
    }
    // Whoever still holds the node keeps the record's log for the next start.
    if let Some(node) = Arc::into_inner(node) {
        node.close().await?;
    }
    Ok(())
}
