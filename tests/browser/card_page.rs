//! The page behind the code's address, where any telephone's camera lands: it judges in the browser and tells nobody.

use crate::stage::browser::{Browser, PHONE, Setup};
use crate::stage::process::Tap;
use crate::stage::{Federation, axe, run};

#[test]
fn a_passer_by_is_told_what_the_card_is_and_the_server_hears_nothing_of_it() {
    run(async {
        let federation = Federation::new();
        let numbers = federation.numbers();
        let tap = Tap::before(federation.port);
        let profile = federation.profile("passer-by");
        let browser = Browser::start(Setup { profile: &profile, film: None, screen: PHONE }).await;
        let digits = [0, 1].map(|at| federation.desk.text(&numbers[at]).rsplit('#').next().unwrap().to_owned());
        let address = |digits: &str| format!("http://127.0.0.1:{}/#{digits}", tap.port);

        browser.open(&address(&digits[0])).await;
        browser.shows(&["三星级志愿者", "李**", "02 0000001 6"]).await;
        axe::examine(&browser, "card page").await;
        browser.keep("card-page").await;

        federation.desk.ok(&["revoke", &numbers[1], "--reason", "exit"]);
        browser.open(&address(&digits[1])).await;
        browser.shows(&["注销"]).await;
        axe::examine(&browser, "card page of a revoked card").await;

        browser.open(&format!("http://127.0.0.1:{}/", tap.port)).await;
        browser.until("document.body.innerText.length > 20").await;
        axe::examine(&browser, "card page without a card").await;

        let heard = tap.heard();
        assert!(heard.contains("GET / HTTP/1.1") && heard.contains("/v1/bundle"), "the tap hears");
        for (number, digits) in numbers.iter().zip(&digits) {
            assert!(!heard.contains(&digits[..17]) && !heard.contains(&digits[170..187]), "the code left the browser");
            assert!(!heard.contains(number.as_str()) && !federation.log().contains(number.as_str()));
            assert!(!federation.log().contains(&digits[..17]), "the code is in the log");
        }
        assert_eq!(browser.complaints(), Vec::<String>::new());
        browser.quit().await;
    });
}
