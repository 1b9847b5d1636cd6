//! The yardstick of the node's `POST /v1/verify`: a bare axum server that answers every POST with its own body after one
//! `verify_strict` under a key decompressed beforehand. `echo_verify 127.0.0.1:8788`, then the same load as on the node.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

struct Yardstick {
    key: VerifyingKey,
    message: Vec<u8>,
    signature: Signature,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address: SocketAddr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8788".into()).parse()?;
    let key = SigningKey::from_bytes(&[7; 32]);
    // As long as what a card's signature is made over.
    let message = vec![0x5a; 88];
    let yardstick = Yardstick { key: key.verifying_key(), signature: key.sign(&message), message };
    let router = Router::new().route("/v1/verify", post(echo)).with_state(Arc::new(yardstick));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

async fn echo(State(yardstick): State<Arc<Yardstick>>, body: Bytes) -> Result<Bytes, StatusCode> {
    let held = yardstick.key.verify_strict(&yardstick.message, &yardstick.signature);
    held.map(|()| body).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
