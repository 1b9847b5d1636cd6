//! One case for each rule of a roster's row.

use zyz::domain::identity::IdentityError;
use zyz::domain::person::{NameError, PhoneError, Sex};
use zyz::roster::{Reason, Warning};

use crate::support::{FORM, form, judged, number, only, reasons_in};

/// A roster of one row: the good row with some cells replaced.
fn row(changes: &[(usize, &str)]) -> Vec<(String, Reason)> {
    let id = number("19900501", 1);
    let mut cells = vec!["1", "张三", "男", "汉族", "1990.05", "群众", id.as_str(), "13812345678", "", ""];
    for &(column, text) in changes {
        cells[column] = text;
    }
    reasons_in(&form(&[&cells.join(",")]).rows)
}

fn one(changes: &[(usize, &str)], cell: &str, reason: Reason) {
    assert_eq!(row(changes), [(cell.to_owned(), reason)]);
}

#[test]
fn a_good_row_is_accepted() {
    assert_eq!(row(&[]), []);
}

#[test]
fn names() {
    one(&[(1, "")], "B2", Reason::Name(NameError::Missing));
    one(&[(1, "张")], "B2", Reason::Name(NameError::TooShort));
    one(&[(1, "张三3")], "B2", Reason::Name(NameError::Character('3')));
    one(&[(1, "张·")], "B2", Reason::Name(NameError::MisplacedDot));
    one(&[(1, "张\u{E863}")], "B2", Reason::Name(NameError::PrivateUse('\u{E863}')));
    one(&[(1, "=张三")], "B2", Reason::Name(NameError::Character('=')));
    assert_eq!(row(&[(1, "\u{202e}张三")]), []);
}

#[test]
fn identity_numbers() {
    one(&[(6, "")], "G2", Reason::Identity(IdentityError::Missing));
    one(&[(6, "5.30802E+17")], "G2", Reason::Identity(IdentityError::DigitsLost));
    one(&[(6, "530802199005010000")], "G2", Reason::Identity(IdentityError::DigitsLost));
    one(&[(6, "530802900501001")], "G2", Reason::Identity(IdentityError::FirstGeneration));
    one(&[(6, "53080219900501")], "G2", Reason::Identity(IdentityError::Length { found: 14 }));
    one(&[(6, "530802199013010018")], "G2", Reason::Identity(IdentityError::BirthDate));
    one(&[(6, "530802199001010019")], "G2", Reason::Identity(IdentityError::CheckCharacter));
}

#[test]
fn residence_permits_are_taken() {
    for permit in ["810000199001010019", "830000199001010012"] {
        assert_eq!(row(&[(6, permit), (4, "1990-01-01")]), []);
    }
}

#[test]
fn sex_must_be_the_numbers() {
    one(&[(2, "女")], "C2", Reason::SexDiffers { written: Sex::Female, number: Sex::Male });
    one(&[(2, "男女")], "C2", Reason::Sex("男女".into()));
    assert_eq!(row(&[(2, "")]), []);
}

#[test]
fn birth_must_be_the_numbers() {
    one(&[(4, "1990.06")], "E2", Reason::BirthDiffers("1990.06".into()));
    one(&[(4, "1990-05-02")], "E2", Reason::BirthDiffers("1990-05-02".into()));
    one(&[(4, "九零年五月")], "E2", Reason::Date("九零年五月".into()));
    for form in ["", "1990年5月", "199005", "1990/5/1", "32994", "1990-05-01"] {
        assert_eq!(row(&[(4, form)]), [], "{form}");
    }
}

#[test]
fn fourteen_and_sixty_are_in_thirteen_and_sixty_one_out() {
    // The day of application is 2026-11-23.
    let born = |birth: &str| {
        let id = number(birth, 1);
        row(&[(6, &id), (4, "")])
    };
    assert_eq!(born("20121123"), []);
    assert_eq!(born("19651124"), []);
    assert_eq!(born("20121124"), [("G2".to_owned(), Reason::Age { age: 13 })]);
    assert_eq!(born("19651123"), [("G2".to_owned(), Reason::Age { age: 61 })]);
    assert_eq!(born("20300101"), [("G2".to_owned(), Reason::Age { age: -4 })]);
}

#[test]
fn codes() {
    one(&[(3, "汉满族")], "D2", Reason::Ethnicity("汉满族".into()));
    one(&[(5, "少先队员")], "F2", Reason::Political("少先队员".into()));
    assert_eq!(row(&[(3, ""), (5, "")]), []);
    assert_eq!(row(&[(3, "基诺"), (5, "预备党员")]), []);
}

#[test]
fn phones() {
    one(&[(7, "1381234567")], "H2", Reason::Phone(PhoneError::Shape { digits: 10 }));
    one(&[(7, "2123456")], "H2", Reason::Phone(PhoneError::AreaCode));
    one(&[(7, "保密")], "H2", Reason::Phone(PhoneError::Character('保')));
    assert_eq!(row(&[(7, "无")]), []);
}

#[test]
fn a_row_without_phone_is_taken_with_a_warning() {
    let check = form(&[&format!("1,张三,男,汉,1990.05,群众,{},,,", number("19900501", 1))]);
    assert_eq!(only(&check).phone, None);
    assert!(check.warnings.contains(&Warning::NoPhone { count: 1, first: 2 }));
    let check = judged(&format!("姓名,身份证号\n张三,{}\n", number("19900501", 1)));
    assert!(check.warnings.contains(&Warning::NoPhoneColumn));
}

#[test]
fn all_that_is_wrong_is_said_by_column() {
    let problems = row(&[(1, "张3"), (2, "女"), (4, "1991.05"), (7, "1")]);
    let cells: Vec<_> = problems.iter().map(|(cell, _)| cell.as_str()).collect();
    assert_eq!(cells, ["B2", "C2", "E2", "H2"]);
}

#[test]
fn a_problem_reads_as_a_sentence_without_the_number() {
    let id = number("19900501", 1);
    let check = form(&[&format!("1,张三,女,汉,1990.05,群众,{id},13812345678,,")]);
    let text = check.problems().next().unwrap().to_string();
    assert_eq!(text, "C2（性别）：性别“女”与身份证号码不符（号码第 17 位为男）");
    assert!(!format!("{:?}", form(&[&format!("1,张三,男,汉,1990.05,群众,{id},13812345678,,")])).contains(&id));
}

#[test]
fn the_second_of_two_is_refused_and_names_the_first() {
    let id = number("19900501", 1);
    let line = format!("1,张三,男,汉,1990.05,群众,{id},13812345678,,");
    let check = form(&[&line, "", &line.replace("张三", "张 三").replace(&id, &format!("'{id}"))]);
    assert_eq!(check.accepted().count(), 1);
    let problem = check.problems().next().unwrap();
    assert_eq!((problem.cell().as_str(), &problem.reason), ("G4", &Reason::Duplicate { row: 2 }));
}

#[test]
fn optional_columns() {
    let header = "姓名,身份证号码,联系电话,邮箱,通讯地址,用户名,志愿者编号,单位";
    let check = judged(&format!(
        "{header}\n张三,{},13812345678,zhang@example.cn,思茅区某路  1 号\u{202e},zs01,530802ab123,某某中学\n",
        number("19900501", 1)
    ));
    let person = only(&check);
    assert_eq!(person.email.as_deref(), Some("zhang@example.cn"));
    assert_eq!(person.address.as_deref(), Some("思茅区某路 1 号"));
    assert_eq!(person.user_name.as_deref(), Some("zs01"));
    assert_eq!(person.national_number.as_deref(), Some("530802AB123"));
    assert_eq!(person.unit.as_deref(), Some("某某中学"));
    let check =
        judged(&format!("{header}\n张三,{},13812345678,zhang,{},,号码,\n", number("19900501", 1), "长".repeat(121)));
    let reasons: Vec<_> = check.problems().map(|p| p.reason.clone()).collect();
    assert_eq!(reasons, [Reason::Email, Reason::TooLong { limit: 120 }, Reason::NationalNumber]);
}

#[test]
fn a_footer_word_does_not_hide_a_person() {
    // 负责 is no name, but a row with a good identity number is a person's, whatever stands first.
    let check = judged(&format!("备注,姓名,身份证号码\n负责人,张三,{}\n", number("19900501", 1)));
    assert_eq!(check.accepted().count(), 1);
}

#[test]
fn a_remark_about_passwords_costs_no_column() {
    let check = judged(&format!(
        "{FORM}\n1,张三,男,汉,1990.05,群众,{},13812345678,zs,hunter2\n备注：密码与用户名一致\n2,李四,男,汉,1991.05,群众,{},13812345679,ls,hunter3\n",
        number("19900501", 1),
        number("19910501", 1),
    ));
    assert_eq!(check.accepted().count(), 2, "{check:?}");
    assert!(check.skipped.iter().any(|row| row.row == 3), "{check:?}");
}
