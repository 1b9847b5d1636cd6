//! Handing out: recorded, found again, taken back.

use zyz::domain::choice::CardChoice;

use super::{OTHER, UNIT};
use crate::console::ConsoleApp;
use crate::on_both;
use crate::support::{Database, sheets};

on_both!(what_was_handed_out_is_recorded_and_taken_back);

fn what_was_handed_out_is_recorded_and_taken_back(database: Database) {
    let console = ConsoleApp::new(database);
    let people = sheets::people(6);
    console.register(UNIT, "02", &people[..4]);
    console.register(OTHER, "21", &people[4..]);
    console.issue_all().unwrap();
    let unit = console.of_unit(UNIT);
    unit.get("/cards/handout").is(200).says(&["没有等待发放的证"]);
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::Unprinted, "");
    clerk.post(&format!("{list}/print"), &[("layout", "a4-8up")]).location();
    console.run_jobs();

    unit.get("/cards/handout").is(200).says(&["已打印未发放：4 张", "登记发放"]);
    let cards = card_ids(&console, UNIT);
    let (one, two) = (cards[0].as_str(), cards[1].as_str());
    let day = ("handed_on", "2026-11-23");
    let wrong = unit.post("/cards/handout/record", &[("card", one), ("handed_on", "2026-11-24"), ("received_by", "")]);
    wrong.is(422).says(&["不能晚于今天", "请填写领取人", "checked"]);
    unit.post("/cards/handout/record", &[day, ("received_by", "本人")]).is(422).says(&["没有勾选"]);
    unit.post("/cards/handout/record", &[("card", one), ("card", two), day, ("received_by", "王 <秀英>")]).location();
    unit.get("/cards/handout").says(&["已打印未发放：2 张"]);
    unit.get("/cards/handout/done").says(&["王 &#60;秀英&#62;", "2026-11-23", "撤销"]);

    // Another unit's card is nobody's, and then nothing of the form is recorded.
    let foreign = card_ids(&console, OTHER);
    let mixed = [("card", cards[2].as_str()), ("card", foreign[0].as_str()), day, ("received_by", "本人")];
    unit.post("/cards/handout/record", &mixed).is(404);
    unit.get("/cards/handout").says(&["已打印未发放：2 张"]);
    // The same again records nothing twice.
    unit.post("/cards/handout/record", &[("card", one), day, ("received_by", "本人")]).location();
    assert_eq!(console.app.wait(unit.desk.handouts(None, None)).unwrap().rows.len(), 2);
    assert!(console.app.wait(console.of_unit(OTHER).desk.handouts(None, None)).unwrap().rows.is_empty());
    assert!(unit.get("/cards/handout/export").body.starts_with(b"PK"));

    let undo = format!("/cards/handout/{one}/undo");
    unit.get(&undo).is(200).says(&["回到“未发放”"]);
    console.of_unit(OTHER).get(&undo).is(404);
    console.of_unit(OTHER).post(&undo, &[("reason", "登记错人")]).is(404);
    unit.post(&undo, &[("reason", " ")]).is(422).says(&["请写明撤销的原因"]);
    unit.post(&undo, &[("reason", "登记错人")]).location();
    unit.get("/cards/handout").says(&["已打印未发放：3 张"]);
    unit.get(&undo).is(404);
}

fn card_ids(console: &ConsoleApp, unit: &str) -> Vec<String> {
    let rows = console.app.wait(console.admin().desk.choice_export(CardChoice::Valid, None)).unwrap();
    rows.into_iter().filter(|row| row.unit == unit).map(|row| row.card.unwrap().id.to_string()).collect()
}
