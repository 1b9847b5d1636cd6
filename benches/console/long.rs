//! Long work: a roster of as many rows as half of all volunteers, 10,000 cards through the queue, a year's star batch.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rust_xlsxwriter::Workbook;
use zyz::domain::choice::CardChoice;
use zyz::domain::review::Settings;
use zyz::domain::staff::{Role, Scope};
use zyz::service::Federation;
use zyz::service::desk::rosters::{DraftUpload, Shown};
use zyz::store::UnitId;

use super::fill::{Sample, person};

/// Cards made at once.
const CARDS: usize = 10_000;

/// Does the work and prints how long each step took.
pub async fn work(federation: &Arc<Federation>, sample: &Sample, people: u32, folder: &Path) {
    let staff = federation.open_account(Role::FederationAdmin, Scope::All).await.unwrap();
    let token = federation.begin_session(staff).await.unwrap();
    let desk = federation.desk(&token).await.unwrap().unwrap();
    desk.change_settings(Settings { two_person: false, ..Settings::default() }, 0).await.unwrap();
    let unit = sample.units[0].0;
    let rows = people / 2;
    println!("\n| long work | seconds |\n|---|---:|");

    let file = folder.join("roster.xlsx");
    roster(&file, people, rows);
    let began = Instant::now();
    let upload = DraftUpload { file: &file, name: "名册.xlsx", unit };
    let draft = desk.upload_roster(upload).await.unwrap();
    said(&format!("a roster of {rows} rows uploaded, each row checked and kept"), began);
    let began = Instant::now();
    let view = desk.preview_roster(draft, Shown::All, rows / 2).await.unwrap().draft;
    said("a page of its preview", began);
    assert_eq!(view.fresh, u64::from(rows), "{view:?}");
    let began = Instant::now();
    desk.confirm_roster(draft, view.revision, true).await.unwrap();
    said("confirmed: everybody registered", began);

    let cards = CARDS.min(rows as usize);
    let new = desk.choice_export(CardChoice::New, Some(unit)).await.unwrap();
    let numbers: Vec<&str> = new.iter().take(cards).map(|line| line.number.as_str()).collect();
    let began = Instant::now();
    let list = desk.freeze_numbers(&numbers.join("\n")).await.unwrap();
    said(&format!("a list of {cards} numbers frozen"), began);
    desk.ask_issue(list, &cards.to_string()).await.unwrap();
    let began = Instant::now();
    assert_eq!(federation.run_jobs_once().await.unwrap(), 1);
    said(&format!("{cards} cards signed by the queue"), began);
    let list = desk.freeze_numbers(&numbers.join("\n")).await.unwrap();
    desk.ask_print(list, "a4-8up", false).await.unwrap();
    let began = Instant::now();
    assert_eq!(federation.run_jobs_once().await.unwrap(), 1);
    said(&format!("{cards} cards printed by the queue, eight a sheet, both sides"), began);

    // The batch that the rooms were filled with is under way.
    desk.drop_stars(2, 2, "重新计算本年度的认定").await.unwrap();
    let began = Instant::now();
    let batch = desk.draft_stars("2026").await.unwrap();
    let count = desk.star_batch(batch).await.unwrap().line.people;
    said(&format!("the year's star batch drafted over {} volunteers: {count} rows", people + rows), began);
}

fn said(what: &str, began: Instant) {
    println!("| {what} | {:.2} |", began.elapsed().as_secs_f64());
}

/// 附件2 with people who are not registered yet.
fn roster(file: &Path, after: u32, rows: u32) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let heads = ["序号", "姓名", "性别", "民族", "出生年月", "政治面貌", "身份证号码", "联系电话", "密码"];
    sheet.write_row(0, 0, heads).unwrap();
    let number = zyz_credential::CertificateNumber::from_parts(2, 1).unwrap();
    for row in 1..=rows {
        let who = person(after + row, number, UnitId(1));
        let sex = if who.sex == 1 { "男" } else { "女" };
        let birth = format!("{:04}.{:02}", who.birth_date.year(), who.birth_date.month());
        let phone = who.contact.phone.unwrap_or_default();
        let cells = [&row.to_string(), &who.name, sex, "汉族", &birth, "群众", &who.identity, &phone, ""];
        sheet.write_row(row, 0, cells).unwrap();
    }
    book.save(file).unwrap();
}
