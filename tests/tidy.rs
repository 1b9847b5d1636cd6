//! Rules about the source that the compiler does not hold: who may name whom, one schema in two dialects, no file too
//! long, nothing left for later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines from which a file must be divided.
const LONGEST: usize = 600;

/// Module of the root crate, and those of the root crate that it may name besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("domain", &["clock"]),
    ("store", &["clock", "domain"]),
    ("roster", &["clock", "domain"]),
    ("render", &["clock", "domain"]),
    ("keystore", &["clock", "domain"]),
];

/// Pairs that must not be named from the layers above: pages and commands reach the store through a service, and a
/// service knows neither.
const NEVER: &[(&str, &str)] = &[("web", "store"), ("cli", "store"), ("service", "web"), ("service", "cli")];

#[test]
fn layers_name_only_what_is_below_them() {
    let modules = root_modules();
    let mut wrong = Vec::new();
    for (module, allowed) in LAYERS {
        for (path, text) in sources_of(module) {
            for (line, named) in named_modules(&text, module) {
                if modules.contains(&named) && named != *module && !allowed.contains(&named.as_str()) {
                    wrong.push(format!("{}:{line}: `{module}` names `{named}`", path.display()));
                }
            }
        }
    }
    for (module, forbidden) in NEVER {
        for (path, text) in sources_of(module) {
            for (line, named) in named_modules(&text, module) {
                if named == *forbidden {
                    wrong.push(format!("{}:{line}: `{module}` names `{named}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_domain_names_only_the_credential_of_our_crates() {
    let mut wrong = Vec::new();
    for (path, text) in sources_of("domain") {
        for (line, code) in code_lines(&text) {
            let above = ["zyz_scanner", "zyz_verifier", "zyz_http", "sqlx", "std::fs", "std::net", "tokio", "axum"];
            for name in above.into_iter().chain(["printpdf", "calamine"]) {
                if has_word(code, name) {
                    wrong.push(format!("{}:{line}: `domain` names `{name}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sqlx_stays_in_the_stores() {
    let stores = ["src/store", "crates/verifier/src/ledger"].map(|folder| root().join(folder));
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("crates"))) {
        if stores.iter().any(|store| path.starts_with(store)) {
            continue;
        }
        for (line, code) in code_lines(&read(&path)) {
            if has_word(code, "sqlx") {
                wrong.push(format!("{}:{line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "sqlx is named outside the two stores:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_dialect_knows_the_backend() {
    let mut wrong = Vec::new();
    for (path, text) in sources_of("store") {
        if path.ends_with("dialect.rs") || path.ends_with("migrate.rs") {
            continue;
        }
        for (line, code) in code_lines(&text) {
            if code.contains("Dialect::Sqlite") || code.contains("Dialect::Postgres") {
                wrong.push(format!("{}:{line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "a dialect is told apart outside dialect.rs:\n{}", wrong.join("\n"));
}

#[test]
fn both_databases_have_the_same_migrations_tables_and_columns() {
    let (sqlite, postgres) = (migrations("sqlite"), migrations("postgres"));
    let names = |migrations: &BTreeMap<String, Schema>| migrations.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&sqlite), names(&postgres), "the folders hold different files");
    assert!(!sqlite.is_empty());
    for (place, name) in (1..).zip(sqlite.keys()) {
        assert!(name.starts_with(&format!("{place:04}_")), "{name} is not number {place}");
        assert_eq!(sqlite[name].columns, postgres[name].columns, "{name}: tables and columns");
        assert_eq!(sqlite[name].indexes, postgres[name].indexes, "{name}: indexes");
    }
}

#[test]
fn column_types_are_the_portable_ones() {
    for (dialect, allowed) in
        [("sqlite", ["BIGINT", "TEXT", "BLOB", "INTEGER"]), ("postgres", ["BIGINT", "TEXT", "BYTEA", ""])]
    {
        for (name, schema) in migrations(dialect) {
            for (column, kind) in schema.types {
                assert!(allowed.contains(&kind.as_str()), "{dialect}/{name}: {column} is {kind}");
            }
        }
    }
}

#[test]
fn every_migration_is_built_in() {
    let list = read(&root().join("src/store/migrate.rs"));
    for dialect in ["sqlite", "postgres"] {
        for name in migrations(dialect).keys() {
            assert!(
                list.contains(&format!("migrations/{dialect}/{name}")),
                "migrate.rs does not list {dialect}/{name}"
            );
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let mut long = Vec::new();
    for folder in ["src", "crates", "tests", "benches", "templates"] {
        for path in files(&root().join(folder), &["rs", "html", "css", "js", "py", "toml"]) {
            let lines = read(&path).lines().count();
            if lines > LONGEST {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "divide these, {LONGEST} lines are enough:\n{}", long.join("\n"));
}

#[test]
fn pages_hold_no_script_or_style_of_their_own() {
    let mut wrong = Vec::new();
    for path in files(&root().join("templates"), &["html"]) {
        for (line, text) in (1..).zip(read(&path).lines()) {
            for what in inline(text) {
                wrong.push(format!("{}:{line}: {what}", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "the Content-Security-Policy would not run it, or it would run too much:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_template_is_used() {
    let templates = root().join("templates");
    let pages = files(&templates, &["html"]);
    let mut named = String::new();
    for path in rust_files(&root().join("src")).into_iter().chain(pages.iter().cloned()) {
        named.push_str(&read(&path));
    }
    let unused: Vec<String> = pages
        .iter()
        .map(|path| path.strip_prefix(&templates).expect("below templates").display().to_string())
        .filter(|name| !named.contains(&format!("\"{name}\"")))
        .collect();
    assert!(unused.is_empty(), "no page is made of these:\n{}", unused.join("\n"));
}

#[test]
fn every_room_of_the_console_has_its_tests() {
    let mut bare = Vec::new();
    for room in rooms() {
        for place in [format!("tests/console/{room}"), format!("tests/browser/console_{room}")] {
            let mut paths = rust_files(&root().join(&place));
            paths.extend(Some(root().join(format!("{place}.rs"))).filter(|path| path.is_file()));
            if !paths.iter().any(|path| ["#[test]", "on_both!"].iter().any(|mark| read(path).contains(mark))) {
                bare.push(place);
            }
        }
    }
    assert!(bare.is_empty(), "no test stands in:\n{}", bare.join("\n"));
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["FIX", "ME"].concat(),
        ["(being ", "written)"].concat(),
    ];
    let mut left = Vec::new();
    for folder in ["src", "crates", "tests", "benches", "migrations", "templates"] {
        for path in files(&root().join(folder), &["rs", "sql", "toml", "js", "html", "css", "py"]) {
            for (line, text) in (1..).zip(read(&path).lines()) {
                if marks.iter().any(|mark| text.contains(mark)) {
                    left.push(format!("{}:{line}: {}", path.display(), text.trim()));
                }
            }
        }
    }
    assert!(left.is_empty(), "{}", left.join("\n"));
}

/// The console's rooms: folders beside its table of routes.
fn rooms() -> Vec<String> {
    let entries = fs::read_dir(root().join("src/web/console")).expect("the console is there");
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.join("mod.rs").is_file()));
    folders.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect()
}

/// What a line of a template must not hold: scripts and styles in the page, handlers in attributes, text put in unescaped.
fn inline(line: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let low = line.to_lowercase();
    for (mark, what) in [
        (" style=", "a style attribute"),
        ("<style", "a style sheet in the page"),
        ("javascript:", "a script as an address"),
        ("|safe", "text that is not escaped"),
        ("| safe", "text that is not escaped"),
        ("hx-on", "a handler in an attribute"),
        ("hx-vals=\"js:", "a script in an attribute"),
    ] {
        if low.contains(mark) {
            found.push(what);
        }
    }
    if low.contains("<script") && !low.contains("<script src=") {
        found.push("a script in the page");
    }
    let handler = |(at, _): (usize, &str)| {
        let name: String = low[at + 3..].chars().take_while(char::is_ascii_lowercase).collect();
        !name.is_empty() && low[at + 3 + name.len()..].starts_with('=')
    };
    if low.match_indices(" on").any(handler) {
        found.push("a handler in an attribute");
    }
    found
}

#[derive(Debug, Default)]
struct Schema {
    columns: BTreeMap<String, Vec<String>>,
    types: Vec<(String, String)>,
    indexes: BTreeSet<String>,
}

/// The migrations of a dialect by file name, read with as much SQL as ours use: `CREATE TABLE` with a column a line,
/// `CREATE INDEX`, `ALTER TABLE … ADD COLUMN`.
fn migrations(dialect: &str) -> BTreeMap<String, Schema> {
    let folder = root().join("migrations").join(dialect);
    let paths = files(&folder, &["sql"]);
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a migration has a name").to_owned();
            (name, schema(&read(&path)))
        })
        .collect()
}

fn schema(sql: &str) -> Schema {
    let mut schema = Schema::default();
    let mut table: Option<String> = None;
    for line in sql.lines().map(|line| line.split("--").next().unwrap_or_default().trim()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (&table, words.as_slice()) {
            (None, ["CREATE", "TABLE", name, ..]) => {
                schema.columns.insert((*name).to_owned(), Vec::new());
                table = Some((*name).to_owned());
            }
            (None, ["CREATE", "INDEX", name, ..] | ["CREATE", "UNIQUE", "INDEX", name, ..]) => {
                schema.indexes.insert((*name).to_owned());
            }
            (None, ["ALTER", "TABLE", name, "ADD", "COLUMN", column, kind, ..]) => {
                schema.columns.entry((*name).to_owned()).or_default().push((*column).to_owned());
                schema.types.push((format!("{name}.{column}"), kind.trim_end_matches(';').to_owned()));
            }
            (Some(_), [first, ..]) if first.starts_with(");") => table = None,
            (Some(_), [first, ..]) if ["UNIQUE", "PRIMARY", "CHECK", "FOREIGN"].contains(first) => {}
            (Some(name), [column, kind, ..]) => {
                let kind = kind.trim_end_matches(',').to_owned();
                schema.types.push((format!("{name}.{column}"), kind));
                schema.columns.entry(name.clone()).or_default().push((*column).to_owned());
            }
            _ => {}
        }
    }
    schema
}

/// Names of the root crate's modules, as files or folders under `src/`.
fn root_modules() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("src")).expect("src is there");
    entries
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .filter(|name| name != "main" && name != "lib")
        .collect()
}

fn sources_of(module: &str) -> Vec<(PathBuf, String)> {
    let src = root().join("src");
    let mut paths = rust_files(&src.join(module));
    let single = src.join(format!("{module}.rs"));
    if single.is_file() {
        paths.push(single);
    }
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// Modules of the root crate that `text`, a file of `module`, names: `crate::x`, `crate::{x, y}`, `zyz::x`, or as many
/// `super::` as lead out of the module.
fn named_modules(text: &str, module: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (line, code) in code_lines(text) {
        for start in ["crate::", "zyz::"] {
            let mut rest = code;
            while let Some(at) = rest.find(start) {
                let inside = at > 0 && rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                rest = &rest[at + start.len()..];
                if inside {
                    continue;
                }
                if let Some(group) = rest.strip_prefix('{') {
                    let group = group.split('}').next().unwrap_or_default();
                    named.extend(group.split(',').map(|part| (line, identifier(part.trim()))));
                } else {
                    named.push((line, identifier(rest)));
                }
            }
        }
    }
    named.retain(|(_, name)| !name.is_empty() && name != module);
    named
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn has_word(code: &str, word: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    code.match_indices(word)
        .any(|(at, _)| edge(code[..at].chars().next_back()) && edge(code[at + word.len()..].chars().next()))
}

/// Lines with their numbers, without comments.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let code = line.trim_start();
        if code.starts_with("//") {
            return None;
        }
        Some((number, code.find(" //").map_or(code, |at| &code[..at])))
    })
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, &["rs"])
}

/// Files with one of these endings under a folder, in order, build output left out; none if there is no folder.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !["target", "node_modules"].contains(&name) && !name.starts_with('.') {
            found.extend(files(&path, endings));
        } else if path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| endings.contains(&ending)) {
            found.push(path);
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_checks_see_what_they_should() {
    let text = "use crate::{store, domain::star};\n// crate::render\nlet x = crate::keystore::open(); // crate::cli\n";
    let named: Vec<String> = named_modules(text, "service").into_iter().map(|(_, name)| name).collect();
    assert_eq!(named, ["store", "domain", "keystore"]);
    assert!(has_word("use sqlx::Any;", "sqlx") && !has_word("use my_sqlx;", "sqlx"));
    assert_eq!(inline("<p style=\"x\" onclick=\"y\">{{ a|safe }}").len(), 3);
    assert!(inline("<script src=\"a.js\" defer></script> on top <p class=on>").is_empty());
    let schema = schema(
        "CREATE TABLE a (\n  id BIGINT PRIMARY KEY, -- key\n  b TEXT,\n  UNIQUE (b)\n);\nCREATE INDEX i ON a (b);",
    );
    assert_eq!(schema.columns["a"], ["id", "b"]);
    assert_eq!(schema.types, [("a.id".to_owned(), "BIGINT".to_owned()), ("a.b".to_owned(), "TEXT".to_owned())]);
    assert!(schema.indexes.contains("i"));
}
