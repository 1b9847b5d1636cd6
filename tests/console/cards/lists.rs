//! Choosing, checking, previewing, replacing.

use zyz::domain::certificate::Reason;
use zyz::domain::choice::CardChoice;
use zyz::domain::staff::{Role, Scope};
use zyz_credential::CertificateNumber;

use super::{OTHER, UNIT};
use crate::console::{Client, ConsoleApp};
use crate::on_both;
use crate::support::sheets::Somebody;
use crate::support::{Database, sheets};

on_both!(
    choices_follow_what_happens_to_cards,
    a_list_is_narrowed_to_a_unit_by_its_name,
    pasted_numbers_are_read_and_wrong_ones_named,
    a_spoiled_card_is_replaced_under_a_new_index,
);

fn choices_follow_what_happens_to_cards(database: Database) {
    let console = ConsoleApp::new(database);
    let people = sheets::people(9);
    console.register(UNIT, "02", &people[..5]);
    console.register(OTHER, "21", &people[5..]);
    let clerk = console.clerk();
    clerk.get("/cards").is(200).says(&["从未制证", ">9<"]);
    clerk.get("/cards/choose?kind=new").says(&[UNIT, OTHER, "核对名单，准备签发"]);
    // A county and a unit see their own, and nothing to press.
    let unit = console.of_unit(OTHER);
    let page = unit.get("/cards/choose?kind=new");
    page.is(200).says(&[OTHER, "4 人"]);
    assert!(!page.text().contains(UNIT) && !page.text().contains("核对名单"));
    console.issue_all().unwrap();

    let number = CertificateNumber::parse(&console.numbers(CardChoice::Valid)[0]).unwrap();
    let store = console.store();
    console.app.wait(async {
        let mut tx = store.begin("测试员", console.app.now()).await.unwrap();
        let person = tx.volunteer(number.as_str()).await.unwrap().unwrap();
        tx.set_star(person.id, 3).await.unwrap();
        tx.commit().await.unwrap();
    });
    assert_eq!(console.numbers(CardChoice::Star), [number.to_string()]);
    clerk.get("/cards/choose?kind=star").says(&["证上 0 星", "3 星"]);

    // Replaced, it is up to date; revoked, it is in no list, and not new either.
    let list = clerk.freeze(CardChoice::Star, "");
    clerk.get(&list).says(&["1 人的旧证同时失效"]);
    clerk.post(&format!("{list}/issue"), &[("count", "1")]).location();
    console.run_jobs();
    assert!(console.numbers(CardChoice::Star).is_empty());
    console.app.wait(console.app.federation.revoke(number, Reason::Misuse)).unwrap();
    assert!(!console.numbers(CardChoice::Valid).contains(&number.to_string()));
    assert!(console.numbers(CardChoice::New).is_empty());

    // Everything expires one day.
    assert!(console.numbers(CardChoice::Expiring).is_empty());
    console.app.pass(jiff::SignedDuration::from_hours(24 * 365));
    assert_eq!(console.numbers(CardChoice::Expiring).len(), 8);
    let (clerk, unit) = (console.clerk(), console.of_unit(OTHER));
    let nobody = clerk.post("/cards/choose/freeze", &[("kind", "new"), ("unit", "")]);
    nobody.is(422).says(&["都制过证"]);
    let workbook = clerk.get("/cards/choose/export?kind=valid");
    assert!(workbook.body.starts_with(b"PK"));
    clerk.get("/cards/choose?unit=999999").is(404);
    unit.get("/cards/choose?unit=1").is(404);
}

fn a_list_is_narrowed_to_a_unit_by_its_name(database: Database) {
    let console = ConsoleApp::new(database);
    let people = sheets::people(11);
    console.register(UNIT, "02", &people[..5]);
    console.register(OTHER, "21", &people[5..9]);
    console.register("民族中学", "21", &people[9..10]);
    console.register("民族中学", "22", &people[10..]);
    let clerk = console.clerk();
    let asked = |client: &Client<'_>, unit: &str, q: &str| {
        let query = serde_html_form::to_string([("kind", "new"), ("unit", unit), ("q", q)]).unwrap();
        client.get(&format!("/cards/choose?{query}")).is(200).text()
    };
    let one = asked(&clerk, "", "宁洱县样");
    assert!(one.contains("4 人") && one.contains(&format!("value=\"{OTHER}\"")) && !one.contains(UNIT), "{one}");
    // Several or none: nobody is listed, and nothing can be frozen.
    for (q, words) in [
        ("样例", "有几个单位的名称含此文字"),
        ("%", "没有名称含此文字的单位"),
        ("_", "没有名称含"),
        ("'", "没有名称含"),
    ] {
        let page = asked(&clerk, "", q);
        assert!(page.contains(words) && !page.contains("核对名单") && !page.contains("<table"), "{page}");
    }
    let picks = asked(&clerk, "", "样例");
    assert!(picks.contains(&format!(">{UNIT}</a>")) && picks.contains(&format!(">{OTHER}</a>")), "{picks}");
    // Two counties' units of one name: which was chosen stays chosen while its name stands in the field.
    let namesakes = asked(&clerk, "", "民族中学");
    let keys: Vec<&str> =
        namesakes.split("kind=new&amp;unit=").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(keys.len(), 2, "{namesakes}");
    for key in keys {
        let chosen = asked(&clerk, key, "民族中学");
        assert!(chosen.contains("1 人") && chosen.contains("核对名单"), "{chosen}");
        assert!(asked(&clerk, key, "宁洱县样").contains("4 人"));
        assert!(asked(&clerk, key, "").contains("11 人"));
        clerk.get(&format!("/cards/choose?kind=new&unit={key}")).is(200).says(&["1 人", "value=\"民族中学\""]);
    }
    // Nobody is shown the names of units that they do not reach.
    let county = console.sign_in(Role::County, Scope::County(22));
    assert!(asked(&county, "", "民族").contains("1 人"));
    for q in ["样例", "宁洱"] {
        let page = asked(&county, "", q);
        assert!(page.contains("没有名称含此文字的单位") && !page.contains(OTHER) && !page.contains(UNIT), "{page}");
    }
    for path in ["/cards/handout", "/cards/handout/done"] {
        let several = serde_html_form::to_string([("q", "样例")]).unwrap();
        clerk.get(&format!("{path}?{several}")).is(200).says(&["请选择", OTHER, &format!("{path}?unit=")]);
        county.get(&format!("{path}?{several}")).is(200).says(&["没有名称含此文字的单位"]);
        clerk.get(&format!("{path}?q=%00")).is(400);
    }
    let own = console.of_unit(OTHER);
    let page = own.get("/cards/choose?kind=new").is(200).text();
    assert!(page.contains("4 人") && !page.contains("id=\"f-q\""), "a unit has nothing to choose: {page}");
}

fn pasted_numbers_are_read_and_wrong_ones_named(database: Database) {
    let console = ConsoleApp::new(database);
    console.register(UNIT, "02", &sheets::people(3));
    let clerk = console.clerk();
    let numbers = console.numbers(CardChoice::New);
    let unknown = CertificateNumber::from_parts(2, 999_999).unwrap();
    let text = format!("编号\n{}\t李建国\n{}，{}\n12345\n{}", numbers[0], numbers[1], unknown.grouped(), numbers[0]);
    let list = clerk.post_to("/cards/numbers/text", &[("numbers", &text)]);
    clerk.get(&list).says(&["共 <strong>2</strong> 人", "12345", &unknown.grouped(), "没有这个编号"]);

    let wrong = clerk.post("/cards/numbers/text", &[("numbers", "<b>12</b>")]);
    wrong.is(422).says(&["没有可以制证的人", "&#60;b&#62;12"]);
    clerk.post("/cards/numbers/text", &[("numbers", "")]).is(422).says(&["没有证书编号"]);

    let file = format!("{}\r\n{}\r\n", numbers[0], numbers[2]);
    let list = clerk.upload("/cards/numbers/file", &[], "名单.csv", file.as_bytes());
    let list = list.location().strip_prefix("/console").unwrap().to_owned();
    clerk.get(&list).says(&["共 <strong>2</strong> 人"]);
    clerk.upload("/cards/numbers/file", &[], "x.bin", &[0, 1, 2, 3]).is(422).says(&["不是文本"]);

    // One with a card and one without: they go different ways.
    clerk.post(&format!("{list}/issue"), &[("count", "2")]).location();
    console.run_jobs();
    let list = clerk.post_to("/cards/numbers/text", &[("numbers", &numbers.join(","))]);
    clerk.get(&list).says(&["请分开办理"]);
    clerk.post(&format!("{list}/issue"), &[("count", "3")]).is(422).says(&["已有有效证"]);
    let rest = clerk.post_to(&format!("{list}/again"), &[("keep", "without")]);
    clerk.get(&rest).says(&["签发 1 张证"]);
}

fn a_spoiled_card_is_replaced_under_a_new_index(database: Database) {
    let console = ConsoleApp::new(database);
    console.register(UNIT, "02", &sheets::people(2));
    console.issue_all().unwrap();
    let clerk = console.clerk();
    let number = console.numbers(CardChoice::Valid)[0].clone();
    let list = clerk.post_to(&format!("/cards/of/{number}/list"), &[]);
    clerk.get(&list).says(&["作废重制", "旧证随下一个数据包失效"]);
    clerk.post(&format!("{list}/reprint"), &[("count", "1"), ("reason", "")]).is(422).says(&["请选择作废重制的原因"]);
    let again = [("count", "1"), ("reason", "error")];
    let job = clerk.post_to(&format!("{list}/reprint"), &again);
    assert_eq!(clerk.post_to(&format!("{list}/reprint"), &again), job);
    assert_eq!(console.run_jobs(), 1);
    let store = console.store();
    let history = console.app.wait(async { store.read().await.unwrap().certificate_history(&number).await.unwrap() });
    assert_eq!(history.len(), 2);
    assert_ne!(history[0].issued.status_index, history[1].issued.status_index);
    assert_eq!(history[1].reason, Some(Reason::Error));
    clerk.get(&format!("/cards/of/{number}")).says(&["已换发", "信息有误", "有效"]);
}

#[test]
fn a_card_that_cannot_be_printed_is_named_before_it_is_signed() {
    let console = ConsoleApp::new(Database::sqlite());
    let mut people = sheets::people(3);
    // The embedded fonts have all of GBK and what names need beyond it, not this.
    people[1].name = "李𠀀".into();
    console.register(UNIT, "02", &people);
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::New, "");
    clerk.get(&list).says(&["有 1 人的证不能打印", "𠀀", "去掉这 1 人"]);
    let rest = clerk.post_to(&format!("{list}/again"), &[("keep", "printable")]);
    clerk.get(&rest).says(&["共 <strong>2</strong> 人", "签发 2 张证"]);

    // Signed all the same, printing fails as a whole and says who.
    console.issue_all().unwrap();
    let list = clerk.freeze(CardChoice::Unprinted, "");
    let job = clerk.post_to(&format!("{list}/print"), &[("layout", "a4-8up")]);
    assert_eq!(console.run_jobs(), 1);
    clerk.get(&job).says(&["未完成", "一张也没有打印", "𠀀", "继续"]);
    assert_eq!(console.numbers(CardChoice::Unprinted).len(), 3);
}

#[test]
fn pictures_of_cards_are_for_whom_they_concern() {
    let console = ConsoleApp::new(Database::sqlite());
    let people: Vec<Somebody> = sheets::people(4);
    console.register(UNIT, "02", &people[..2]);
    console.register(OTHER, "21", &people[2..]);
    let number = console.numbers(CardChoice::New)[0].clone();
    let unit = console.of_unit(UNIT);
    for side in ["front", "back"] {
        let picture = unit.get(&format!("/cards/of/{number}/face/{side}"));
        picture.is(200);
        assert_eq!(picture.header("content-type"), "image/png");
        assert_eq!(picture.header("cache-control"), "no-store");
        assert!(picture.body.starts_with(b"\x89PNG"));
    }
    unit.get(&format!("/cards/of/{number}/face/side")).is(404);
    let stranger = console.of_unit(OTHER);
    for path in ["", "/face/front", "/photo"] {
        stranger.get(&format!("/cards/of/{number}{path}")).is(404);
    }
    unit.get("/cards/of/0000000000").is(404);
    // Found by name within reach, and only there.
    assert_eq!(
        unit.post("/cards/find", &[("text", &people[0].name)]).location(),
        format!("/console/cards/of/{number}")
    );
    stranger.post("/cards/find", &[("text", &people[0].name)]).is(200).says(&["没有找到"]);
    stranger.post("/cards/find", &[("text", &number)]).is(200).says(&["没有找到"]);
    unit.post("/cards/find", &[("text", "")]).is(200).says(&["请填写证书编号或姓名"]);
}

#[test]
fn the_sample_of_a_card_not_signed_is_believed_by_nobody() {
    let console = ConsoleApp::new(Database::sqlite());
    console.register(UNIT, "02", &sheets::people(1));
    let clerk = console.clerk();
    let number = console.numbers(CardChoice::New)[0].clone();
    let picture = clerk.get(&format!("/cards/of/{number}/face/front"));
    let image = image::load_from_memory(&picture.body).unwrap().into_luma8();
    let text = zyz_scanner::read(image.as_raw(), image.width() as usize, image.height() as usize);
    let text = String::from_utf8(text.expect("the code is readable")).unwrap();
    let answer = console.app.wait(console.app.federation.verify(&text, None)).unwrap();
    assert_ne!(serde_json::to_value(&answer).unwrap()["verdict"], "accept");
}
