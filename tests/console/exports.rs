//! Lists that people take away as workbooks: what they hold, and for whom.

use zyz::domain::staff::{Role, Scope};

use crate::console::ConsoleApp;
use crate::on_both;
use crate::support::{Database, sheets};

on_both![every_list_of_hours_rosters_and_receipts_is_exported];

fn every_list_of_hours_rosters_and_receipts_is_exported(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let (admin, unit) = (console.admin(), console.sign_in(Role::Unit, console.first_unit()));
    let file = console.app.path("roster.xlsx");
    sheets::roster(&file, &[sheets::person(50)]);
    unit.upload("/rosters/drafts", &[("unit", "1")], "=1+1.xlsx", &std::fs::read(&file).unwrap()).location();
    unit.post("/units/1/deliver", &[]).location();
    let foreign = console.sign_in(Role::County, Scope::County(21));
    for path in [
        "/hours/entries/export",
        "/hours/disputes/export",
        "/hours/disputes/export?state=decided",
        "/hours/pending/export?due=1",
        "/rosters/export",
        "/rosters/delivered/export",
        "/units/receipts/export",
        "/units/receipts/2/export?show=missing",
    ] {
        let answer = admin.get(path);
        answer.is(200);
        assert!(answer.body.starts_with(b"PK"), "{path}");
        assert!(answer.header("content-disposition").contains("attachment"), "{path}");
    }
    // A file's name is text, never a formula; whoever is not in reach finds nothing of it.
    assert!(admin.get("/rosters/export").body.len() > foreign.get("/rosters/export").body.len());
    foreign.get("/units/receipts/2/export").is(404);
    admin.get("/rosters").says(&["/rosters/export"]);
    admin.get("/rosters/delivered").says(&["/rosters/delivered/export"]);
    admin.get("/stars/9/export").is(404);
    admin.get("/stars/9/reissue/export").is(404);
}
