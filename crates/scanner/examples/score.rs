//! Reads the frames that the example `frames` made and counts, natively: for work on the decoder.
//!
//!     cargo run --release --package zyz-scanner --example score -- FOLDER
//!
//! A line a kind: frames, read in each of the three passes, read in any.
#![allow(clippy::print_stdout, reason = "a program that says what it found")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(env::args().nth(1).expect("a folder with frames"));
    let luma = fs::read(folder.join("frames.luma"))?;
    let index = fs::read_to_string(folder.join("frames.json"))?;
    let entries = index.lines().filter(|line| line.starts_with('{'));
    let mut table: BTreeMap<&str, [u32; 5]> = BTreeMap::new();
    for (frame, entry) in luma.chunks_exact(WIDTH * HEIGHT).zip(entries) {
        let (kind, text) = (field(entry, "kind"), field(entry, "text"));
        let read = [0, 1, 2].map(|pass| {
            let found = zyz_scanner::frame_matching(frame, WIDTH, HEIGHT, pass, &mut |_| true);
            found.as_deref() == Some(text.as_bytes())
        });
        for name in [kind, "~ all"] {
            let row = table.entry(name).or_default();
            row[0] += 1;
            row[1..4].iter_mut().zip(read).for_each(|(count, read)| *count += u32::from(read));
            row[4] += u32::from(read.contains(&true));
        }
    }
    for (kind, [frames, first, second, third, any]) in table {
        let share = 100.0 * f64::from(any) / f64::from(frames);
        println!("{kind:10} {frames:5} {first:5} {second:5} {third:5} {any:5}  {share:.1} %");
    }
    Ok(())
}

/// A string of an entry, which `frames` writes without escapes.
fn field<'e>(entry: &'e str, name: &str) -> &'e str {
    let begin = format!("\"{name}\":\"");
    let from = entry.find(&begin).expect("the field is there") + begin.len();
    entry[from..].split('"').next().unwrap_or_default()
}
