//! Delivered rosters: stamped, handed on by the county, archived; the September window.

use jiff::SignedDuration;
use zyz::domain::staff::{Role, Scope};

use crate::console::ConsoleApp;
use crate::on_both;
use crate::rosters::{confirm, form, input, line, unit, upload};
use crate::support::Database;

/// From the tests' beginning (23 November 2026) to 10 September 2027.
const TO_SEPTEMBER: SignedDuration = SignedDuration::from_hours(291 * 24);

fn a_unit_of_the_city_delivers_to_the_federation(database: Database) {
    let console = ConsoleApp::new(database);
    console.app.pass(TO_SEPTEMBER);
    let admin = console.admin();
    let id = unit(&admin, "2", "思茅区文化馆");
    admin.get("/rosters/window").says(&["2027 年", "正在进行", "待送达"]);
    let draft = upload(&admin, id, "名册.csv", &form(&[line(0), line(1)]));
    confirm(&admin, &draft, false).location();
    admin.get("/rosters/window").says(&["按期送达", "2027-09-10", "直报联合会"]);
    let list = admin.get("/rosters/delivered").text();
    let path = list
        .split("/console/rosters/delivered/")
        .find(|rest| rest.starts_with(char::is_numeric))
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let path = format!("/rosters/delivered/{path}");
    admin.get(&path).says(&["窗口内", "还没有收到", "单位盖章后直接报联合会"]);
    let unit_client = console.sign_in(Role::Unit, Scope::Unit { unit: id, county: 2 });
    unit_client.get(&path).is(200);
    unit_client.post(&format!("{path}/stamped"), &[]).is(403);
    // 思茅区's own office receives nothing for the federation.
    let county = console.sign_in(Role::County, Scope::County(2));
    county.post(&format!("{path}/stamped"), &[]).is(403);
    county.post("/rosters/counties/2/2027/hand-on", &[]).is(422).says(&["直接报送联合会"]);
    admin.post(&format!("{path}/archive"), &[]).is(422).says(&["还没有收到盖章纸质件"]);
    admin.post(&format!("{path}/stamped"), &[]).location();
    admin.post(&format!("{path}/stamped"), &[]).is(422).says(&["无需重复"]);
    admin.post(&format!("{path}/archive"), &[]).location();
    admin.post(&format!("{path}/archive"), &[]).is(422).says(&["已经存档"]);
    admin.get(&path).says(&["存档"]);
    assert!(admin.get("/rosters/window/export?year=2027").is(200).body.starts_with(b"PK"));
}

fn a_county_hands_its_units_rosters_on_as_one(database: Database) {
    let console = ConsoleApp::new(database);
    console.app.pass(TO_SEPTEMBER);
    let (admin, county) = (console.admin(), console.sign_in(Role::County, Scope::County(21)));
    let (one, two) = (unit(&county, "21", "宁洱县文化馆"), unit(&county, "21", "宁洱县图书馆"));
    for (id, n) in [(one, 0), (two, 2)] {
        let draft = upload(&county, id, &format!("名册{n}.csv"), &form(&[line(n), line(n + 1)]));
        confirm(&county, &draft, false).location();
    }
    let table = "/rosters/counties/21/2027";
    county.get(table).says(&["宁洱县文化馆", "宁洱县图书馆", "<strong>0</strong> 个单位"]);
    county.post(&format!("{table}/hand-on"), &[]).is(422).says(&["没有新的已盖章名册"]);
    let text = county.get(table).text();
    let first = text.split("/console/rosters/delivered/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    county.post(&format!("/rosters/delivered/{first}/stamped"), &[]).location();
    admin.post(&format!("/rosters/delivered/{first}/archive"), &[]).is(422).says(&["由县文明办汇总报送"]);
    county.get(table).says(&["汇总报送联合会（1 个单位）"]);
    county.post(&format!("{table}/hand-on"), &[]).location();
    county.post(&format!("{table}/archive"), &[("id", "1")]).is(403);
    let id = input(&admin.get(table).text(), "id");
    admin.post(&format!("{table}/archive"), &[("id", &id)]).location();
    admin.post(&format!("{table}/archive"), &[("id", &id)]).is(422).says(&["已经存档"]);
    admin.get(&format!("/rosters/delivered/{first}")).says(&["已汇总报送联合会", "存档"]);
    // The late one goes in a second hand-over, which its own sender does not archive.
    let text = admin.get(table).text();
    let second = text.split("/stamped").next().unwrap().rsplit('/').next().unwrap().to_owned();
    admin.post(&format!("/rosters/delivered/{second}/stamped"), &[]).location();
    admin.post(&format!("{table}/hand-on"), &[]).location();
    let id = input(&admin.get(table).text(), "id");
    admin.post(&format!("{table}/archive"), &[("id", &id)]).is(422).says(&["不能由您本人存档"]);
    console.sign_in(Role::FederationClerk, Scope::All).post(&format!("{table}/archive"), &[("id", &id)]).location();
    // Other counties see none of it; the county's table is a workbook too.
    let other = console.sign_in(Role::County, Scope::County(22));
    other.get(table).is(404);
    other.get(&format!("{table}/export")).is(404);
    other.post(&format!("{table}/hand-on"), &[]).is(404);
    other.get(&format!("/rosters/delivered/{first}")).is(404);
    other.post(&format!("/rosters/delivered/{first}/stamped"), &[]).is(404);
    assert!(county.get(&format!("{table}/export")).is(200).body.starts_with(b"PK"));
    admin.get("/rosters/counties/21/2017").is(404);
    admin.get("/rosters/counties/99/2027").is(404);
}

fn what_comes_outside_the_window_is_marked(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let (late, missing) = (unit(&admin, "2", "思茅区文化馆"), unit(&admin, "2", "思茅区图书馆"));
    admin.post(&format!("/units/{late}/deliver"), &[]).is(422).says(&["还没有已注册的志愿者"]);
    let draft = upload(&admin, late, "名册.csv", &form(&[line(0)]));
    confirm(&admin, &draft, false).location();
    let window = admin.get("/rosters/window");
    window.says(&["已于 2026 年 9 月 30 日结束", "窗口外（迟交）", "未送达"]);
    admin.get("/rosters/window?state=missing").says(&["思茅区图书馆"]);
    assert!(!admin.get("/rosters/window?state=missing").text().contains("思茅区文化馆</a>"));
    assert!(!admin.get("/rosters/window?state=outside").text().contains("思茅区图书馆</a>"));
    admin.get("/rosters/window?state=inside").says(&["没有符合条件的单位"]);
    admin.get("/rosters/window?year=2025").says(&["已于 2025 年 9 月 30 日结束"]);
    admin.get("/rosters/window?year=1&county=x&after=y").is(200);
    // From the register, early next year.
    console.app.pass(SignedDuration::from_hours(60 * 24));
    let admin = console.admin();
    admin.get(&format!("/units/{late}/deliver")).says(&["会标为“窗口外”"]);
    admin.post(&format!("/units/{late}/deliver"), &[]).location();
    admin.get("/rosters/window").says(&["窗口外（提前）", "待送达"]);
    let own = console.sign_in(Role::Unit, Scope::Unit { unit: missing, county: 2 });
    assert!(!own.get("/rosters/window").is(200).text().contains("思茅区文化馆"));
    assert!(!own.get("/rosters/delivered").is(200).text().contains("思茅区文化馆"));
    own.post(&format!("/units/{late}/deliver"), &[]).is(404);
}

on_both!(
    a_unit_of_the_city_delivers_to_the_federation,
    a_county_hands_its_units_rosters_on_as_one,
    what_comes_outside_the_window_is_marked,
);
