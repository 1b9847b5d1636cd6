//! `zyz partner …`, `zyz offer …`, and partners' bundles among the published files.

use serde_json::{Value, json};
use zyz::clock::beijing_date;

use crate::support::{Database, Desk, now};

crate::on_both!(
    a_partner_from_agreement_to_usage,
    an_ended_partner_has_no_offers_in_the_next_bundle,
    offers_with_every_condition,
    a_link_with_its_picture,
    devices_listed_and_revoked,
    refusals_say_what_to_do,
);

/// A day so many days from today in Beijing.
fn day(from_today: i64) -> String {
    let today = beijing_date(now());
    today.checked_add(jiff::ToSpan::days(from_today)).unwrap().to_string()
}

fn add_partner(desk: &Desk, name: &str, number: &str) -> String {
    let (from, to) = (day(-30), day(300));
    let added = desk.json(&["partner", "add", name, "--agreement", number, "--from", &from, "--to", &to]);
    assert_eq!((added["name"].as_str(), added["state"].as_str()), (Some(name), Some("in_force")));
    added["id"].to_string()
}

fn offers(desk: &Desk, folder: &str, partner: &str) -> Vec<Value> {
    let number = desk.numbers().remove(0);
    let verdict = desk.judge(&desk.text(&number), &format!("{folder}/partners/{partner}"));
    assert_eq!(verdict["verdict"], "accept", "{verdict}");
    verdict["offers"].as_array().unwrap().clone()
}

fn a_partner_from_agreement_to_usage(database: Database) {
    let desk = Desk::with_people(database, 1);
    desk.ok(&["issue", "--all"]);
    let partner = add_partner(&desk, "思茅区大众食堂", "普志协〔2026〕1号");
    let other = add_partner(&desk, "普洱市中医医院", "普志协〔2026〕2号");
    let offer = desk.json(&["offer", "add", &partner, "--kind", "优惠", "--title", "全场九折"]);
    assert_eq!((offer["kind"].as_str(), offer["kind_label"].as_str()), (Some("discount"), Some("优惠")));
    desk.ok(&["offer", "add", &other, "--kind", "priority", "--title", "优先就诊"]);

    let list = desk.json(&["partner", "list"]);
    assert_eq!((list[0]["offers"].as_u64(), list[0]["devices"].as_u64()), (Some(1), Some(0)));
    let shown = desk.ok(&["partner", "list"]).out;
    assert!(shown.contains("思茅区大众食堂") && shown.contains("有效"), "{shown}");

    let public = desk.arg("public");
    let done = desk.json(&["publish", "--out", &public, "--partner", &partner, "--partner", &other]);
    assert_eq!((done["partners"][0]["offers"].as_u64(), done["partners"][1]["offers"].as_u64()), (Some(1), Some(1)));
    let titles =
        |partner: &str| offers(&desk, "public", partner).iter().map(|offer| offer["title"].clone()).collect::<Vec<_>>();
    assert_eq!((titles(&partner), titles(&other)), (vec![json!("全场九折")], vec![json!("优先就诊")]));
    let number = desk.numbers().remove(0);
    assert_eq!(desk.judge(&desk.text(&number), "public")["offers"], json!([]), "the public bundle has none");

    let renewed = desk.json(&["partner", "renew", &partner, "--agreement", "普志协〔2027〕1号", "--to", &day(600)]);
    assert_eq!(renewed["agreement_to"].as_str(), Some(day(600).as_str()));
    assert!(desk.refused(&["partner", "renew", &partner, "--agreement", "x", "--to", &day(600)]).contains("须晚于"));

    let usage = desk.json(&["partner", "usage", &partner]);
    assert_eq!((usage["total"]["uses"].as_u64(), usage["offers"].as_array().map(Vec::len)), (Some(0), Some(0)));
    let said = desk.ok(&["partner", "usage", &partner, "--from", "2026-01-01"]).out;
    assert!(said.contains("2026-01-01 至 现在") && said.contains("没有使用记录"), "{said}");
}

fn an_ended_partner_has_no_offers_in_the_next_bundle(database: Database) {
    let desk = Desk::with_people(database, 1);
    desk.ok(&["issue", "--all"]);
    let partner = add_partner(&desk, "思茅区大众食堂", "1");
    let offer = desk.json(&["offer", "add", &partner, "--kind", "免费", "--title", "免费热水"])["id"].to_string();
    desk.ok(&["offer", "add", &partner, "--kind", "免费", "--title", "免费充电"]);
    let publish = || desk.ok(&["publish", "--out", &desk.arg("public"), "--partner", &partner]);
    publish();
    assert_eq!(offers(&desk, "public", &partner).len(), 2);
    assert!(desk.ok(&["offer", "end", &offer]).out.contains("免费热水"));
    publish();
    assert_eq!(offers(&desk, "public", &partner).len(), 1);
    assert_eq!(desk.json(&["offer", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(desk.json(&["offer", "list", "--all", "--partner", &partner]).as_array().unwrap().len(), 2);

    let said = desk.ok(&["partner", "end", &partner, "--reason", "停业"]).out;
    assert!(said.contains("零时（北京时间）起终止"), "{said}");
    let said = publish();
    assert!(said.err.contains("协议已终止"), "{said:?}");
    assert_eq!(offers(&desk, "public", &partner), Vec::<Value>::new());
    assert_eq!(desk.json(&["partner", "list"]), json!([]));
    assert_eq!(desk.json(&["partner", "list", "--all"])[0]["end_reason"], "停业");
    let said = desk.ok(&["partner", "show", &partner]).out;
    assert!(said.contains("终止原因：停业") && said.contains("免费充电"), "{said}");
}

fn offers_with_every_condition(database: Database) {
    let desk = Desk::new(database);
    let partner = add_partner(&desk, "普洱市中医医院", "1");
    let last = day(100);
    let offer = desk.json(&[
        "offer",
        "add",
        &partner,
        "--kind",
        "免费",
        "--title",
        "免费体检",
        "--terms",
        "每年一次",
        "--min-star",
        "3",
        "--from",
        &day(1),
        "--to",
        &last,
        "--weekdays",
        "周一至周五",
        "--hours",
        "09:00-12:00,14:00-18:00",
        "--per-day",
        "1",
        "--per-month",
        "2",
        "--in-all",
        "3",
        "--identity-check",
        "--max-status-hours",
        "48",
    ]);
    assert_eq!(offer["to"].as_str(), Some(last.as_str()));
    assert_eq!((offer["weekdays"].as_u64(), offer["hours"].as_str()), (Some(31), Some("09:00-12:00,14:00-18:00")));
    assert_eq!(
        (offer["per_day"].as_u64(), offer["per_month"].as_u64(), offer["in_all"].as_u64()),
        (Some(1), Some(2), Some(3))
    );
    assert_eq!((offer["identity_check"].as_bool(), offer["max_status_age"].as_u64()), (Some(true), Some(172_800)));
    let said = desk.ok(&["offer", "list"]).out;
    for part in ["三星级", "周一至周五", "每人每天 1 次", "每人每月 2 次", "每人共 3 次", "核对身份证件", "48 小时"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

fn a_link_with_its_picture(database: Database) {
    let desk = Desk::new(database);
    let partner = add_partner(&desk, "思茅区大众食堂", "1");
    let png = desk.arg("link.png");
    let link = desk.json(&["partner", "enrol", &partner, "--device", "收银台1", "--png", &png]);
    let text = link["link"].as_str().unwrap();
    assert!(text.starts_with("https://zyz.example.cn/scan#enrol="), "{text}");
    let read = zyz_verifier::read_code(&desk.path("link.png")).unwrap();
    assert_eq!(read, text, "the picture says the same");
    assert_eq!(link["root_public_key"].as_str().unwrap(), desk.root());

    let said = desk.ok(&["partner", "enrol", &partner, "--server-url", "http://127.0.0.1:8080"]).out;
    assert!(said.contains("http://127.0.0.1:8080/scan#enrol="), "{said}");
    assert!(!said.contains('\u{1b}'), "a code is drawn for terminals only: {said}");
    assert!(said.contains(link["root_fingerprint"].as_str().unwrap()), "{said}");
}

fn devices_listed_and_revoked(database: Database) {
    let desk = Desk::new(database);
    let partner = add_partner(&desk, "思茅区大众食堂", "1");
    assert!(desk.ok(&["partner", "devices", &partner]).out.contains("没有设备"));
    let link = desk.json(&["partner", "enrol", &partner])["link"].as_str().unwrap().to_owned();
    let code = link.split_once("#enrol=").unwrap().1.split_once('&').unwrap().0.to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made = runtime.block_on(async {
        let federation = desk.app().federation().await.unwrap();
        federation.enrol(&code.parse().unwrap(), &"收银台1".parse().unwrap()).await.unwrap()
    });
    drop(runtime);
    let devices = desk.json(&["partner", "devices", &partner]);
    assert_eq!((devices[0]["name"].as_str(), devices[0]["id"].to_string()), (Some("收银台1"), made.device_id.clone()));
    assert!(desk.ok(&["partner", "revoke-device", &made.device_id]).out.contains("已停用"));
    assert!(desk.json(&["partner", "devices", &partner])[0]["revoked_at"].is_string());
    assert_eq!(desk.json(&["partner", "list"])[0]["devices"], 0);
}

fn refusals_say_what_to_do(database: Database) {
    let desk = Desk::new(database);
    let partner = add_partner(&desk, "思茅区大众食堂", "普志协〔2026〕1号");
    for (arguments, part) in [
        (&["partner", "show", "9"][..], "zyz partner list"),
        (&["partner", "usage", "9"], "zyz partner list"),
        (&["partner", "end", "9", "--reason", "x"], "zyz partner list"),
        (&["partner", "end", &partner, "--reason", "x", "--on", "2020-01-01"], "已经过去"),
        (&["partner", "enrol", "9"], "zyz partner list"),
        (&["partner", "enrol", &partner, "--valid-days", "0"], "1 到 90"),
        (&["partner", "enrol", &partner, "--server-url", "zyz.example.cn"], "https://"),
        (&["partner", "revoke-device", "9"], "zyz partner devices"),
        (
            &[
                "partner",
                "add",
                "别家",
                "--agreement",
                "普志协〔2026〕1号",
                "--from",
                "2026-01-01",
                "--to",
                "2099-01-01",
            ],
            "已登记给",
        ),
        (&["offer", "add", "9", "--kind", "免费", "--title", "x"], "zyz partner list"),
        (&["offer", "add", &partner, "--kind", "免费", "--title", ""], "标题"),
        (&["offer", "add", &partner, "--kind", "免费", "--title", "x", "--from", "2099-01-01"], "协议期"),
        (&["offer", "end", "9"], "zyz offer list"),
        (&["publish", "--out", "/nonexistent/never", "--partner", "9"], "zyz partner list"),
    ] {
        let said = desk.refused(arguments);
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn words_that_are_none_are_usage_errors() {
    let desk = Desk::empty(Database::sqlite());
    let offer = ["offer", "add", "1", "--title", "x", "--kind"];
    for (more, part) in [
        (&["打折"][..], "优先、优惠、免费"),
        (&["免费", "--weekdays", "monday"], "mon-fri"),
        (&["免费", "--hours", "9-12"], "09:00-12:00"),
        (&["免费", "--min-star", "x"], "invalid"),
        (&["免费", "--from", "2026-13-01"], "invalid"),
    ] {
        let said = desk.run(&[&offer[..], more].concat());
        assert!(said.code == 2 && said.err.contains(part), "{more:?}: {said:?}");
    }
    let said = desk.run(&["partner", "show", "x"]);
    assert!(said.code == 2 && said.err.contains("正整数"), "{said:?}");
}
