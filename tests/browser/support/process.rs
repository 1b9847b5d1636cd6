//! The two servers as processes that can be killed, and a wire that remembers what went over it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::browser::{agent, deadline};

/// A running program. Dropped, it is killed as by a power cut.
pub struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts `command` and waits until `ready` answers 200.
    pub fn start(mut command: Command, ready: &str) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        keep(child.stdout.take().unwrap(), &log);
        keep(child.stderr.take().unwrap(), &log);
        let mut process = Self { child, log };
        let patience = deadline();
        while !matches!(agent().get(ready).call(), Ok(answer) if answer.status() == 200) {
            if let Some(status) = process.child.try_wait().unwrap() {
                panic!("{command:?} ended with {status}:\n{}", process.log());
            }
            assert!(Instant::now() < patience, "{ready} does not answer:\n{}", process.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        process
    }

    /// Everything it has printed.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// SIGKILL: it has no chance to tidy up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser-failures");
            let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
            let _ = std::fs::create_dir_all(&folder);
            let _ = std::fs::write(folder.join(format!("{name}-{}.txt", self.child.id())), self.log());
        }
    }
}

/// The partner's program, built beside ours.
pub fn zyz_verify() -> PathBuf {
    let path = std::env::var_os("ZYZ_VERIFY_BIN").map(PathBuf::from).unwrap_or_else(|| {
        Path::new(env!("CARGO_BIN_EXE_zyz")).with_file_name(format!("zyz-verify{}", std::env::consts::EXE_SUFFIX))
    });
    assert!(path.exists(), "{} is missing: cargo build --workspace --bins", path.display());
    path
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Passes everything on to a server and remembers every byte that was sent to it.
pub struct Tap {
    heard: Arc<Mutex<Vec<u8>>>,
    /// Where it listens.
    pub port: u16,
}

impl Tap {
    /// Listens on a free port for as long as the test process lives.
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let (back, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let ear = Arc::clone(&ear);
                std::thread::spawn(move || pass(client, server, |bytes| ear.lock().unwrap().extend_from_slice(bytes)));
                std::thread::spawn(move || pass(back, to, |_| {}));
            }
        });
        Self { heard, port }
    }

    /// What the server was sent so far.
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, note: impl Fn(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        note(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

fn keep(output: impl Read + Send + 'static, log: &Arc<Mutex<String>>) {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
}
