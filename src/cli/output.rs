//! What a command says: results on standard output (text or JSON), progress and warnings on standard error.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    json: bool,
}

impl Out {
    /// Text for people, or JSON for programs.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether the result is to be JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line for people; silent when the result is JSON.
    pub fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            self.raw(text.as_ref());
        }
    }

    /// A line on standard output whatever the mode.
    pub fn raw(&self, text: &str) {
        // A closed pipe (`zyz … | head`) is the reader's choice, not an error.
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// The result for programs; silent when it is text for people.
    pub fn json<T: Serialize>(&self, value: &T) {
        if self.json {
            match serde_json::to_string_pretty(value) {
                Ok(text) => self.raw(&text),
                Err(error) => self.warn(format!("结果无法写成 JSON：{error}")),
            }
        }
    }

    /// Either the one or the other: `value` as JSON, or what `text` says.
    pub fn result<T: Serialize>(&self, value: &T, text: impl FnOnce(&Self)) {
        if self.json {
            self.json(value);
        } else {
            text(self);
        }
    }

    /// A warning, on standard error in both modes.
    pub fn warn(&self, text: impl AsRef<str>) {
        let _ = writeln!(io::stderr().lock(), "提醒：{}", text.as_ref());
    }

    /// A remark beside the result, on standard error so that the result stays clean for pipes.
    pub fn note(&self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(io::stderr().lock(), "{}", text.as_ref())
    }

    /// A progress bar of `total` steps on standard error; hidden when nobody watches.
    pub fn progress(&self, label: &str, total: u64) -> ProgressBar {
        let target = if self.json || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:32} {pos}/{len}  {elapsed} 剩余约 {eta}") {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        bar
    }

    /// A table for people: columns padded by display width (a Chinese character is two wide).
    pub fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        if self.json {
            return;
        }
        let mut widths: Vec<usize> = head.iter().map(|cell| cell.width()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::from("  ");
            for (width, cell) in widths.iter().zip(cells) {
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
            text.truncate(text.trim_end().len());
            text
        };
        self.raw(&line(&mut head.iter().copied()));
        self.raw(&format!("  {}", "─".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1))));
        for row in rows {
            self.raw(&line(&mut row.iter().map(String::as_str)));
        }
    }
}

/// Moves `bar` to `done` of `total`.
pub fn step(bar: &ProgressBar, done: u64, total: u64) {
    bar.set_length(total);
    bar.set_position(done);
}

/// The refused rows of an import, the first fifty of them.
pub fn refused(out: &Out, rows: &[crate::service::import::RefusedRow]) {
    const SHOWN: usize = 50;
    for row in rows.iter().take(SHOWN) {
        out.line(format!("  第 {} 行：{}", row.row, row.reason));
    }
    if rows.len() > SHOWN {
        out.line(format!("  ……另有 {} 行，见逐行报告（--report 文件.xlsx）", rows.len() - SHOWN));
    }
}
