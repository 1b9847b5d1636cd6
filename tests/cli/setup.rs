//! `zyz init`, the global options, `doctor`, `config`.

use crate::support::{Database, Desk};

crate::on_both!(
    init_prints_the_root_key_and_nothing_else,
    init_twice_is_refused,
    doctor_says_what_is_due,
    unknown_number
);

fn init_prints_the_root_key_and_nothing_else(database: Database) {
    let desk = Desk::empty(database);
    let said = desk.ok(&["init"]);
    let root = said.out.trim_end();
    assert_eq!(root.len(), 64);
    assert!(root.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(root, desk.root());
    assert!(!said.err.contains("口令 "), "the passphrase is not echoed: {}", said.err);
}

fn init_twice_is_refused(database: Database) {
    let desk = Desk::new(database);
    let before = std::fs::read(desk.path("data/keys/root.pem")).unwrap();
    let said = desk.refused(&["init"]);
    assert!(said.contains("已经初始化"), "{said}");
    assert_eq!(std::fs::read(desk.path("data/keys/root.pem")).unwrap(), before, "no key is overwritten");
    assert_eq!(desk.json(&["key", "list"]).as_array().unwrap().len(), 3);
}

fn doctor_says_what_is_due(database: Database) {
    let desk = Desk::with_people(database, 3);
    let said = desk.run(&["doctor"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("✕ 数据包"), "{}", said.out);
    desk.ok(&["issue", "--all"]);
    desk.ok(&["publish", "--out", &desk.arg("public")]);
    let said = desk.ok(&["doctor"]);
    assert!(said.out.contains("✓ 审计链"), "{}", said.out);
    assert!(said.out.contains("一切正常"), "{}", said.out);
}

fn unknown_number(database: Database) {
    let desk = Desk::new(database);
    let said = desk.refused(&["volunteer", "show", "0200012349"]);
    assert!(said.contains("没有编号为 02 0001234 9"), "{said}");
    let said = desk.refused(&["card", "0200012340", "--text"]);
    assert!(said.contains("校验位"), "a wrong check digit is refused before any look-up: {said}");
}

#[test]
fn without_init_every_command_says_so() {
    let desk = Desk::empty(Database::sqlite());
    for command in [&["volunteer", "list"][..], &["issue", "--all"], &["publish", "--out", "x"], &["key", "list"]] {
        let said = desk.refused(command);
        assert!(said.contains("zyz init"), "{command:?}: {said}");
    }
    assert!(!desk.path("data/zyz.db").exists(), "looking does not make a database");
}

#[test]
fn a_wrong_passphrase_is_refused() {
    let desk = Desk::new(Database::sqlite());
    desk.write_private("passphrase.txt", "something else\n");
    let said = desk.refused(&["volunteer", "list"]);
    assert!(said.contains("口令"), "{said}");
}

#[test]
fn an_interrupted_init_is_finished_by_the_next() {
    let desk = Desk::new(Database::sqlite());
    std::fs::remove_file(desk.path("data/zyz.db")).unwrap();
    let root = desk.root();
    desk.ok(&["init"]);
    assert_eq!(desk.root(), root, "the root key that was there is used");
}

#[test]
fn a_root_key_made_by_openssl_is_used() {
    let desk = Desk::empty(Database::sqlite());
    std::fs::create_dir_all(desk.path("data/keys")).unwrap();
    let made = std::process::Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-aes-256-cbc", "-pass"])
        .arg(format!("file:{}", desk.arg("passphrase.txt")))
        .args(["-out", &desk.arg("data/keys/root.pem")])
        .status()
        .unwrap();
    assert!(made.success());
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(desk.path("data/keys/root.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let said = desk.ok(&["init"]);
    let public = std::process::Command::new("openssl")
        .args(["pkey", "-pubout", "-outform", "DER", "-passin"])
        .arg(format!("file:{}", desk.arg("passphrase.txt")))
        .args(["-in", &desk.arg("data/keys/root.pem")])
        .output()
        .unwrap();
    assert_eq!(said.out.trim_end(), hex::encode(&public.stdout[public.stdout.len() - 32..]));
}

#[test]
fn the_example_configuration_is_accepted() {
    let desk = Desk::empty(Database::sqlite());
    let example = desk.ok(&["config", "print"]).out;
    std::fs::write(desk.path("zyz.toml"), example).unwrap();
    desk.ok(&["init"]);
}

#[test]
fn a_wrong_configuration_is_refused_by_field() {
    let desk = Desk::empty(Database::sqlite());
    std::fs::write(desk.path("zyz.toml"), "public_urI = 'x'\n").unwrap();
    let said = desk.refused(&["init"]);
    assert!(said.contains("public_urI"), "{said}");
}

#[test]
fn a_wrong_option_is_a_usage_error() {
    let desk = Desk::empty(Database::sqlite());
    assert_eq!(desk.run(&["issue"]).code, 2);
    assert_eq!(desk.run(&["roster", "import", "x.xlsx"]).code, 2);
}
