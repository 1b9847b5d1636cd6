//! The real program: killed at any moment, on a full disk, stopped in order, started twice.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
#[cfg(target_os = "linux")]
use std::{io::Write, path::PathBuf};

use serde_json::Value;
use support::World;
use support::federation::{Federation, Serves};
use support::node::{Process, TestNode, enrol_at, started_in};

/// Until `done`, at most half a minute.
fn wait_for(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn enrolled(world: &World) -> Federation {
    let bundle = world.bundle_bytes(&world.trust_list(7), 42, world.bundled());
    let federation = Federation::new(bundle, world.root_hex());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let enrolled = runtime.block_on(enrol_at(world, &federation, false)).expect("enrolled");
    enrolled.bundle.expect("the first bundle");
    federation
}

/// Kills the node after so many acknowledged gifts, again and again, while others are under way and while it syncs.
#[test]
fn sigkill_during_redemptions() {
    let world = World::of_today();
    let federation = enrolled(&world);
    let card = world.card();
    let acknowledged = Mutex::new(BTreeMap::<String, Value>::new());
    let tried = Mutex::new(BTreeSet::<String>::new());
    let moments = [0, 1, 2, 3, 5, 8, 13, 1, 2, 4];
    for (round, moment) in moments.into_iter().enumerate() {
        let mut process = Process::serve(&world.path("data"), &["--sync-every", "1s"]);
        let (given, killed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let url = process.url.clone();
        thread::scope(|scope| {
            for client in 0..3 {
                let (given, killed, url) = (&given, &killed, &url);
                let (card, tried, acknowledged) = (&card, &tried, &acknowledged);
                scope.spawn(move || {
                    for number in 0.. {
                        if killed.load(Ordering::SeqCst) {
                            return;
                        }
                        let key = format!("{round}-{client}-{number}");
                        tried.lock().unwrap().insert(key.clone());
                        match support::node::redeem_at(url, &key, card, "all-10") {
                            Some((201, answer)) => {
                                acknowledged.lock().unwrap().insert(key, answer);
                                given.fetch_add(1, Ordering::SeqCst);
                            }
                            Some(other) => panic!("{other:?}"),
                            None => return,
                        }
                    }
                });
            }
            wait_for("gifts", || given.load(Ordering::SeqCst) >= moment);
            // SIGKILL; the clients see a closed connection.
            kill(process.child.id());
            killed.store(true, Ordering::SeqCst);
        });
        process.kill();
    }

    let process = Process::serve(&world.path("data"), &["--sync-every", "1s"]);
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= moments.iter().sum());
    // Whoever asks again gets the answer of before; what was not acknowledged is given now at the latest, once.
    let mut ids = BTreeSet::new();
    for key in tried.into_inner().unwrap() {
        let (status, answer) = process.redeem(&key, &card, "all-10").unwrap();
        if let Some(before) = acknowledged.get(&key) {
            assert_eq!((status, &answer), (200, before), "an acknowledged gift is lost");
        }
        assert!(ids.insert(answer["id"].as_str().unwrap().to_owned()), "two keys have one id");
    }
    wait_for("an empty queue", || process.json("v1/status")["queue"]["waiting"] == 0);
    let arrived: BTreeSet<String> = federation.times_kept().into_keys().collect();
    assert_eq!(arrived, ids, "every gift has arrived, and nothing else");
}

#[cfg(unix)]
fn kill(process: u32) {
    assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().expect("it runs").success());
}

#[cfg(not(unix))]
fn kill(process: u32) {
    assert!(Command::new("taskkill").args(["/F", "/PID", &process.to_string()]).status().expect("it runs").success());
}

#[test]
fn sigkill_while_a_bundle_arrives() {
    let world = World::of_today();
    let federation = enrolled(&world);
    for version in 43..49 {
        let bundle = world.bundle_bytes(&world.trust_list(7), version, world.bundled() + version);
        let before = federation.script().bundle_requests;
        federation.script().serves = Serves::Bundle(bundle);
        let mut process = Process::serve(&world.path("data"), &[]);
        wait_for("the question for a bundle", || federation.script().bundle_requests > before);
        process.kill();
        // The old one or the new one, whole.
        let process = Process::serve(&world.path("data"), &[]);
        wait_for("the bundle", || process.json("v1/status")["bundle"]["version"] == version);
    }
}

#[test]
#[cfg(unix)]
fn stopped_in_order_the_record_is_one_file() {
    let world = World::of_today();
    let _federation = enrolled(&world);
    let mut process = Process::serve(&world.path("data"), &[]);
    assert_eq!(process.redeem("1", &world.card(), "all-10").unwrap().0, 201);
    let id = process.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let status = process.child.wait().unwrap();
    assert!(status.success(), "{status}");
    for beside in ["data/node.db-wal", "data/node.db-shm"] {
        assert!(!world.path(beside).exists(), "{beside}");
    }
}

#[test]
fn a_second_node_in_the_same_folder_is_refused() {
    let world = World::of_today();
    let _federation = enrolled(&world);
    let _process = Process::serve(&world.path("data"), &[]);
    let data = world.path("data");
    let second = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zyz-verify"));
        let out = command.args(args).output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, words) = second(&["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(words.contains("正被另一个 zyz-verify 使用"), "{words}");
}

#[test]
fn what_keeps_a_node_from_starting_is_named() {
    let world = World::of_today();
    let serve = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zyz-verify"));
        let out = command.arg("serve").args(args).current_dir(world.dir.path()).output().unwrap();
        assert_eq!(out.status.code(), Some(1));
        String::from_utf8(out.stderr).unwrap()
    };
    assert!(serve(&["--data", "data"]).contains("zyz-verify enrol"));
    std::fs::create_dir(world.path("empty")).unwrap();
    assert!(serve(&["--data", "empty"]).contains("还没有登记"));
    let _federation = enrolled(&world);
    assert!(serve(&["--data", "data", "--listen", "0.0.0.0:0"]).contains("--api-key-file"));
    std::fs::write(world.path("short"), "abc").unwrap();
    assert!(serve(&["--data", "data", "--api-key-file", "short"]).contains("16 到 256"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    assert!(serve(&["--data", "data", "--listen", &taken]).contains("--listen"));
}

/// The state that the node keeps is the one that `check` reads.
#[test]
fn check_reads_the_nodes_state() {
    let world = World::of_today();
    let _federation = enrolled(&world);
    let run = Command::new(env!("CARGO_BIN_EXE_zyz-verify"))
        .args(["check", &world.card(), "--root", &world.root_hex(), "--json", "--state"])
        .arg(world.path("data"))
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0), "{run:?}");
}

/// A disk of one megabyte. Only root may make one: elsewhere this says so and does nothing.
#[cfg(target_os = "linux")]
struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(path: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&path).expect("a folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]).arg(&path).output();
        let mounted = mount.is_ok_and(|mount| mount.status.success());
        if !mounted {
            let words =
                "SKIPPED: the full disk is not tested, since a small one cannot be mounted here (it takes root)\n";
            std::io::stderr().write_all(words.as_bytes()).expect("standard error");
            assert!(std::env::var_os("CI").is_none(), "in CI this has to be tested");
        }
        mounted.then_some(Self(path))
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
    }

    fn clear(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("removed");
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn full_disk() {
    let world = World::new();
    let Some(disk) = SmallDisk::mount(world.path("data")) else { return };
    let (federation, node) = started_in(&world).await;
    let kept = node.give("before", &world.card(), "all-10").await;
    disk.fill();

    // Fills what room there is within the files that are there already; then it is refused, in words.
    let mut given = vec![kept];
    let refusal = loop {
        let (status, answer) = node.redeem(&format!("full-{}", given.len()), &world.card(), "all-10").await;
        match status {
            201 => given.push(answer["id"].as_str().unwrap().to_owned()),
            _ => break (status, answer["code"].clone()),
        }
        assert!(given.len() < 2000, "a megabyte is not endless");
    };
    assert_eq!(refusal, (507, "storage_full".into()));
    assert_eq!(node.problems().await, ["storage_full"]);
    let verdict = node.verify(&world.card()).await;
    assert_eq!(verdict["verdict"], "accept", "judging goes on");
    assert_eq!(support::node::codes(&verdict), ["storage_full"], "and the verdict says what is wrong");
    assert_eq!(node.reverse(&given[0]).await.0, 507);

    // A new bundle cannot be remembered, and so is not believed.
    federation.script().serves = Serves::Bundle(world.bundle_bytes(&world.trust_list(7), 43, world.bundled() + 60));
    assert!(node.sync().await.contains(&"storage_full"));
    assert_eq!((node.version().await, node.problems().await[0].as_str()), (42, "storage_full"));

    // It even starts on a full disk, with everything that it had.
    let machine = node.machine.clone();
    drop(node);
    let node = TestNode::open_with(&world.path("data"), &federation, machine).await;
    assert_eq!(node.verify(&world.card()).await["verdict"], "accept");
    let history = node.ask("GET", "/v1/redemptions?limit=500", &[], None).await.1;
    assert_eq!(history["redemptions"].as_array().unwrap().len(), given.len().min(500));

    disk.clear();
    let next = node.give("after", &world.card(), "all-10").await;
    given.push(next);
    assert!(node.problems().await.iter().all(|code| code != "storage_full"));
    assert!(node.sync().await.is_empty());
    assert_eq!((node.version().await, node.problems().await), (43, Vec::new()));
    let arrived: BTreeSet<String> = federation.times_kept().into_keys().collect();
    assert_eq!(arrived, given.into_iter().collect());
}
