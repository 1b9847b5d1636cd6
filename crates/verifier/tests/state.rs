//! `--state`: versions only go up, also across runs, and a state that cannot be read is never begun anew.

mod support;

use std::fs::{self, File};

use support::{BUNDLED, Run, World};
use zyz_verifier::{RootKey, StateDir, StateError};

const DAY: u64 = 86_400;

#[test]
fn an_older_bundle_is_refused_after_a_newer_one() {
    let world = World::new();
    world.write_bundle("new.cose", &world.trust_list(7), 43, BUNDLED + 60);
    assert_eq!(with_state(&world, &["--bundle", "bundle.cose"]).code, 0);
    assert_eq!(with_state(&world, &["--bundle", "new.cose"]).code, 0);
    with_state(&world, &["--bundle", "bundle.cose"]).fails_with(&["第 43 版", "第 42 版", "最新的数据包"]);
    assert_eq!(with_state(&world, &["--bundle", "new.cose"]).code, 0);
    // Without the memory nobody can tell.
    assert_eq!(world.check_text(&world.card(), &[]).code, 0);
}

#[test]
fn an_older_trust_list_is_refused() {
    let world = World::new();
    world.write_bundle("new.cose", &world.trust_list(8), 43, BUNDLED + 60);
    world.write_bundle("mixed.cose", &world.trust_list(7), 44, BUNDLED + 120);
    assert_eq!(with_state(&world, &["--bundle", "new.cose"]).code, 0);
    with_state(&world, &["--bundle", "mixed.cose"]).fails_with(&["信任清单", "第 8 版", "第 7 版"]);
}

#[test]
fn another_bundle_of_the_same_version_is_refused() {
    let world = World::new();
    world.write_bundle("twin.cose", &world.trust_list(7), 42, BUNDLED + 1);
    assert_eq!(with_state(&world, &["--bundle", "bundle.cose"]).code, 0);
    with_state(&world, &["--bundle", "twin.cose"]).fails_with(&["同一版本", "联合会"]);
}

#[test]
fn a_clock_set_back_is_noticed_across_runs() {
    let world = World::new();
    world.write_bundle("new.cose", &world.trust_list(7), 43, BUNDLED + 3 * DAY);
    let at = ["--json", "--at", "2026-11-27T00:00:00Z"];
    with_state(&world, &[&["--bundle", "new.cose"], &at[..]].concat()).judged(0, "accept", "ok");
    with_state(&world, &["--json", "--at", "2026-11-24T00:00:00Z"]).judged(3, "caution", "clock_suspect");
}

#[test]
fn the_bundle_may_be_left_out_once_one_was_accepted() {
    let world = World::new();
    with_state(&world, &[]).fails_with(&["--bundle", "bundle.cose"]);
    assert_eq!(with_state(&world, &["--bundle", "bundle.cose"]).code, 0);
    fs::remove_file(world.path("bundle.cose")).unwrap();
    let run = with_state(&world, &["--json"]);
    run.judged(0, "accept", "ok");
    assert_eq!(run.json()["status"]["bundle_version"], 42);
    // One that is named has to be there.
    with_state(&world, &["--bundle", "bundle.cose"]).fails_with(&["bundle.cose", "不写 --bundle"]);
}

#[test]
fn written_only_when_something_changed() {
    let world = World::new();
    with_state(&world, &["--bundle", "bundle.cose"]);
    let path = world.path("state/state");
    let before = fs::read(&path).unwrap();
    let marked = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    File::options().write(true).open(&path).unwrap().set_modified(marked).unwrap();
    for more in [&["--bundle", "bundle.cose"][..], &[]] {
        assert_eq!(with_state(&world, more).code, 0);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), marked);
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    let mut names: Vec<_> =
        fs::read_dir(world.path("state")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["lock", "state"]);
}

#[test]
fn a_refused_bundle_changes_nothing() {
    let world = World::new();
    with_state(&world, &["--bundle", "bundle.cose"]);
    let before = fs::read(world.path("state/state")).unwrap();
    fs::write(world.path("bad.cose"), b"bad").unwrap();
    with_state(&world, &["--bundle", "bad.cose"]).fails_with(&["损坏"]);
    assert_eq!(fs::read(world.path("state/state")).unwrap(), before);
    assert_eq!(with_state(&world, &[]).code, 0);
}

#[test]
fn every_damaged_byte_is_noticed() {
    let world = World::new();
    with_state(&world, &["--bundle", "bundle.cose"]);
    let path = world.path("state/state");
    let good = fs::read(&path).unwrap();
    let root = RootKey::from_bytes(world.root.verifying_key().as_bytes()).unwrap();
    let folder = StateDir::lock(&world.path("state")).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        fs::write(&path, bad).unwrap();
        let result = folder.load(&root);
        assert!(matches!(result, Err(StateError::Damaged { .. })), "byte {at}: {result:?}");
    }
    for length in [0, 1, 19, 51, 55, 60, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        assert!(matches!(folder.load(&root), Err(StateError::Damaged { .. })), "length {length}");
    }
    fs::write(&path, &good).unwrap();
    assert!(folder.load(&root).unwrap().is_some());
}

#[test]
fn a_damaged_state_says_what_to_do_and_stays() {
    let world = World::new();
    with_state(&world, &["--bundle", "bundle.cose"]);
    fs::write(world.path("state/state"), b"garbage").unwrap();
    for more in [&["--bundle", "bundle.cose"][..], &[]] {
        with_state(&world, more).fails_with(&["已损坏", "备份", "最新的数据包"]);
    }
    assert_eq!(fs::read(world.path("state/state")).unwrap(), b"garbage");
}

#[test]
fn a_state_belongs_to_one_root() {
    let world = World::new();
    with_state(&world, &["--bundle", "bundle.cose"]);
    let other = hex::encode(world.issuing.verifying_key().as_bytes());
    let card = world.card();
    world.check(&[&card, "--root", &other, "--state", "state"]).fails_with(&["另一个根公钥"]);
}

#[test]
fn a_second_process_waits_and_then_gives_up() {
    let world = World::new();
    let lock = StateDir::lock(&world.path("state")).unwrap();
    with_state(&world, &["--bundle", "bundle.cose"]).fails_with(&["正被另一个程序使用"]);
    drop(lock);
    assert_eq!(with_state(&world, &["--bundle", "bundle.cose"]).code, 0);
}

#[test]
fn many_processes_at_once_agree() {
    let world = World::new();
    world.write_bundle("new.cose", &world.trust_list(7), 43, BUNDLED + 60);
    let runs: Vec<Run> = std::thread::scope(|scope| {
        let bundles = ["bundle.cose", "new.cose"].into_iter().cycle().take(12);
        let all: Vec<_> =
            bundles.map(|bundle| scope.spawn(|| with_state(&world, &["--bundle", bundle, "--json"]))).collect();
        all.into_iter().map(|run| run.join().unwrap()).collect()
    });
    // Whoever came after the newer bundle with the older one is refused, and nobody is told anything else.
    for run in &runs {
        match run.code {
            0 => run.judged(0, "accept", "ok"),
            _ => run.fails_with(&["第 43 版", "第 42 版"]),
        }
    }
    assert_eq!(with_state(&world, &["--json"]).json()["status"]["bundle_version"], 43);
}

#[test]
fn a_state_that_cannot_be_a_folder() {
    let world = World::new();
    fs::write(world.path("state"), b"a file").unwrap();
    with_state(&world, &["--bundle", "bundle.cose"]).fails_with(&["状态文件夹"]);
}

fn with_state(world: &World, more: &[&str]) -> Run {
    let card = world.card();
    world.check(&[&[&card, "--root", "root.pub", "--state", "state"], more].concat())
}
