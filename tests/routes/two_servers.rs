//! Two servers on one database.

use serde_json::json;
use zyz::domain::certificate::Reason;

use crate::on_both;
use crate::server::TestApp;
use crate::support::Database;

fn both_serve_the_same_bytes_and_see_a_revocation(database: Database) {
    let one = TestApp::with_cards(database, 2);
    let two = one.second();
    let partner = one.partner("小店");
    one.offer(partner, "全场九折");
    let device = two.device(partner);
    let same = || {
        for path in ["/v1/trust-list", "/v1/bundle"] {
            let (a, b) = (one.get(path).ok(), two.get(path).ok());
            assert_eq!(a.body, b.body, "{path}");
            assert_eq!(a.header("etag"), b.header("etag"), "{path}");
        }
        let (a, b) = (one.get_as(&device, "/v1/partner/bundle").ok(), two.get_as(&device, "/v1/partner/bundle").ok());
        assert_eq!(a.body, b.body);
        let kid = one.wait(one.federation.keys()).unwrap().into_iter().find(|key| key.role == "issuing").unwrap().kid;
        let list = format!("/status-lists/{kid}");
        assert_eq!(one.get(&list).ok().body, two.get(&list).ok().body);
    };
    same();
    let before = two.get("/v1/bundle").ok();
    let (gone, text) = (one.numbers()[0], one.text(one.numbers()[0]));
    one.wait(one.federation.revoke(gone, Reason::Exit)).unwrap();
    for server in [&one, &two] {
        server.wait(server.web.refresh()).unwrap();
        let verdict = server.post("/v1/verify", &json!({ "code": text })).ok().json();
        assert_eq!(verdict["reason"], "revoked");
    }
    assert_ne!(two.get("/v1/bundle").ok().body, before.body);
    same();
}

fn both_asked_at_once_sign_once(database: Database) {
    let one = TestApp::with_cards(database, 1);
    let two = one.second();
    one.wait(one.federation.revoke(one.numbers()[0], Reason::Exit)).unwrap();
    std::thread::scope(|scope| {
        let asked: Vec<_> =
            [&one, &two, &one, &two].map(|server| scope.spawn(move || server.get("/v1/bundle").ok())).into();
        let answers: Vec<_> = asked.into_iter().map(|asked| asked.join().unwrap().body).collect();
        assert!(answers.iter().all(|body| *body == answers[0]));
    });
}

on_both![both_serve_the_same_bytes_and_see_a_revocation, both_asked_at_once_sign_once];
