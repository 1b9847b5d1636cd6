//! `zyz print` and `zyz calibrate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Out;
use crate::app::{App, AppError};
use crate::render::Layout;
use crate::service::Selection;
use crate::service::print::PrintRequest;

/// Arguments of `zyz print`.
#[derive(Debug, Args)]
pub struct PrintArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// How cards stand on the sheet
    #[arg(long, value_enum, default_value = "a4-8up")]
    layout: LayoutArg,
    /// Folder for the PDF files (made if missing)
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder of photos named NUMBER.jpg or NUMBER.png
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhoArgs {
    /// Every valid card
    #[arg(long)]
    all: bool,
    /// The cards of one unit
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// Certain cards, by certificate number
    #[arg(long, value_name = "NUMBER", num_args = 1..)]
    number: Vec<String>,
    /// Valid cards never printed so far
    #[arg(long)]
    unprinted: bool,
}

/// Arguments of `zyz calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// The layout to calibrate for
    #[arg(long, value_enum, default_value = "a4-8up")]
    layout: LayoutArg,
    /// The PDF file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Layouts of a sheet.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LayoutArg {
    /// A4, 2 × 4 cards with 3 mm bleed and crop marks
    #[value(name = "a4-8up")]
    A4EightUp,
    /// A4, 2 × 5 cards without bleed
    #[value(name = "a4-10up")]
    A4TenUp,
    /// One card a page, for card printers
    #[value(name = "cr80")]
    Cr80,
}

impl From<LayoutArg> for Layout {
    fn from(layout: LayoutArg) -> Self {
        match layout {
            LayoutArg::A4EightUp => Self::A4EightUp,
            LayoutArg::A4TenUp => Self::A4TenUp,
            LayoutArg::Cr80 => Self::Cr80,
        }
    }
}

/// Prints cards into PDF files.
pub async fn run(app: &App, args: PrintArgs, out: Out) -> Result<(), AppError> {
    let who = args.who;
    let selection = if who.unprinted {
        Selection::Unprinted
    } else if let Some(unit) = who.unit {
        Selection::Unit(unit)
    } else if who.number.is_empty() {
        Selection::All
    } else {
        Selection::Numbers(who.number.iter().map(|n| super::number(n)).collect::<Result<_, _>>()?)
    };
    let federation = app.federation().await?;
    let bar = out.progress("制作打印文件", 0);
    let request =
        PrintRequest { selection, layout: args.layout.into(), folder: &args.out, photos: args.photos.as_deref() };
    let result = federation.print(request, &|done, total| super::output::step(&bar, done, total)).await;
    bar.finish_and_clear();
    let done = result?;
    out.result(&done, |out| {
        out.line(format!("共 {} 张证，{} 个文件：", done.cards, done.files.len()));
        for file in &done.files {
            out.line(format!("  {}（{} 张证，{} 页）", file.path, file.cards, file.pages));
        }
        if done.without_photo > 0 && args.photos.is_some() {
            out.line(format!("{} 人没有照片，照片处印姓名首字。", done.without_photo));
        }
        out.line("打印时选“实际大小（100%）”、双面、沿长边翻转。");
    });
    Ok(())
}

/// Writes the calibration page.
pub fn calibrate(app: &App, args: CalibrateArgs, out: Out) -> Result<(), AppError> {
    crate::service::print::calibration(args.layout.into(), &args.out, app.clock().now())?;
    out.result(&serde_json::json!({"file": args.out.display().to_string()}), |out| {
        out.line(format!("校准页：{}。请用“实际大小（100%）”双面打印后量一量。", args.out.display()));
    });
    Ok(())
}
