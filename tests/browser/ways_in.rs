//! Other ways to a verdict than the camera: a hand-held scanner, a photo, a typed number.

use crate::stage::browser::{Browser, DESKTOP, PHONE, Setup};
use crate::stage::film::{photograph, printed_card};
use crate::stage::{Federation, axe, run, screens};

#[test]
fn a_hand_held_scanner_types_into_the_page_without_a_click() {
    run(async {
        let federation = Federation::new();
        let partner = federation.partner("云岭诊所");
        let numbers = federation.numbers();
        let profile = federation.profile("computer");
        let browser = Browser::start(Setup { profile: &profile, film: None, screen: DESKTOP }).await;
        screens::enrol(&browser, &federation, &partner).await;
        axe::examine(&browser, "ready").await;
        browser.keep("desktop-ready").await;
        // With the address in front and Enter behind, as such scanners are delivered; and bare, one after the other.
        let text = federation.desk.text(&numbers[0]);
        browser.types(&format!("{text}\u{E007}"));
        screens::verdict_of(&browser, &numbers[0]).await;
        axe::examine(&browser, "accept on a computer").await;
        browser.keep("desktop-accept").await;
        let bare = federation.desk.text(&numbers[1]);
        browser.types(&format!("{}\u{E007}", bare.rsplit('#').next().unwrap()));
        screens::verdict_of(&browser, &numbers[1]).await;
        assert_eq!(browser.complaints(), Vec::<String>::new());
        browser.quit().await;
    });
}

#[test]
fn a_photo_and_a_typed_number() {
    run(async {
        let federation = Federation::new();
        let partner = federation.partner("云岭诊所");
        let number = federation.numbers().remove(0);
        let picture = federation.desk.path("photo.jpg");
        photograph(&printed_card(&federation.desk, &number), &picture);
        let nothing = federation.desk.path("nothing.png");
        image::RgbImage::from_pixel(800, 600, image::Rgb([120, 110, 100])).save(&nothing).unwrap();
        let profile = federation.profile("phone");
        let browser = Browser::start(Setup { profile: &profile, film: None, screen: PHONE }).await;
        screens::enrol(&browser, &federation, &partner).await;

        browser.choose("#photo", &picture).await;
        screens::verdict_of(&browser, &number).await;
        browser.shows(&["可用", "李**"]).await;
        browser.choose("#photo", &nothing).await;
        browser.shows(&["没有读到二维码"]).await;
        axe::examine(&browser, "no code in the photo").await;

        browser.tap("#next").await;
        browser.fill("#wedge", &format!("{number}\u{E007}")).await;
        screens::verdict(&browser, "caution", "number_valid").await;
        browser.shows(&["请持证人出示"]).await;
        axe::examine(&browser, "looked up").await;
        browser.tap("#next").await;
        let wrong = format!("{}{}", &number[..9], (number.as_bytes()[9] - b'0' + 1) % 10);
        browser.fill("#wedge", &format!("{wrong}\u{E007}")).await;
        browser.shows(&["编号输错了"]).await;
        assert_eq!(browser.complaints(), Vec::<String>::new());
        browser.quit().await;
    });
}
