//! `zyz staff …`.

use crate::support::{Database, Desk};

crate::on_both!(the_first_administrator, accounts_of_every_role, refusals_say_what_to_do);

fn the_first_administrator(database: Database) {
    let desk = Desk::new(database);
    assert!(desk.ok(&["staff", "list"]).out.contains("还没有账号"));
    let said = desk.ok(&["staff", "add", "yanwen", "--name", "岩温扁", "--role", "admin"]).out;
    assert!(said.contains("https://zyz.example.cn/console/invitation/") && said.contains("只能用一次"), "{said}");
    let list = desk.json(&["staff", "list"]);
    assert_eq!((list[0]["state"].as_str(), list[0]["role"].as_str()), (Some("invited"), Some("admin")));

    // The link is in no log and no other answer; a reset makes another one.
    let reset = desk.json(&["staff", "reset", "yanwen", "--server-url", "https://other.example.cn"]);
    assert!(reset["link"].as_str().unwrap().starts_with("https://other.example.cn/console/invitation/"), "{reset}");

    desk.write_private("password.txt", "茶马古道 three quiet herons\n");
    let file = desk.arg("password.txt");
    desk.ok(&["staff", "add", "second", "--name", "玉波罕", "--role", "admin", "--password-file", &file]);
    let list = desk.ok(&["staff", "list"]).out;
    assert!(list.contains("second") && list.contains("在用") && list.contains("待设密码"), "{list}");
    assert!(!list.contains("argon2"));
}

fn accounts_of_every_role(database: Database) {
    let desk = Desk::with_people(database, 1);
    let add = |login: &str, role: &str, more: &[&str]| {
        let mut all = vec!["staff", "add", login, "--name", "某某", "--role", role];
        all.extend_from_slice(more);
        desk.json(&all);
    };
    add("clerk", "clerk", &[]);
    add("overs", "oversight", &[]);
    add("ninger", "county", &["--county", "宁洱县"]);
    add("unit1", "unit", &["--unit", "思茅区样例单位"]);
    desk.ok(&["partner", "add", "大众食堂", "--agreement", "1", "--from", "2026-01-01", "--to", "2036-01-01"]);
    add("shop", "partner", &["--partner", "1"]);
    let list = desk.json(&["staff", "list"]);
    let of = |login: &str| list.as_array().unwrap().iter().find(|one| one["login"] == login).unwrap().clone();
    assert_eq!(of("ninger")["place"], "宁洱县");
    assert_eq!(of("unit1")["place"], "思茅区样例单位");
    assert_eq!(of("shop")["place"], "大众食堂");
    desk.ok(&["staff", "disable", "clerk"]);
    assert!(desk.refused(&["staff", "disable", "clerk"]).contains("已经停用"));
    assert!(desk.refused(&["staff", "reset", "clerk"]).contains("请先启用"));
    desk.ok(&["staff", "enable", "clerk"]);
    assert!(desk.refused(&["staff", "enable", "clerk"]).contains("没有停用"));
}

fn refusals_say_what_to_do(database: Database) {
    let desk = Desk::new(database);
    desk.write_private("weak.txt", "123456789012\n");
    desk.write_private("good.txt", "茶马古道 three quiet herons\n");
    let (weak, good) = (desk.arg("weak.txt"), desk.arg("good.txt"));
    let admin = ["staff", "add", "yanwen", "--name", "岩温扁", "--role", "admin", "--password-file"];
    assert!(desk.refused(&[&admin[..], &[&weak]].concat()).contains("太容易被猜到"));
    desk.ok(&[&admin[..], &[&good]].concat());
    assert!(desk.refused(&[&admin[..], &[&good]].concat()).contains("已经有人用过"));
    assert!(desk.refused(&["staff", "disable", "yanwen"]).contains("最后一位"));
    assert!(desk.refused(&["staff", "reset", "nobody"]).contains("没有登录名为"));
    let county = ["staff", "add", "ninger", "--name", "某某", "--role", "county"];
    assert!(desk.refused(&county).contains("须选择县（区）"));
    assert!(desk.refused(&[&county[..], &["--county", "00"]].concat()).contains("须选择县（区）"));
    assert!(desk.refused(&["staff", "add", "unit1", "--name", "某某", "--role", "unit"]).contains("须写明单位"));
}
