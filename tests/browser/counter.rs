//! The cashier at the counter: enrol once, then a card before the camera, a verdict, an offer, a mistake taken back.

use crate::stage::browser::{Browser, PHONE, Setup};
use crate::stage::film::{Shot, film, printed_card};
use crate::stage::{Federation, axe, run, screens};

#[test]
fn a_printed_card_before_the_camera_is_judged_and_an_offer_given_once() {
    run(async {
        let federation = Federation::new();
        let partner = federation.partner("晨光便利店");
        let number = federation.numbers().remove(0);
        let card = printed_card(&federation.desk, &number);
        let reel = film(federation.desk.path("reel.y4m"), &[Shot { card: Some(&card), frames: 20 }]);
        let profile = federation.profile("phone");
        let browser = Browser::start(Setup { profile: &profile, film: Some(&reel), screen: PHONE }).await;

        browser.open(&federation.enrolment_link(&partner)).await;
        screens::enrolment_is_offered(&browser).await;
        axe::examine(&browser, "enrolment").await;
        browser.keep("enrol").await;
        screens::confirm_enrolment(&browser, "收银台1").await;

        // From here to the verdict nothing is tapped.
        screens::verdict(&browser, "accept", "ok").await;
        browser.shows(&["可用", "三星级志愿者", "李**", "02 0000001 6", "请核对持证人", "数据时间"]).await;
        assert_eq!(browser.value("document.querySelectorAll('#verdict .star.full').length").await, 3);
        assert!(!browser.text().await.contains("李建国"), "the name stays masked");
        axe::examine(&browser, "accept").await;
        browser.keep("accept").await;

        // Two offers: one to be had, one that says why not.
        browser.shows(&["全场九折", "免费早餐一份", "星级不足"]).await;
        assert_eq!(browser.value("document.querySelectorAll('#offers button.offer').length").await, 1);
        browser.tap("button.offer").await;
        browser.shows(&["已给予", "全场九折", "撤销"]).await;
        axe::examine(&browser, "given").await;
        browser.keep("given").await;
        federation.awaits_usage(&partner, "uses", 1);

        // The same card again: today's is used up. Undone, it is to be had again.
        browser.tap("#next").await;
        screens::scan_again(&browser).await;
        browser.shows(&["今日已享受"]).await;
        axe::examine(&browser, "used today").await;
        browser.keep("used-today").await;
        browser.tap("#open-history").await;
        browser.until("document.querySelector('#history').open").await;
        browser.shows(&["全场九折", "02 0000001 6", "李**"]).await;
        axe::examine(&browser, "history").await;
        browser.keep("history").await;
        browser.tap("#history [data-undo]").await;
        browser.shows(&["已撤销"]).await;
        federation.awaits_usage(&partner, "reversed", 1);
        screens::close_sheet(&browser).await;
        screens::scan_again(&browser).await;
        browser.until("document.querySelector('#offers button.offer')").await;

        browser.tap("#open-settings").await;
        browser.until("document.querySelector('#settings').open").await;
        browser.shows(&["晨光便利店", "声音"]).await;
        axe::examine(&browser, "settings").await;

        assert_eq!(browser.complaints(), Vec::<String>::new(), "the console is silent");
        browser.quit().await;
    });
}

#[test]
fn a_second_card_follows_without_a_tap() {
    run(async {
        let federation = Federation::new();
        let partner = federation.partner("晨光便利店");
        let numbers = federation.numbers();
        let cards = [&numbers[1], &numbers[2]].map(|number| printed_card(&federation.desk, number));
        let shots = [
            Shot { card: Some(&cards[0]), frames: 40 },
            Shot { card: None, frames: 10 },
            Shot { card: Some(&cards[1]), frames: 40 },
            Shot { card: None, frames: 10 },
        ];
        let reel = film(federation.desk.path("reel.y4m"), &shots);
        let profile = federation.profile("phone");
        let browser = Browser::start(Setup { profile: &profile, film: Some(&reel), screen: PHONE }).await;
        screens::enrol(&browser, &federation, &partner).await;
        for number in [&numbers[1], &numbers[2], &numbers[1]] {
            screens::verdict_of(&browser, number).await;
        }
        browser.quit().await;
    });
}
