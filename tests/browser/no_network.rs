//! The server is gone: the page goes on, remembers over a restart, and sends what it gave exactly once.

use std::time::Duration;

use crate::stage::browser::{Browser, PHONE, Setup};
use crate::stage::film::{Shot, film, printed_card};
use crate::stage::{Federation, axe, run, screens};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn an_offer_given_without_a_network_arrives_exactly_once() {
    run(async {
        let mut federation = Federation::new();
        let partner = federation.partner("晨光便利店");
        let number = federation.numbers().remove(0);
        let text = federation.desk.text(&number);
        let profile = federation.profile("phone");
        let setup = || Setup { profile: &profile, film: None, screen: PHONE };
        let browser = Browser::start(setup()).await;
        screens::enrol(&browser, &federation, &partner).await;
        screens::kept_for_offline(&browser).await;

        federation.stop();
        browser.reload().await;
        screens::ready(&browser).await;
        browser.until("document.querySelector('#net').dataset.state === 'offline'").await;
        axe::examine(&browser, "ready without a network").await;
        browser.types(&format!("{text}\u{E007}"));
        screens::verdict(&browser, "accept", "ok").await;
        browser.tap("button.offer").await;
        browser.shows(&["已给予", "1 笔待上报", "未联网"]).await;
        browser.keep("offline").await;

        // The telephone is switched off and on again; the federation is still away.
        browser.quit().await;
        let browser = Browser::start(setup()).await;
        browser.open(&federation.url("scan/")).await;
        screens::ready(&browser).await;
        browser.shows(&["1 笔待上报"]).await;
        browser.types(&format!("{text}\u{E007}"));
        screens::verdict(&browser, "accept", "ok").await;
        browser.shows(&["今日已享受"]).await;

        // It comes back. What waits goes out by itself, and no second time however often the page is opened.
        federation.start();
        browser.value("window.dispatchEvent(new Event('online'))").await;
        browser.until("document.querySelector('#unsent').dataset.count === '0'").await;
        federation.awaits_usage(&partner, "uses", 1);
        for _ in 0..2 {
            browser.reload().await;
            screens::ready(&browser).await;
            browser.until("document.querySelector('#net').dataset.state === 'online'").await;
        }
        let usage = federation.usage(&partner);
        assert_eq!((&usage["total"]["uses"], &usage["total"]["valid"]), (&1.into(), &1.into()), "{usage}");
        browser.quit().await;
    });
}

#[test]
fn a_printed_card_is_judged_by_camera_with_the_server_switched_off() {
    run(async {
        let mut federation = Federation::new();
        let partner = federation.partner("云岭诊所");
        let number = federation.numbers().remove(0);
        let card = printed_card(&federation.desk, &number);
        let reel = film(federation.desk.path("reel.y4m"), &[Shot { card: Some(&card), frames: 20 }]);
        let profile = federation.profile("phone");
        let setup = || Setup { profile: &profile, film: Some(&reel), screen: PHONE };
        let browser = Browser::start(setup()).await;
        screens::enrol(&browser, &federation, &partner).await;
        screens::kept_for_offline(&browser).await;
        browser.quit().await;

        federation.stop();
        let browser = Browser::start(setup()).await;
        browser.open(&federation.url("scan/")).await;
        screens::verdict(&browser, "accept", "ok").await;
        browser.shows(&["可用", "三星级志愿者", "李**", "全场九折"]).await;

        // Forty days on, the data is past its date: amber, and the offers wait for a person's decision.
        browser.clock_ahead(40 * DAY);
        browser.reload().await;
        screens::verdict(&browser, "caution", "status_stale").await;
        browser.shows(&["请核实"]).await;
        browser.until("document.querySelector('#age').dataset.state === 'old'").await;
        axe::examine(&browser, "stale").await;
        browser.keep("stale").await;
        browser.quit().await;
    });
}
