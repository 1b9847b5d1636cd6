//! Corrections.

use super::{console, county, numbers, revision, unit};
use crate::console::Client;
use crate::on_both;
use crate::server::Answer;
use crate::support::{Database, sheets};
use zyz_credential::CertificateNumber;

/// Sends the form of a volunteer as it is shown, with some fields changed.
fn correct(client: &Client<'_>, number: CertificateNumber, revision: &str, changed: &[(&str, &str)]) -> Answer {
    let n = number.serial() as usize - 1 + if number.county() == 21 { 100 } else { 0 };
    let person = sheets::person(n);
    let birth = person.birth.to_string();
    let sex = if person.sex == "男" { "1" } else { "2" };
    let (unit, county) =
        if number.county() == 21 { ("宁洱县样例单位", "21") } else { ("思茅区样例单位", "02") };
    let mut fields = vec![
        ("revision", revision),
        ("name", &person.name),
        ("sex", sex),
        ("ethnicity", "1"),
        ("birth_date", &birth),
        ("political", "13"),
        ("unit_name", unit),
        ("county", county),
        ("reason", "登记表录入有误"),
    ];
    fields.retain(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    fields.extend_from_slice(changed);
    client.post(&format!("/people/{number}/edit"), &fields)
}

fn what_was_is_kept(database: Database) {
    let console = console(database);
    let (client, number) = (console.admin(), numbers(&console)[0]);
    let person = sheets::person(0);
    let form = client.get(&format!("/people/{number}/edit")).is(200).text();
    assert!(!form.contains(&person.phone), "the form shows the masked number only");
    let at = revision(&form, "revision");
    let answer = correct(
        &client,
        number,
        &at,
        &[("name", "岩温扁"), ("ethnicity", "18"), ("phone", "138 0000 0001"), ("email", "yan@example.cn")],
    );
    assert_eq!(answer.location(), format!("/console/people/{number}"));
    let page = client.get(&format!("/people/{number}"));
    page.says(&[
        "岩温扁",
        "更正记录",
        &person.name,
        "登记表录入有误",
        "换发新证",
        "更正姓名、民族、联系电话、电子邮箱",
    ]);
    let text = page.text();
    assert!(!text.contains("13800000001") && !text.contains("yan@example.cn"), "contact data stay masked");
    // Found by the new data, no longer by the old.
    client.post("/people/search", &[("q", "13800000001")]).says(&["岩温扁"]);
    client.post("/people/search", &[("q", &person.phone)]).says(&["没有人登记这个电话"]);
    client.post("/people/search", &[("q", "岩")]).says(&["岩温扁"]);
    // Nothing changed is said so.
    let at = revision(&client.get(&format!("/people/{number}/edit")).text(), "revision");
    correct(&client, number, &at, &[("name", "岩温扁"), ("ethnicity", "18")]).location();
    // Contact data can be taken away.
    let at = revision(&client.get(&format!("/people/{number}/edit")).text(), "revision");
    correct(&client, number, &at, &[("name", "岩温扁"), ("ethnicity", "18"), ("erase", "phone")]).location();
    client.post("/people/search", &[("q", "13800000001")]).says(&["没有人登记这个电话"]);
}

fn the_second_of_two_is_told(database: Database) {
    let console = console(database);
    let (first, second, number) = (console.admin(), unit(&console), numbers(&console)[0]);
    let at = revision(&first.get(&format!("/people/{number}/edit")).text(), "revision");
    correct(&first, number, &at, &[("name", "岩温扁")]).location();
    let told = correct(&second, number, &at, &[("name", "岩温明"), ("user_name", "ywm2123456")]);
    told.is(409).says(&["联合会管理员", "已经改动过", "姓名现为：岩温扁", "value=\"岩温明\"", "value=\"ywm2123456\""]);
    second.get(&format!("/people/{number}")).says(&["岩温扁"]);
    // Having seen it, she saves again.
    let again = revision(&told.text(), "revision");
    correct(&second, number, &again, &[("name", "岩温明")]).location();
    second.get(&format!("/people/{number}")).says(&["岩温明"]);
}

fn wrong_fields_are_named_and_kept(database: Database) {
    let console = console(database);
    let (client, number) = (console.admin(), numbers(&console)[0]);
    let at = revision(&client.get(&format!("/people/{number}/edit")).text(), "revision");
    for (field, value, said) in [
        ("name", "Z", "不是汉字"),
        ("sex", "7", "请选择性别"),
        ("birth_date", "2001-02-30", "样式"),
        ("birth_date", "1990-01-02", "身份证号码中的出生日期"),
        ("political", "77", "请选择政治面貌"),
        ("phone", "12345", "11 位手机号码"),
        ("email", "nobody", "name@example.cn"),
        ("user_name", "用户", "字母和数字"),
        ("unit_name", "没有的单位", "没有这个单位"),
        ("reason", "", "请写明原因"),
    ] {
        correct(&client, number, &at, &[(field, value)]).is(422).says(&[said, "aria-invalid"]);
    }
    let hostile = "<script>alert(1)</script>";
    let page = correct(&client, number, &at, &[("user_name", hostile)]);
    page.is(422);
    assert!(!page.text().contains(hostile));
    assert!(super::events(&console, number, "volunteer.correct").is_empty());
}

fn moving_to_another_unit_has_bounds(database: Database) {
    let console = console(database);
    let (admin, county, unit, all) = (console.admin(), county(&console), unit(&console), numbers(&console));
    let at = |client: &Client<'_>, number| revision(&client.get(&format!("/people/{number}/edit")).text(), "revision");
    // A county moves nobody out of itself, a unit nobody at all.
    let away = [("unit_name", "思茅区样例单位"), ("county", "02")];
    correct(&county, all[3], &at(&county, all[3]), &away).is(422).says(&["不能转到其他县"]);
    let form = unit.get(&format!("/people/{}/edit", all[0])).text();
    assert!(!form.contains("unit_name"));
    let to = [("unit_name", "宁洱县样例单位"), ("county", "21")];
    correct(&unit, all[0], &at(&unit, all[0]), &to).location();
    unit.get(&format!("/people/{}", all[0])).is(200).says(&["思茅区样例单位"]);
    // The federation does; the person is the county's from then on.
    correct(&admin, all[0], &at(&admin, all[0]), &to).location();
    county.get(&format!("/people/{}", all[0])).is(200);
    county.get("/people").says(&[&all[0].grouped()]);
    unit.get(&format!("/people/{}", all[0])).is(404);
    correct(&unit, all[0], "9", &[]).is(404);
}

fn an_identity_number_is_the_federations_to_correct(database: Database) {
    let console = console(database);
    let (admin, unit, all) = (console.admin(), unit(&console), numbers(&console));
    let path = format!("/people/{}/identity", all[0]);
    let at = revision(&admin.get(&path).is(200).text(), "revision");
    let right = sheets::identity("1988-03-05".parse().unwrap(), 7, true);
    let fields = |identity: &str| {
        let reason = "对照身份证原件".to_owned();
        [("revision", at.clone()), ("identity", identity.to_owned()), ("reason", reason)]
    };
    let send = |client: &Client<'_>, identity: &str| {
        let fields = fields(identity);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        client.post(&path, &fields)
    };
    send(&unit, &right).is(403);
    send(&admin, "530802199001010019").is(422).says(&["校验码"]);
    send(&admin, &sheets::person(0).identity).is(422).says(&["相同"]);
    send(&admin, &sheets::person(1).identity).is(422).says(&["已登记在", "合并"]);
    let answer = send(&admin, &right);
    assert!(!answer.location().contains(&right));
    admin.get(&format!("/people/{}", all[0])).says(&["1988-03-05", "更正出生日期、身份证号码"]);
    admin.post("/people/search", &[("q", &right)]).says(&[&all[0].grouped()]);
    // The revision went on: the same form a second time is told.
    send(&admin, &sheets::identity("1988-03-05".parse().unwrap(), 8, true)).is(409).says(&["已经改动过"]);
}

on_both![
    what_was_is_kept,
    the_second_of_two_is_told,
    wrong_fields_are_named_and_kept,
    moving_to_another_unit_has_bounds,
    an_identity_number_is_the_federations_to_correct,
];
