//! The same page in front of a node on the shop's own computer.

use crate::stage::browser::{Browser, DESKTOP, Setup};
use crate::stage::film::{Shot, film, printed_card};
use crate::stage::{Federation, Node, axe, run, screens};

#[test]
fn the_page_of_a_node_judges_gives_and_takes_back() {
    run(async {
        let mut federation = Federation::new();
        let partner = federation.partner("云岭诊所");
        let numbers = federation.numbers();
        let card = printed_card(&federation.desk, &numbers[0]);
        let shots = [Shot { card: Some(&card), frames: 20 }];
        let reel = film(federation.desk.path("reel.y4m"), &shots);
        let node = Node::enrolled(&federation, &partner);
        let profile = federation.profile("computer");
        let browser = Browser::start(Setup { profile: &profile, film: Some(&reel), screen: DESKTOP }).await;

        // Nobody enrols the page: the program behind it is.
        browser.open(&node.url("")).await;
        screens::verdict(&browser, "accept", "ok").await;
        browser.shows(&["可用", "三星级志愿者", "李**", "全场九折"]).await;
        axe::examine(&browser, "node: accept").await;
        browser.keep("node").await;
        browser.tap("button.offer").await;
        browser.shows(&["已给予", "撤销"]).await;
        federation.awaits_usage(&partner, "uses", 1);
        browser.tap("[data-undo]").await;
        browser.until("document.querySelector('#offers button.offer')").await;
        federation.awaits_usage(&partner, "reversed", 1);

        // Without the federation the node goes on, and the page with it.
        federation.stop();
        browser.tap("button.offer").await;
        browser.shows(&["已给予"]).await;
        browser.reload().await;
        screens::verdict(&browser, "accept", "ok").await;
        browser.shows(&["今日已享受"]).await;
        axe::examine(&browser, "node: used today").await;
        browser.tap("#open-history").await;
        browser.shows(&["全场九折"]).await;
        axe::examine(&browser, "node: history").await;
        assert_eq!(browser.complaints(), Vec::<String>::new());
        browser.quit().await;
    });
}
