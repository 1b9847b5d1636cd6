//! `zyz card`.

use std::path::PathBuf;

use clap::Args;

use super::Out;
use crate::app::{App, AppError};

/// Arguments of `zyz card`.
#[derive(Debug, Args)]
pub struct CardArgs {
    /// Certificate number, ten digits
    number: String,
    #[command(flatten)]
    what: WhatArgs,
    /// With --png: folder of photos named NUMBER.jpg or NUMBER.png
    #[arg(long, value_name = "DIR", conflicts_with = "text")]
    photos: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhatArgs {
    /// Draw the card's front into this PNG file
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Print the text of the card's code and nothing else
    #[arg(long)]
    text: bool,
}

/// Shows one card.
pub async fn run(app: &App, args: CardArgs, out: Out) -> Result<(), AppError> {
    let number = super::number(&args.number)?;
    let federation = app.federation().await?;
    match args.what.png {
        Some(file) => {
            federation.card_png(number, &file, args.photos.as_deref()).await?;
            out.result(&serde_json::json!({"number": number.to_string(), "file": file.display().to_string()}), |out| {
                out.line(format!("{} 的证件图片：{}", number.grouped(), file.display()));
            });
        }
        None => {
            let text = federation.card_text(number).await?;
            out.result(&serde_json::json!({"number": number.to_string(), "text": text}), |out| out.raw(&text));
        }
    }
    Ok(())
}
