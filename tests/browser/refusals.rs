//! Cards that are not to be honoured, each with its own word.

use crate::stage::browser::{Browser, PHONE, Setup};
use crate::stage::{Federation, axe, run, screens};

#[test]
fn a_card_revoked_since_is_refused_after_the_next_sync() {
    run(async {
        let federation = Federation::new();
        let partner = federation.partner("晨光便利店");
        let numbers = federation.numbers();
        let texts: Vec<String> = numbers.iter().map(|number| federation.desk.text(number)).collect();
        let profile = federation.profile("phone");
        let browser = Browser::start(Setup { profile: &profile, film: None, screen: PHONE }).await;
        screens::enrol(&browser, &federation, &partner).await;
        browser.types(&format!("{}\u{E007}", texts[0]));
        screens::verdict(&browser, "accept", "ok").await;

        federation.desk.ok(&["revoke", &numbers[0], "--reason", "exit"]);
        federation.desk.ok(&["suspend", &numbers[1], "--reason", "misuse"]);
        federation.desk.ok(&["replace", &numbers[2], "--reason", "lost"]);
        browser.reload().await;
        screens::ready(&browser).await;
        browser.until("document.querySelector('#net').dataset.state === 'online'").await;
        for (text, reason, word) in
            [(&texts[0], "revoked", "注销"), (&texts[1], "suspended", "暂停"), (&texts[2], "superseded", "换发")]
        {
            browser.types(&format!("{text}\u{E007}"));
            screens::verdict(&browser, "reject", reason).await;
            browser.shows(&["不可用", word]).await;
            assert_eq!(browser.value("document.querySelectorAll('button.offer').length").await, 0);
            axe::examine(&browser, reason).await;
            browser.keep(reason).await;
        }
        // Its successor is good.
        browser.types(&format!("{}\u{E007}", federation.desk.text(&numbers[2])));
        screens::verdict(&browser, "accept", "ok").await;
        browser.quit().await;
    });
}

#[test]
fn what_is_no_card_of_ours_is_told_from_a_forged_one() {
    run(async {
        let federation = Federation::new();
        let partner = federation.partner("晨光便利店");
        let text = federation.desk.text(&federation.numbers()[0]);
        let profile = federation.profile("phone");
        let browser = Browser::start(Setup { profile: &profile, film: None, screen: PHONE }).await;
        screens::enrol(&browser, &federation, &partner).await;

        browser.types("https://weixin.example/u/690123456789012345\u{E007}");
        screens::verdict(&browser, "reject", "malformed").await;
        browser.shows(&["不是志愿服务证"]).await;
        axe::examine(&browser, "not ours").await;
        browser.keep("not-ours").await;

        // One digit of the signature changed: the lowest of a whole group of 17, since its highest might make a number
        // that no group can hold.
        let digits = text.find('#').map_or(0, |prefix| prefix + 1);
        let at = digits + (text.len() - digits) / 17 * 17 - 18;
        let digit = (text.as_bytes()[at] - b'0' + 1) % 10;
        let forged = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
        browser.types(&format!("{forged}\u{E007}"));
        browser.until("document.querySelector('#verdict').dataset.reason !== 'malformed'").await;
        screens::verdict(&browser, "reject", "bad_signature").await;
        browser.shows(&["不可用"]).await;
        axe::examine(&browser, "forged").await;
        browser.keep("forged").await;
        browser.quit().await;
    });
}
