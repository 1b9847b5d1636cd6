//! The five minutes of the README: `zyz demo --serve`, then account after account through what it says to press.

use std::process::Command;

use tempfile::TempDir;

use crate::desk::{Page, run};
use crate::stage::process::{Process, free_port};

/// The walk's heading in README.zh-CN.md.
const HEADING: &str = "## 五分钟走一遍工作台";

/// A step of the walk: who signs in, and what is pressed, in order.
struct Step {
    login: String,
    presses: Vec<String>,
}

#[test]
fn a_newcomer_gets_through_the_walk_of_the_readme() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.zh-CN.md")).unwrap();
    let (steps, password) = walk_of(&readme);
    assert!(steps.len() >= 5, "the README has no walk");
    run(async {
        let folder = TempDir::new().unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(env!("CARGO_BIN_EXE_zyz"));
        command.args(["demo", "--serve", "--listen", &listen, "--dir"]).arg(folder.path().join("demo"));
        let demo = Process::start(command, &format!("http://{listen}/readyz"));
        assert!(demo.log().contains(&password), "the printed page names the password of the README");
        let page = Page::at(format!("http://{listen}")).await;
        for Step { login, presses } in &steps {
            assert!(demo.log().contains(login.as_str()), "{login} is on the printed page");
            page.goto("/home").await;
            page.fill("登录名", login).await;
            page.fill("密码", &password).await;
            page.click("登录").await;
            page.shows(&["退出登录"]).await;
            for words in presses {
                page.click(words).await;
                page.shows(&["退出登录"]).await;
                let status = "performance.getEntriesByType('navigation')[0].responseStatus";
                assert_eq!(page.value(status).await, 200, "{login} → {words}: {}", page.here().await);
            }
            page.axe(login).await;
            page.keep(&format!("walk-{login}")).await;
            page.click("退出登录").await;
            page.shows(&["登录名"]).await;
        }
    });
}

/// The steps: numbered lines; the login is the first thing in backticks, what is pressed stands in bold. And the password,
/// in backticks behind the word 密码.
fn walk_of(readme: &str) -> (Vec<Step>, String) {
    let section = readme.split_once(HEADING).expect("the walk's heading").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let between =
        |text: &str, mark: &str| -> Vec<String> { text.split(mark).skip(1).step_by(2).map(str::to_owned).collect() };
    let password = section.split_once("密码").expect("the password").1;
    let password = between(password, "`").into_iter().next().expect("the password stands in backticks");
    let numbered = section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let steps = numbered.map(|line| Step { login: between(line, "`").remove(0), presses: between(line, "**") });
    (steps.collect(), password)
}
