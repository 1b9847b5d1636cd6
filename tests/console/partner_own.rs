//! What a partner's account sees: its own offers and their use, and nobody it served.

use jiff::SignedDuration;
use serde_json::json;
use zyz::domain::partner::PartnerId;
use zyz::domain::staff::{Role, Scope};
use zyz::service::desk::oversight::recount::Recount;

use crate::console::{Client, ConsoleApp};
use crate::html;
use crate::on_both;
use crate::server::{Answer, TestDevice};
use crate::support::{Database, sheets};

on_both![its_own_use_and_no_others, nobody_who_was_served_is_named, what_is_anothers_is_not_there];

struct Street {
    console: ConsoleApp,
    /// 书店 and 医院, each with an offer.
    partners: [PartnerId; 2],
    offers: [String; 2],
    devices: [TestDevice; 2],
}

impl Street {
    /// Three volunteers; the first used the bookshop's offer six times within minutes, the second the hospital's twice.
    fn new(database: Database) -> Self {
        let console = ConsoleApp::with_cards(database, 3);
        let app = &console.app;
        let partners = ["样例书店", "样例医院"].map(|name| app.partner(name));
        let offers = [app.offer(partners[0], "图书九折"), app.offer(partners[1], "体检八折")];
        let devices = partners.map(|partner| app.device(partner));
        app.pass(SignedDuration::from_mins(5));
        let street = Self { partners, offers, devices, console };
        for (who, at, times) in [(0, 0, 6), (1, 1, 2)] {
            street.uses(who, at, times);
        }
        street.console.app.pass(SignedDuration::from_mins(20));
        assert_eq!(street.console.app.wait(street.console.app.federation.recount_if_due()).unwrap(), Recount::Done);
        street
    }

    fn uses(&self, who: usize, at: usize, times: usize) {
        let app = &self.console.app;
        let code = json!({"code": app.text(app.numbers()[who])});
        let card = app.post("/v1/verify", &code).ok().json()["certificate"].clone();
        let uses: Vec<_> = (0..times)
            .map(|n| {
                json!({
                    "id": format!("019abc00-0000-7000-8{at:03}-{n:012x}"), "offer": self.offers[at],
                    "number": card["number"], "key_id": card["key_id"], "issued_at": card["issued_at"],
                    "redeemed_at": app.now().to_string(), "bundle_version": 1,
                })
            })
            .collect();
        app.post_as(&self.devices[at], "/v1/redemptions", &json!({"redemptions": uses})).ok();
    }

    fn of(&self, at: usize) -> Client<'_> {
        self.console.sign_in(Role::Partner, Scope::Partner(self.partners[at].0))
    }
}

/// Every page that a partner has.
fn pages(client: &Client<'_>, offer: &str) -> Vec<(String, Answer)> {
    let paths = ["/home", "/offers", "/offers?year=2025", "/account"].map(str::to_owned);
    paths.into_iter().chain([format!("/offers/{offer}")]).map(|path| (path.clone(), client.get(&path))).collect()
}

fn workbook(answer: &Answer) -> Vec<String> {
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(answer.is(200).body.clone())).unwrap();
    let sheet = calamine::Reader::worksheet_range_at(&mut book, 0).unwrap().unwrap();
    sheet.rows().map(|row| row.iter().map(|cell| format!("{cell}")).collect::<Vec<_>>().join("|")).collect()
}

fn its_own_use_and_no_others(database: Database) {
    let street = Street::new(database);
    let row = |title: &str, uses: &str, over: &str| -> Vec<String> {
        let none = ["0"; 10];
        let cells = [title].into_iter().chain(none).chain([uses, "0", uses, "0", over, "0"]);
        cells.map(str::to_owned).collect()
    };
    // One a day is allowed: the others are over the limit.
    for (at, own, foreign) in [(0, row("图书九折", "6", "5"), "体检八折"), (1, row("体检八折", "2", "1"), "图书九折")]
    {
        let client = street.of(at);
        let page = client.get("/offers");
        let rows: Vec<_> = html::rows(&page.is(200).text()).into_iter().filter(|row| row.len() == 17).collect();
        assert_eq!(rows[1..], *std::slice::from_ref(&own));
        let book = workbook(&client.get("/offers/export"));
        assert_eq!(book[2..], [own.join("|")]);
        assert!(!book.join("\n").contains(foreign));
        client.get("/offers?year=2025").is(200).says(&["这一年没有使用记录"]);
        // A year is all that an address can choose: it names no other partner.
        let other = street.partners[1 - at];
        for path in [format!("/offers?partner={other}"), format!("/offers?year=2026&partner={other}&unit=1")] {
            let page = client.get(&path).is(200).text();
            assert!(page.contains(own[0].as_str()) && !page.contains(foreign), "{path}");
        }
        for (path, page) in pages(&client, &street.offers[at]) {
            let text = page.is(200).text();
            let theirs = if at == 0 { "样例医院" } else { "样例书店" };
            assert!(!text.contains(foreign) && !text.contains(theirs), "{path}: {text}");
        }
    }
}

fn nobody_who_was_served_is_named(database: Database) {
    let street = Street::new(database);
    let admin = street.console.admin();
    let numbers = street.console.app.numbers();
    // The federation is told whose card was used six times within an hour; the partner is not.
    admin.get("/partners/unusual").is(200).says(&[&numbers[0].grouped(), "一小时内 6 次"]);
    let client = street.of(0);
    let mut all: Vec<String> = pages(&client, &street.offers[0]).iter().map(|(_, page)| page.is(200).text()).collect();
    all.push(workbook(&client.get("/offers/export")).join("\n"));
    for (n, number) in numbers.iter().enumerate() {
        let person = sheets::person(n);
        let family = person.name.chars().next().unwrap();
        let masked = [format!("{family}**"), format!("{family}*")];
        let birth = person.birth.to_string();
        let secrets = [
            person.name.as_str(),
            number.as_str(),
            &number.grouped(),
            &person.phone,
            &person.identity,
            &birth,
            &masked[0],
            &masked[1],
        ];
        for page in &all {
            for secret in secrets {
                assert!(!page.contains(secret), "{secret} is in {page}");
            }
        }
    }
    for page in &all {
        assert!(!page.contains("思茅区样例单位"), "{page}");
    }
}

fn what_is_anothers_is_not_there(database: Database) {
    let street = Street::new(database);
    let client = street.of(0);
    client.get(&format!("/offers/{}", street.offers[0])).is(200).says(&["图书九折"]);
    // Another's offer is answered as one that there is not.
    let theirs = client.get(&format!("/offers/{}", street.offers[1])).is(404).text();
    let none = client.get("/offers/999999").is(404).text();
    assert_eq!(theirs, none);
    let (theirs, device) = (street.partners[1], street.devices[1].id);
    for path in [
        format!("/partners/{theirs}"),
        format!("/partners/{theirs}/offers/{}", street.offers[1]),
        format!("/partners/{theirs}/devices/{device}/revoke"),
        format!("/partners/{}", street.partners[0]),
        "/partners".into(),
        "/partners/export".into(),
        "/partners/unusual".into(),
        "/statistics".into(),
        "/statistics/partners".into(),
        "/statistics/export".into(),
        "/people".into(),
        format!("/people/{}", street.console.app.numbers()[0]),
        format!("/cards/of/{}", street.console.app.numbers()[0]),
        "/hours".into(),
        "/stars".into(),
        "/units".into(),
        "/audit".into(),
    ] {
        let answer = client.get(&path);
        assert!(!answer.is(403).text().contains("体检八折"), "{path}");
    }
    // Nor does its account change anything, its own included.
    client.post(&format!("/partners/{}/renew", street.partners[0]), &[("number", "x"), ("to", "2029-01-01")]).is(403);
    let end = format!("/partners/{}/offers/{}/end", street.partners[0], street.offers[0]);
    client.post(&end, &[]).is(403);
    client.get("/offers").says(&["图书九折"]);
    // The agreement of the other one ends: nothing changes here.
    street.console.app.wait(street.console.app.federation.end_partner(theirs, None, "协议到期")).unwrap();
    client.get("/offers").is(200).says(&["样例书店", "图书九折"]);
}
