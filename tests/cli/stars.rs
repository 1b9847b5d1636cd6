//! `zyz hours import`, `zyz stars …`.

use jiff::civil::date;

use crate::support::sheets::{self, Service, hours_of};
use crate::support::{Database, Desk};

crate::on_both!(
    hours_are_counted_once,
    hours_that_cannot_be_are_refused,
    stars_at_their_thresholds_and_reissue,
    a_star_is_kept_when_a_later_year_is_lower,
    a_policy_from_a_date_on,
);

fn import(desk: &Desk, rows: &[Service]) -> serde_json::Value {
    let file = desk.path("hours.xlsx");
    sheets::services(&file, rows);
    desk.json(&["hours", "import", &file.display().to_string()])
}

fn last_year() -> i16 {
    crate::support::now().to_string()[..4].parse::<i16>().unwrap() - 1
}

fn hours_are_counted_once(database: Database) {
    let desk = Desk::with_people(database, 2);
    let by_identity = hours_of(&sheets::person(0).identity, last_year(), 20);
    let number = desk.volunteers()[1]["number"].as_str().unwrap().to_owned();
    let by_number = hours_of(&number, last_year(), 10);
    let rows: Vec<_> = by_identity.into_iter().chain(by_number).collect();
    let first = import(&desk, &rows);
    assert_eq!((first["imported"].as_u64(), first["minutes"].as_u64()), (Some(5), Some(1800)), "{first}");
    assert_eq!(first["flagged"][0]["rows"], 5, "entered over ten working days late");
    let again = import(&desk, &rows);
    assert_eq!((again["imported"].as_u64(), again["known"].as_u64()), (Some(0), Some(5)), "{again}");
    let person = desk.json(&["volunteer", "show", &number]);
    assert_eq!(person["hours_lifetime"], 10.0);
}

fn hours_that_cannot_be_are_refused(database: Database) {
    let desk = Desk::with_people(database, 1);
    let who = sheets::person(0).identity;
    let row = |day, from: &str, to: &str| Service {
        who: who.clone(),
        date: date(last_year(), 3, day),
        from: from.into(),
        to: to.into(),
        content: format!("第 {day} 日"),
    };
    import(&desk, &[row(1, "08:00", "12:00")]);
    let future = Service { date: date(last_year() + 3, 1, 1), ..row(1, "08:00", "09:00") };
    let stranger = Service { who: sheets::person(7).identity, ..row(2, "08:00", "09:00") };
    let rows = [row(1, "11:00", "13:00"), row(2, "10:00", "09:00"), future, stranger, row(3, "08:00", "09:00")];
    let result = import(&desk, &rows);
    assert_eq!(result["imported"], 1, "{result}");
    let refused = result["refused"].as_array().unwrap();
    let rows: Vec<_> = refused.iter().map(|r| r["row"].as_u64().unwrap()).collect();
    assert_eq!(rows, [2, 3, 4, 5], "{refused:?}");
    assert!(refused[0]["reason"].as_str().unwrap().contains("重叠"), "{refused:?}");
}

fn stars_at_their_thresholds_and_reissue(database: Database) {
    let desk = Desk::with_people(database, 3);
    desk.ok(&["issue", "--all"]);
    let year = last_year();
    let rows: Vec<_> = [(0, 99), (1, 100), (2, 600)]
        .into_iter()
        .flat_map(|(n, hours)| hours_of(&sheets::person(n).identity, year, hours))
        .collect();
    import(&desk, &rows);
    let year = year.to_string();
    let list = desk.arg("public-notice.xlsx");
    let trial = desk.json(&["stars", "certify", "--year", &year, "--dry-run", "--list", &list]);
    assert_eq!(trial["changed"], 2);
    assert!(desk.path("public-notice.xlsx").is_file());
    assert!(desk.volunteers().iter().all(|person| person["star"] == 0), "a dry run certifies nobody");
    let batch = desk.json(&["stars", "certify", "--year", &year]);
    assert_eq!(batch["by_star"], serde_json::json!([1, 1, 0, 1, 0, 0]));
    let stars: Vec<_> = desk.volunteers().iter().map(|person| person["star"].as_u64().unwrap()).collect();
    assert_eq!(stars, [0, 1, 3]);
    assert_eq!(desk.json(&["stars", "certify", "--year", &year])["changed"], 0, "again changes nothing");
    let number = desk.numbers()[2].clone();
    let old = desk.text(&number);
    let reissued = desk.json(&["issue", "--all", "--reissue"]);
    assert_eq!(reissued["issued"].as_array().unwrap().len(), 2, "only those whose star changed");
    assert_eq!(desk.published_reason(&old), "superseded");
    assert_eq!(desk.judge(&desk.text(&number), "public")["certificate"]["star"], 3);
}

fn a_star_is_kept_when_a_later_year_is_lower(database: Database) {
    let desk = Desk::with_people(database, 1);
    let who = sheets::person(0).identity;
    let year = last_year();
    import(&desk, &hours_of(&who, year - 1, 300));
    import(&desk, &hours_of(&who, year, 100));
    desk.ok(&["stars", "certify", "--year", &(year - 1).to_string()]);
    let batch = desk.json(&["stars", "certify", "--year", &year.to_string()]);
    assert_eq!(desk.volunteers()[0]["star"], 2);
    assert_eq!(batch["awards"][0]["hours"], 100.0, "both totals are shown");
    assert_eq!(batch["awards"][0]["hours_lifetime"], 400.0);
}

fn a_policy_from_a_date_on(database: Database) {
    let desk = Desk::with_people(database, 1);
    let year = last_year();
    import(&desk, &hours_of(&sheets::person(0).identity, year, 50));
    let from = format!("{year}-06-01");
    desk.ok(&[
        "stars",
        "policy",
        "add",
        "--from",
        &from,
        "--hours",
        "20,40,60,80,100",
        "--window",
        "lifetime",
        "--may-fall",
    ]);
    assert_eq!(desk.json(&["stars", "policy", "list"]).as_array().unwrap().len(), 2);
    desk.ok(&["stars", "certify", "--year", &year.to_string()]);
    assert_eq!(desk.volunteers()[0]["star"], 2);
    assert!(desk.refused(&["stars", "policy", "add", "--from", "2030-01-01", "--hours", "5,4,3,2,1"]).contains("逐级"));
}

#[test]
fn a_year_to_come_is_refused() {
    let desk = Desk::new(Database::sqlite());
    let said = desk.refused(&["stars", "certify", "--year", &(last_year() + 2).to_string()]);
    assert!(said.contains("还没有到"), "{said}");
}
