//! Every page that links lead to, found as somebody of a role finds them.

use zyz::web::console::routes;

use crate::html::{self, Got, Walk};
use crate::stage::browser::agent;

/// Follows every link of the console of the server at `address` with this session's cookie.
pub fn follow(address: &str, cookie: &str) -> Walk {
    let patterns: Vec<&str> = routes::all().filter(|route| route.method == "GET").map(|route| route.path).collect();
    html::walk(&patterns, |path| {
        let mut answer = agent()
            .get(format!("{address}/console{}", encoded(path)))
            .config()
            .max_redirects(0)
            .build()
            .header("Cookie", cookie)
            .header("Sec-Fetch-Site", "same-origin")
            .call()
            .unwrap_or_else(|e| panic!("{path}: {e}"));
        let text = |name: &str| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        Got {
            status: answer.status().as_u16(),
            kind: text("content-type"),
            location: text("location"),
            body: answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap(),
        }
    })
}

/// Links may hold what an address on the wire may not.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
