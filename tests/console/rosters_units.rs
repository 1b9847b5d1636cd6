//! Units: list, page, editing by two people; annex 3; annex 2 on paper.

use zyz::domain::staff::{Role, Scope};

use crate::console::ConsoleApp;
use crate::on_both;
use crate::rosters::{actions, confirm, form, input, line, unit, upload};
use crate::support::{Database, sheets};

fn units_are_made_found_and_exported(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let museum = unit(&admin, "2", "思茅区文化馆");
    unit(&admin, "21", "宁洱县100%样例_公司");
    admin.get("/units").says(&["思茅区文化馆", "宁洱县100%样例_公司", "机关企事业"]);
    // Signs that a pattern would take for wild ones are not.
    let found = admin.get("/units?q=0%25%E6%A0%B7");
    found.says(&["宁洱县100%样例_公司"]);
    assert!(!found.text().contains("思茅区文化馆"));
    admin.get("/units?q=%25%25%25").says(&["没有符合条件的单位"]);
    admin.get("/units?county=21").says(&["宁洱县"]);
    admin.get("/units?group=none").says(&["没有符合条件的单位"]);
    assert!(admin.get("/units/export").is(200).body.starts_with(b"PK"));
    admin.get(&format!("/units/{museum}")).says(&["100 小时/年", "联合会", "还没有报送回执"]);
    // The same name again, and fields that are wrong, stay in the form.
    let taken = admin.post("/units/new", &[("county", "2"), ("name", " 思茅区文化馆 "), ("head_count", "x")]);
    taken.is(422).says(&["1 到 1000000 之间的整数", "思茅区文化馆"]);
    admin.post("/units/new", &[("county", "2"), ("name", "思茅区文化馆")]).is(422).says(&["已有同名单位"]);
    admin.post("/units/new", &[("county", "99"), ("name", "甲单位")]).is(404);
    for wrong in ["abc", "-1", "99999999999999999999", "1'"] {
        admin.get(&format!("/units/{wrong}")).is(404);
    }
}

fn many_units_are_paged(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    console.app.wait(async {
        let mut tx = console.app.store().await.begin("测试", console.app.federation.now()).await.unwrap();
        for n in 0..120 {
            tx.ensure_unit(if n % 2 == 0 { 2 } else { 21 }, &format!("样例单位{n:03}")).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
    let (mut seen, mut path) = (Vec::new(), "/units?".to_owned());
    loop {
        let text = admin.get(&path).text();
        seen.extend(text.split("样例单位").skip(1).map(|rest| rest[..3].to_owned()));
        let Some((_, rest)) = text.split_once("class=\"pager\"") else { break };
        path = rest
            .split("href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .replace("&amp;", "&")
            .replace("&#38;", "&");
        path = path.strip_prefix("/console").unwrap().to_owned();
    }
    assert_eq!(seen.len(), 120);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120);
}

fn the_second_of_two_is_told(database: Database) {
    let console = ConsoleApp::new(database);
    let (first, second) = (console.admin(), console.sign_in(Role::County, Scope::County(21)));
    let id = unit(&first, "21", "宁洱县文化馆");
    let revision = input(&second.get(&format!("/units/{id}/edit")).text(), "revision");
    let path = format!("/units/{id}/edit");
    first
        .post(&path, &[("revision", &revision), ("name", "宁洱县文化中心"), ("group", "town"), ("head_count", "12")])
        .location();
    let told = second
        .post(&path, &[("revision", &revision), ("name", "宁洱县文化站"), ("group", "office"), ("head_count", "15")]);
    told.is(409).says(&["已经改动过", "宁洱县文化中心", "宁洱县文化站"]);
    // Sure of herself, she saves again.
    let revision = input(&told.text(), "revision");
    second
        .post(&path, &[("revision", &revision), ("name", "宁洱县文化站"), ("group", "office"), ("head_count", "15")])
        .location();
    first.get(&format!("/units/{id}")).says(&["宁洱县文化站", "15", "25 小时/年", "县文明办"]);
    assert!(actions(&console).iter().filter(|action| *action == "unit.edit").count() >= 2);
}

fn a_unit_counts_its_heads_and_changes_nothing_else(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let (own, other) = (unit(&admin, "21", "宁洱县文化馆"), unit(&admin, "21", "宁洱县图书馆"));
    let client = console.sign_in(Role::Unit, Scope::Unit { unit: own, county: 21 });
    let path = format!("/units/{own}/edit");
    let revision = input(&client.get(&path).text(), "revision");
    client
        .post(&path, &[("revision", &revision), ("name", "改名"), ("group", "open"), ("head_count", "33")])
        .location();
    client.get(&format!("/units/{own}")).says(&["宁洱县文化馆", "33", "机关企事业"]);
    client.get(&format!("/units/{other}")).is(404);
    client.post(&format!("/units/{other}/edit"), &[("revision", "1"), ("head_count", "1")]).is(404);
    client.post("/units/new", &[("county", "21"), ("name", "新单位")]).is(403);
    assert!(!client.get("/units").text().contains("宁洱县图书馆"));
    let county = console.sign_in(Role::County, Scope::County(22));
    county.post("/units/new", &[("county", "21"), ("name", "新单位")]).is(404);
    county.get("/units/receipts/21").is(404);
}

fn annex_3_is_returned_and_printed(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let id = unit(&admin, "21", "宁洱县文化馆");
    let client = console.sign_in(Role::Unit, Scope::Unit { unit: id, county: 21 });
    let path = format!("/units/{id}/receipt");
    client.get(&path).is(200).says(&["分管领导", "负责人"]);
    let wrong = client
        .post(&path, &[("revision", "0"), ("leader_name", "李"), ("leader_mobile", "123"), ("leader_qq", "=1+1")]);
    wrong.is(422).says(&["e-leader_name", "aria-invalid=\"true\"", "只能填写数字", "请填写职务"]);
    let good = [
        ("revision", "0"),
        ("leader_name", "岩温扁"),
        ("leader_post", "馆长"),
        ("leader_mobile", "13800000001"),
        ("leader_office_phone", "0879-3230000"),
        ("manager_name", "玉波罕"),
        ("manager_post", "办公室主任"),
        ("manager_mobile", "138 0000 0002"),
        ("manager_qq", "10001"),
    ];
    client.post(&path, &good).location();
    // The same again from an old page is told.
    admin.post(&path, &good).is(409).says(&["已经改动过", "岩温扁"]);
    let page = client.get(&format!("/units/{id}"));
    page.says(&["岩温扁", "馆长", "138****0002"]);
    assert!(!page.text().contains("13800000002"));
    admin.get("/units/receipts").says(&["宁洱县"]);
    admin.get("/units/receipts/21").says(&["已报 1 / 1"]);
    admin.get("/units/receipts/21?show=missing").says(&["没有未报的单位"]);
    // On paper: with a reason only.
    client.post(&format!("{path}/print"), &[("reason", ""), ("as", "pdf")]).is(422).says(&["请写明用途"]);
    let pdf = client.post(&format!("{path}/print"), &[("reason", "盖章报送"), ("as", "pdf")]);
    assert!(pdf.is(200).body.starts_with(b"%PDF-"));
    let book = client.post(&format!("{path}/print"), &[("reason", "盖章报送"), ("as", "xlsx")]);
    assert!(book.is(200).body.starts_with(b"PK"));
    assert!(actions(&console).iter().filter(|action| *action == "receipt.reveal").count() >= 2);
    // The county's own.
    let county = console.sign_in(Role::County, Scope::County(21));
    county.post("/units/receipts/21/own", &good).location();
    county.get("/units/receipts").says(&["已报"]);
    assert!(
        county
            .post("/units/receipts/21/own/print", &[("reason", "盖章报送"), ("as", "pdf")])
            .body
            .starts_with(b"%PDF-")
    );
    client.get("/units/receipts/21").is(404);
    client.get("/units/receipts/21/own").is(404);
}

fn annex_2_is_printed_with_a_reason(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let id = unit(&admin, "2", "思茅区文化馆");
    let path = format!("/units/{id}/roster");
    admin.post(&path, &[("reason", "盖章存档"), ("as", "pdf")]).is(422).says(&["还没有已注册的志愿者"]);
    let draft = upload(&admin, id, "名册.csv", &form(&(0..40).map(line).collect::<Vec<_>>()));
    confirm(&admin, &draft, false).location();
    admin.post(&path, &[("reason", " "), ("as", "pdf")]).is(422).says(&["请写明用途"]);
    let pdf = admin.post(&path, &[("reason", "盖章存档"), ("as", "pdf")]);
    assert!(pdf.is(200).body.starts_with(b"%PDF-"));
    assert!(pdf.header("content-disposition").contains("attachment"));
    let book = admin.post(&path, &[("reason", "盖章存档"), ("as", "xlsx")]);
    let sheet = zyz::roster::sheet::read_bytes(&book.is(200).body, &zyz::roster::Limits::default()).unwrap();
    let rows: Vec<_> = sheet.data_rows().collect();
    assert_eq!(rows[0].cell(6).text, sheets::person(0).identity);
    assert_eq!(rows[0].cell(9).text, "");
    // What is handed in again is everybody's known.
    let again = upload(&admin, id, "附件2.xlsx", &book.body);
    admin.get(&again).says(&["此前已登记 40"]);
    assert!(actions(&console).iter().filter(|action| *action == "roster.print").count() == 2);
    console.sign_in(Role::Oversight, Scope::All).get(&path).is(403);
}

on_both!(
    units_are_made_found_and_exported,
    many_units_are_paged,
    the_second_of_two_is_told,
    a_unit_counts_its_heads_and_changes_nothing_else,
    annex_3_is_returned_and_printed,
    annex_2_is_printed_with_a_reason,
);
