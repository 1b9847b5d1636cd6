//! Pictures, large files, several files at once.

use std::io::Read;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use tokio::sync::mpsc;

use crate::service::desk::cards::SentFile;
use crate::web::Shared;
use crate::web::console::{PageError, page};

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

/// A picture of somebody or of their card: shown, never kept by browser or proxy.
pub(super) fn picture(kind: &'static str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
    ];
    (headers, bytes).into_response()
}

/// A file of any size for the person to keep, read as it is sent.
pub(super) fn download(kind: &'static str, name: &str, path: &Path) -> Result<Response, PageError> {
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "a job's file could not be read");
        PageError::Malformed("文件暂时读不出来，请稍后重试".into())
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut answer = page::download(kind, name, Vec::new());
    answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    let (send, pieces) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || read_out(file, &send));
    *answer.body_mut() = Body::new(Pieces { pieces, left: length });
    Ok(answer)
}

fn read_out(mut file: std::fs::File, send: &mpsc::Sender<std::io::Result<Bytes>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).map(|length| {
            piece.truncate(length);
            Bytes::from(piece)
        });
        let last = read.as_ref().map_or(true, Bytes::is_empty);
        // Whoever no longer listens has gone.
        if read.as_ref().is_ok_and(Bytes::is_empty) || send.blocking_send(read).is_err() || last {
            return;
        }
    }
}

struct Pieces {
    pieces: mpsc::Receiver<std::io::Result<Bytes>>,
    left: u64,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.pieces.poll_recv(context).map(|piece| {
            piece.map(|piece| {
                let piece = piece?;
                self.left = self.left.saturating_sub(piece.len() as u64);
                Ok(Frame::data(piece))
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.left)
    }
}

/// A form with any number of files, in memory: their sum is bounded by the route.
pub(super) struct Sent(pub Vec<SentFile>);

impl FromRequest<Shared> for Sent {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, PageError> {
        let broken = |_| PageError::Malformed("上传中断或格式不对，或文件总量超过上限，请重新选择文件上传".into());
        let mut parts = Multipart::from_request(request, state)
            .await
            .map_err(|_| PageError::Malformed("上传的格式不对，请刷新页面后重新选择文件".into()))?;
        let mut files = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let Some(name) = part.file_name().map(str::to_owned) else { continue };
            let bytes = part.bytes().await.map_err(broken)?.to_vec();
            let bare = name.rsplit(['/', '\\']).next().unwrap_or_default();
            let bare: String = bare.chars().filter(|c| !c.is_control()).take(120).collect();
            if !bare.is_empty() || !bytes.is_empty() {
                files.push(SentFile { name: bare, bytes });
            }
        }
        Ok(Self(files))
    }
}
