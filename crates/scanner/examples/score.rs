//! Reads the frames that the example `frames` made and counts what was read, natively.
//!
//!     cargo run --release --package zyz-scanner --example score -- FOLDER
#![allow(clippy::print_stdout, reason = "a program that says what it found")]
use std::collections::BTreeMap;
use std::time::Instant;
fn main() {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).expect("a folder"));
    let luma = std::fs::read(folder.join("frames.luma")).expect("frames");
    let index = std::fs::read_to_string(folder.join("frames.json")).expect("index");
    let field = |line: &str, name: &str| -> String {
        let at = line.find(&format!("\"{name}\":")).expect("field") + name.len() + 3;
        line[at..].trim_start_matches('"').split(['"', ',']).next().unwrap_or("").to_owned()
    };
    let mut table: BTreeMap<String, [u32; 5]> = BTreeMap::new();
    let mut time = [0.0; 3];
    let mut times = vec![Vec::new(); 3];
    for (n, line) in index.lines().filter(|l| l.starts_with("{")).enumerate() {
        let (kind, text) = (field(line, "kind"), field(line, "text"));
        let mut any = false;
        let frame = &luma[n * 307200..(n + 1) * 307200];
        let mut passes = [false; 3];
        for pass in 0..3 {
            let t = Instant::now();
            let found = zyz_scanner::frame_matching(frame, 640, 480, pass, &mut |_| true);
            let ms = t.elapsed().as_secs_f64() * 1000.0;
            time[pass] += ms;
            times[pass].push(ms);
            passes[pass] = found.as_deref() == Some(text.as_bytes());
            any |= passes[pass];
            if found.is_some() && !passes[pass] {
                println!("WRONG {n}");
            }
        }
        if std::env::args().nth(2).is_some() && !any {
            println!("miss {n} {kind} {} {}", field(line, "version"), field(line, "pixels"));
        }
        for k in [kind, "~all".into()] {
            let row = table.entry(k).or_default();
            row[0] += 1;
            (0..3).for_each(|p| row[p + 1] += u32::from(passes[p]));
            row[4] += u32::from(any);
        }
    }
    for (k, r) in table {
        println!(
            "{k:10} {:4} {:4} {:4} {:4}  any {:4}  {:.1} %",
            r[0],
            r[1],
            r[2],
            r[3],
            r[4],
            100.0 * f64::from(r[4]) / f64::from(r[0])
        );
    }
    for list in &mut times {
        list.sort_by(f64::total_cmp);
        print!("{:.2} ms ", list[list.len() / 2]);
    }
    println!();
}
