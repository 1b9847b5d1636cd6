//! What a form must say, and what becomes of hostile texts.

use super::{Office, begun, complete, error_of, with};
use crate::on_both;
use crate::support::Database;
use crate::support::sheets::identity;
use jiff::civil::date;
use zyz::domain::certificate::VolunteerState;

on_both!(
    an_active_volunteer_is_not_registered_again,
    somebody_who_left_is_sent_to_the_federation,
    a_second_form_of_the_same_person_is_refused
);

#[test]
fn everything_that_is_missing_is_said_at_its_field() {
    let office = Office::new(Database::sqlite());
    let answer = office.unit().post("/forms/new", &[("step", "submit")]);
    answer.is(422);
    for field in
        ["applied_on", "name", "political", "sex", "birth_date", "ethnicity", "identity", "workplace", "nature"]
    {
        assert!(!error_of(&answer, field).is_empty(), "{field}");
    }
    assert_eq!(error_of(&answer, "items"), "请至少选择一个志愿服务项目");
    assert_eq!(error_of(&answer, "qq"), "");
    // What was typed is kept all the same.
    answer.says(&["保存草稿"]);
}

#[test]
fn each_wrong_field_has_its_own_words() {
    let office = Office::new(Database::sqlite());
    let unit = office.unit();
    let fields = complete(1);
    let young = identity(date(2012, 11, 21), 1, true);
    let old = identity(date(1965, 11, 20), 1, true);
    let cases: &[(&str, &str, &str)] = &[
        ("name", "Zhang", "不是汉字"),
        ("name", "张", "至少应有 2 个汉字"),
        ("identity", "530802199001010019", "校验码不符"),
        ("identity", "530802199001010000", "Excel"),
        ("identity", &young, "未满 14 周岁：满 14 周岁（2026-11-21）"),
        ("identity", &old, "已超过 60 周岁"),
        ("sex", "女", "按号码应为“男”"),
        ("birth_date", "1990-05-02", "按号码应为 1990-05-01"),
        ("birth_date", "昨天", "日期无法识别"),
        ("applied_on", "2026-12-31", "之后"),
        ("applied_on", "2024-01-01", "超过一年"),
        ("political", "有", "从列表中选择"),
        ("ethnicity", "火星", "从列表中选择"),
        ("nature", "家庭", "从列表中选择"),
        ("education", "神学", "从列表中选择"),
        ("mobile", "0879-2123456", "11 位手机号码"),
        ("mobile", "1381234", "缺少区号"),
        ("office_phone", "12", "11 位手机号码或带区号"),
        ("email", "无", "电子邮箱的格式不对"),
        ("postcode", "66500", "6 位数字"),
        ("qq", "1234", "5 至 12 位"),
        ("national_number", "5308#", "字母、数字和连字符"),
        ("items", "99", "至少选择一个"),
    ];
    for (field, value, words) in cases {
        let mut typed = with(&fields, &[(field, value)]);
        typed.push(("step", "submit"));
        let answer = unit.post("/forms/new", &typed);
        answer.is(422);
        let error = error_of(&answer, field);
        assert!(error.contains(words), "{field} {value}: {error}");
        assert!(!error.contains(value) || *field == "applied_on", "the words repeat what was typed: {error}");
    }
}

#[test]
fn both_ends_of_the_age_may_register() {
    let office = Office::new(Database::sqlite());
    let unit = office.unit();
    for (birth, serial) in [(date(1965, 11, 21), 1), (date(2012, 11, 20), 2)] {
        let (number, birth) = (identity(birth, serial, true), birth.to_string());
        let fields = complete(serial);
        let typed = with(
            &fields,
            &[
                ("identity", &number),
                ("birth_date", &birth),
                ("guardian_name", "岩罕"),
                ("guardian_relation", "父亲"),
                ("guardian_phone", "13900000000"),
                ("guardian_consent", "2026-11-19"),
            ],
        );
        office.submitted(&unit, &typed);
    }
}

#[test]
fn a_minor_needs_a_guardian_who_is_somebody_else() {
    let office = Office::new(Database::sqlite());
    let unit = office.unit();
    let minor = identity(date(2010, 1, 1), 1, true);
    let fields = complete(1);
    let base = with(&fields, &[("identity", &minor), ("birth_date", "2010-01-01"), ("step", "submit")]);
    let answer = office.county_unit().post("/forms/new", &base);
    answer.is(422);
    for field in ["guardian_name", "guardian_relation", "guardian_phone", "guardian_consent"] {
        assert!(error_of(&answer, field).starts_with("请填写"), "{field}: {}", error_of(&answer, field));
    }
    let id = begun(&unit, &[]);
    let guardian = |revision: &'static str, name: &'static str, day: &'static str| {
        let mut typed = base.clone();
        typed.extend([("guardian_name", name), ("guardian_relation", "父亲"), ("revision", revision)]);
        typed.extend([("guardian_phone", "13900000000"), ("guardian_consent", day)]);
        unit.post(&format!("/forms/{id}/edit"), &typed)
    };
    assert_eq!(error_of(&guardian("1", "岩温扁", "2026-11-19"), "guardian_name"), "监护人不能是本人");
    assert!(error_of(&guardian("2", "岩罕", "2026-11-22"), "guardian_consent").contains("登记日期"));
    guardian("3", "岩罕", "2026-11-20").location();
}

#[test]
fn while_typing_the_number_tells_birth_sex_and_age() {
    let office = Office::new(Database::sqlite());
    let unit = office.unit();
    let number = identity(date(2010, 1, 1), 1, false);
    let answer = unit.post("/forms/check", &[("identity", &number), ("applied_on", "2026-11-20"), ("name", "Zhang")]);
    answer.is(200).says(&[
        "女，2010-01-01 出生，登记当日 16 周岁",
        "未满 18 周岁",
        "id=\"f-birth_date\"",
        "id=\"f-sex\"",
    ]);
    assert!(error_of(&answer, "name").contains("不是汉字"));
    assert_eq!(error_of(&answer, "mobile"), "", "what is empty is no mistake yet");
    let answer = unit.post("/forms/check", &[("identity", &number), ("sex", "男"), ("birth_date", "2010-01-02")]);
    assert!(error_of(&answer, "sex").contains("按号码应为“女”"));
    assert!(error_of(&answer, "birth_date").contains("2010-01-01"));
    assert!(!answer.text().contains("id=\"f-sex\""), "what was typed is not overwritten");
}

fn an_active_volunteer_is_not_registered_again(database: Database) {
    let office = Office::new(database);
    let (unit, clerk) = (office.unit(), office.clerk());
    let fields = complete(1);
    let id = office.submitted(&unit, &with(&fields, &[]));
    clerk.post(&format!("/forms/{id}/approve"), &[("revision", "2"), ("reason", "同意注册。")]).location();
    let mut again = with(&fields, &[]);
    again.push(("step", "submit"));
    let answer = office.county_unit().post("/forms/new", &again);
    answer.is(422);
    let error = error_of(&answer, "identity");
    assert!(error.contains("已是注册志愿者，证书编号 02 0000001"), "{error}");
    let typing = office.unit().post("/forms/check", &with(&fields, &[]));
    assert!(error_of(&typing, "identity").contains("已是注册志愿者"));
}

fn somebody_who_left_is_sent_to_the_federation(database: Database) {
    let office = Office::new(database);
    let (unit, clerk) = (office.unit(), office.clerk());
    let fields = complete(1);
    let id = office.submitted(&unit, &with(&fields, &[]));
    clerk.post(&format!("/forms/{id}/approve"), &[("revision", "2"), ("reason", "同意注册。")]).location();
    office.console.app.wait(async {
        let store = office.console.app.store().await;
        let mut tx = store.begin("测试员", office.console.app.now()).await.unwrap();
        let person = tx.volunteer_by_identity(fields.last().unwrap().1.as_str()).await.unwrap().unwrap();
        tx.exit_volunteer(person.id).await.unwrap();
        assert_eq!(tx.volunteer(&person.number).await.unwrap().unwrap().state, VolunteerState::Exited);
        tx.commit().await.unwrap();
    });
    let mut again = with(&fields, &[]);
    again.push(("step", "submit"));
    let answer = unit.post("/forms/new", &again);
    answer.is(422);
    let error = error_of(&answer, "identity");
    assert!(error.contains("后来退出") && error.contains("联合会"), "{error}");
}

fn a_second_form_of_the_same_person_is_refused(database: Database) {
    let office = Office::new(database);
    let (unit, other) = (office.unit(), office.county_unit());
    let fields = complete(1);
    let first = begun(&unit, &with(&fields, &[]));
    // A draft elsewhere hinders nobody, and nobody is told of it.
    let second = begun(&other, &with(&fields, &[]));
    other.get(&format!("/forms/{second}/submit")).is(200);
    unit.post(&format!("/forms/{first}/submit"), &[("revision", "1")]).location();
    let answer = other.post(&format!("/forms/{second}/submit"), &[("revision", "1")]);
    answer.is(422);
    let error = error_of(&answer, "identity");
    assert!(error.contains("另一单位已提交") && !error.contains("思茅区文化馆"), "{error}");
    // In the same unit a draft is enough, and is named.
    let mut again = with(&fields, &[]);
    again.push(("step", "submit"));
    let answer = office.unit().post("/forms/new", &again);
    assert!(error_of(&answer, "identity").contains("思茅区文化馆已有此人的登记表（待审批"));
}

#[test]
fn hostile_texts_are_refused_by_name_or_shown_harmlessly() {
    let office = Office::new(Database::sqlite());
    let unit = office.unit();
    let long = "长".repeat(500);
    let cases: &[(&str, &str)] = &[
        ("文\u{7}化", "控制字符 U+0007"),
        ("文\u{202e}化", "不可见的排版字符 U+202E"),
        ("文\u{2066}化", "不可见的排版字符 U+2066"),
        ("文\u{200b}化", "不可见的排版字符 U+200B"),
        ("文\u{E001}化", "私用区字符 U+E001"),
        ("文\n化", "控制字符 U+000A"),
        (&long, "最多"),
    ];
    for field in ["position", "school", "major", "workplace", "address", "guardian_relation", "national_number"] {
        for (text, words) in cases {
            let answer = unit.post("/forms/new", &[(field, text), ("step", "save")]);
            answer.is(422);
            assert!(error_of(&answer, field).contains(words), "{field}: {}", error_of(&answer, field));
        }
    }
    let lines = "行\n".repeat(17);
    assert!(error_of(&unit.post("/forms/new", &[("resume", &lines)]), "resume").contains("最多 16 行"));
    let id = begun(&unit, &[("school", "<script>alert(1)</script>"), ("major", "=1+1"), ("resume", "一\r\n二")]);
    let page = unit.get(&format!("/forms/{id}/edit"));
    page.is(200).says(&["=1+1", "一\n二"]);
    assert!(!page.text().contains("<script>alert"), "the text is escaped");
    assert!(!unit.get(&format!("/forms/{id}")).text().contains("<script>alert"));
}
