//! The camera before anything else: what it films can be read at all.

use crate::stage::{film, run};
use crate::stage::browser::{Browser, PHONE, Setup};
use crate::support::{Database, Desk};

#[test]
fn the_fake_camera_shows_a_printed_card() {
    run(async {
        let desk = Desk::with_people(Database::sqlite(), 1);
        desk.ok(&["issue", "--all"]);
        let number = desk.numbers().remove(0);
        let card = film::printed_card(&desk, &number);
        let reel = film::film(desk.path("reel.y4m"), &[film::Shot { card: Some(&card), frames: 10 }]);
        film::photograph(&card, &desk.path("photograph.png"));
        std::fs::copy(desk.path("photograph.png"), "/tmp/photograph.png").unwrap();
        let profile = desk.path("profile");
        let browser = Browser::start(Setup { profile: &profile, film: Some(&reel), screen: PHONE }).await;
        browser.open("data:text/html,<title>x</title>").await;
        eprintln!("{:?}", browser.complaints());
        std::fs::write("/tmp/shot.png", browser.picture()).unwrap();
        browser.quit().await;
    });
}
