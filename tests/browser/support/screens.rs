//! The screens of the scanner page, by the names that its elements carry.

use super::browser::Browser;
use super::{Federation, Partner};

/// Opens a new link and goes through it; the page is ready afterwards.
pub async fn enrol(browser: &Browser, federation: &Federation, partner: &Partner) {
    browser.open(&federation.enrolment_link(partner)).await;
    enrolment_is_offered(browser).await;
    confirm_enrolment(browser, "收银台1").await;
    browser.until("['ready', 'verdict'].includes(document.querySelector('#app').dataset.screen)").await;
    browser.until("document.querySelector('#age').dataset.state === 'fresh'").await;
}

/// The link was understood; it is not in the address any more.
pub async fn enrolment_is_offered(browser: &Browser) {
    browser.until("document.querySelector('#app').dataset.screen === 'welcome'").await;
    browser.shows(&["普洱市志愿服务联合会"]).await;
    browser.until("location.hash === ''").await;
}

/// Names the device and confirms.
pub async fn confirm_enrolment(browser: &Browser, device: &str) {
    browser.fill("#device-name", device).await;
    browser.tap("#enrol-submit").await;
}

/// The page waits for a card.
pub async fn ready(browser: &Browser) {
    browser.until("document.querySelector('#app').dataset.screen === 'ready'").await;
}

/// The screen shows this verdict.
pub async fn verdict(browser: &Browser, verdict: &str, reason: &str) {
    let shown =
        "document.querySelector('#app').dataset.screen === 'verdict' && document.querySelector('#verdict').dataset";
    browser.until(&format!("({shown}).verdict === '{verdict}' && ({shown}).reason === '{reason}'")).await;
}

/// The screen shows that this card is good.
pub async fn verdict_of(browser: &Browser, number: &str) {
    verdict(browser, "accept", "ok").await;
    browser.shows(&[&format!("{} {} {}", &number[..2], &number[2..9], &number[9..])]).await;
}

/// The card that lies before the camera counts as another visit.
pub async fn scan_again(browser: &Browser) {
    browser.reload().await;
    verdict(browser, "accept", "ok").await;
}

/// Closes the sheet that is open.
pub async fn close_sheet(browser: &Browser) {
    browser.tap("dialog[open] button.close").await;
    browser.until("!document.querySelector('dialog[open]')").await;
}

/// The service worker keeps the page, so that it opens without a server.
pub async fn kept_for_offline(browser: &Browser) {
    browser.until("navigator.serviceWorker && navigator.serviceWorker.controller").await;
}
