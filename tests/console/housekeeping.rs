//! What is too old is deleted on time, by the server's own task and nobody's step.

use jiff::SignedDuration;
use zyz::domain::staff::Role;
use zyz::service::housekeeping::Cleared;

use crate::console::ConsoleApp;
use crate::on_both;
use crate::support::{Database, sheets};

on_both![what_is_too_old_is_deleted_on_time];

fn files_named(folder: &std::path::Path, beginning: &str) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => files_named(&entry.path(), beginning),
            false => usize::from(entry.file_name().to_string_lossy().starts_with(beginning)),
        })
        .sum()
}

fn what_is_too_old_is_deleted_on_time(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let app = &console.app;
    let unit = console.sign_in(Role::Unit, console.first_unit());
    let root = app.path("");
    let tidy = || app.wait(app.federation.tidy_up()).unwrap();
    // A sheet of hours and a roster, both without anybody's yes.
    let file = app.path("sheet.xlsx");
    sheets::services(&file, &sheets::hours_of(app.numbers()[0].as_str(), 2026, 8));
    let sheet = unit.upload("/hours/import/file", &[], "sheet.xlsx", &std::fs::read(&file).unwrap());
    let sheet = sheet.location().strip_prefix("/console").unwrap().to_owned();
    sheets::roster(&file, &[sheets::person(50)]);
    let roster = unit.upload("/rosters/drafts", &[("unit", "1")], "roster.xlsx", &std::fs::read(&file).unwrap());
    let roster = roster.location().strip_prefix("/console").unwrap().to_owned();
    // A wrong password leaves a count behind.
    console.browser("").post("/sign-in", &[("login", "nobody"), ("password", "guess")]);
    assert_eq!(tidy(), Cleared::default());
    assert_eq!(files_named(&root, "hours-"), 1);

    app.pass(SignedDuration::from_hours(6 * 24));
    let cleared = tidy();
    assert_eq!((cleared.hours_uploads, cleared.roster_drafts), (0, 0));
    assert!(cleared.sessions >= 1 && cleared.sign_in_tries >= 1, "{cleared:?}");
    app.pass(SignedDuration::from_hours(25));
    assert_eq!(tidy(), Cleared { hours_uploads: 1, ..Cleared::default() });
    assert_eq!(files_named(&root, "hours-"), 0);
    app.pass(SignedDuration::from_hours(22 * 24));
    assert_eq!(tidy(), Cleared::default());
    app.pass(SignedDuration::from_hours(2 * 24));
    assert_eq!(tidy(), Cleared { roster_drafts: 1, ..Cleared::default() });

    let unit = console.sign_in(Role::Unit, console.first_unit());
    unit.get(&sheet).is(404);
    unit.get("/rosters").is(200).says(&["已放弃"]);
    unit.get(&roster);
    // Each went with an event of its own.
    let store = app.wait(app.store());
    let events = app.wait(async { store.read().await.unwrap().audit_events(None, 0, 500).await.unwrap() });
    for action in ["upload.forget", "roster.expire"] {
        assert_eq!(events.iter().filter(|event| event.action == action).count(), 1, "{action}");
    }
}
