//! A Chromium of a test's own, driven through chromedriver. Whoever waits says what for, and gives up after [`PATIENCE`].

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::{Element, ElementRef};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// Longest wait for anything on the screen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// How a browser is to be started.
pub struct Setup<'a> {
    /// Its profile; the same again is the same person's browser.
    pub profile: &'a Path,
    /// What its camera films; without, it has none that shows a card.
    pub film: Option<&'a Path>,
    /// Width and height of the screen, CSS pixels.
    pub screen: (u32, u32),
}

/// A small old telephone.
pub const PHONE: (u32, u32) = (360, 640);
/// The shop's computer.
pub const DESKTOP: (u32, u32) = (1280, 800);

/// A running browser. Dropped while a test fails, it leaves a picture and its log in target/browser-failures.
pub struct Browser {
    client: Client,
    session: String,
    driver: Child,
    /// Where chromedriver listens.
    address: String,
}

impl Browser {
    /// Starts chromedriver and Chromium.
    pub async fn start(setup: Setup<'_>) -> Self {
        std::fs::create_dir_all(setup.profile).unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("FONTCONFIG_FILE", fonts(setup.profile))
            // On Linux the language of dates and file fields comes from here (Debian: chromium-l10n), not from --lang.
            .env("LANGUAGE", "zh_CN")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is there: scripts/setup-tools");
        let address = format!("http://127.0.0.1:{}", port_of(&mut driver));
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=zh-CN",
            "--use-fake-ui-for-media-stream",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", setup.profile.display()));
        arguments.push(format!("--window-size={},{}", setup.screen.0, setup.screen.1));
        if let Some(film) = setup.film {
            arguments.push("--use-fake-device-for-media-stream".into());
            arguments.push(format!("--use-file-for-fake-video-capture={}", film.display()));
        }
        let mut options = json!({"args": arguments, "binary": chromium()});
        if setup.screen.0 < 600 {
            let (width, height) = setup.screen;
            options["mobileEmulation"] =
                json!({"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0, "touch": true}});
        }
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&address)
            .await
            .unwrap_or_else(|e| panic!("Chromium did not start: {e}"));
        let session = client.session_id().await.unwrap().unwrap();
        Self { client, session, driver, address }
    }

    /// Ends it as a person would, so that it writes down what it holds.
    pub async fn quit(mut self) {
        self.client.clone().close().await.unwrap();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }

    /// Goes to an address. A fragment alone does not load a page anew, so this passes through an empty one.
    pub async fn open(&self, address: &str) {
        self.client.goto("about:blank").await.unwrap();
        self.client.goto(address).await.unwrap_or_else(|e| panic!("{address}: {e}"));
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// The value of a JavaScript expression.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.client.execute(&script, vec![]).await.unwrap_or_else(|e| panic!("{expression}: {e}"))
    }

    /// The value of an expression that is a promise.
    pub async fn awaited(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             Promise.resolve({expression}).then(done, (error) => done({{error: String(error)}}));"
        );
        self.client.execute_async(&script, vec![]).await.unwrap_or_else(|e| panic!("{expression}: {e}"))
    }

    /// What a script returns.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// The element that a script returns; none if it returns none, or the page is just being left.
    pub async fn element(&self, script: &str, arguments: Vec<Value>) -> Option<Element> {
        let found = self.client.execute(script, arguments).await.ok()?;
        let (_, id) = found.as_object()?.iter().find(|(key, _)| key.starts_with("element-"))?;
        Some(Element::from_element_id(self.client.clone(), ElementRef::from(id.as_str()?.to_owned())))
    }

    /// What can be read on the screen.
    pub async fn text(&self) -> String {
        self.value("document.body ? document.body.innerText : ''").await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let script = format!("return Boolean({expression});");
        let patience = deadline();
        let mut last = None;
        while Instant::now() < patience {
            // A page that is just being left may answer with an error.
            match self.client.execute(&script, vec![]).await {
                Ok(Value::Bool(true)) => return,
                Ok(_) => {}
                Err(e) => last = Some(e),
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("never true: {expression} ({last:?})\nthe screen says:\n{}", self.text().await);
    }

    /// Waits until all of `words` can be read.
    pub async fn shows(&self, words: &[&str]) {
        let words: Vec<String> = words.iter().map(|word| json!(word).to_string()).collect();
        let squeezed = "document.body.innerText.replace(/\\s+/g, ' ')";
        self.until(&format!("document.body && [{}].every((word) => {squeezed}.includes(word))", words.join(","))).await;
    }

    /// Waits for an element that can be seen, and taps it.
    pub async fn tap(&self, selector: &str) {
        let seen = format!("{}?.checkVisibility() && !{0}.disabled", query(selector));
        self.until(&seen).await;
        self.client
            .find(Locator::Css(selector))
            .await
            .unwrap()
            .click()
            .await
            .unwrap_or_else(|e| panic!("{selector}: {e}"));
    }

    /// Types into a field.
    pub async fn fill(&self, selector: &str, text: &str) {
        self.until(&format!("{}?.checkVisibility()", query(selector))).await;
        let field = self.client.find(Locator::Css(selector)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses a file in a file field, which may be hidden behind a button.
    pub async fn choose(&self, selector: &str, file: &Path) {
        self.until(&query(selector)).await;
        self.client.find(Locator::Css(selector)).await.unwrap().send_keys(&file.display().to_string()).await.unwrap();
    }

    /// Key after key into whatever has the focus, as a hand-held scanner types: nothing is clicked before.
    pub fn types(&self, text: &str) {
        let mut steps = Vec::new();
        for key in text.chars() {
            steps.push(json!({"type": "keyDown", "value": key}));
            steps.push(json!({"type": "keyUp", "value": key}));
        }
        self.post("actions", &json!({"actions": [{"type": "key", "id": "scanner", "actions": steps}]}));
    }

    /// Dark or light, as the telephone is set.
    pub fn prefers(&self, scheme: &str) {
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// From the next load on, the page's clock is this much ahead.
    pub fn clock_ahead(&self, by: Duration) {
        let source = format!(
            "(() => {{ const real = Date, ahead = {};
               class Later extends real {{
                 constructor(...given) {{ if (given.length) super(...given); else super(real.now() + ahead); }}
                 static now() {{ return real.now() + ahead; }}
               }}
               globalThis.Date = Later; }})();",
            by.as_millis()
        );
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": source}));
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// What the console has said since it was last asked, warnings and worse: refusals of the page's
    /// Content-Security-Policy among them. A server that is down is no news and left out.
    pub fn complaints(&self) -> Vec<String> {
        let said = self.post("se/log", &json!({"type": "browser"}));
        let lines = said["value"].as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .filter(|line| matches!(line["level"].as_str(), Some("SEVERE" | "WARNING")))
            .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .filter(|message| !message.contains("net::ERR_"))
            .collect()
    }

    /// Keeps the screen as a picture for docs/PARTNERS.md, where ZYZ_BROWSER_PICTURES names a folder.
    pub async fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("ZYZ_BROWSER_PICTURES").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&folder).unwrap();
        // The picture is of a screen at rest.
        self.awaited("Promise.allSettled(document.getAnimations().map((one) => one.finished))").await;
        std::fs::write(folder.join(format!("{name}.png")), self.picture()).unwrap();
    }

    /// The screen as a PNG.
    pub fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let said = self.ask("screenshot").unwrap_or_default();
        base64::engine::general_purpose::STANDARD.decode(said["value"].as_str().unwrap_or_default()).unwrap()
    }

    fn post(&self, what: &str, body: &Value) -> Value {
        let address = format!("{}/session/{}/{what}", self.address, self.session);
        let mut answer = agent()
            .post(&address)
            .header("Content-Type", "application/json")
            .send(body.to_string())
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{what}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    fn ask(&self, what: &str) -> Option<Value> {
        let address = format!("{}/session/{}/{what}", self.address, self.session);
        let mut answer = agent().get(&address).call().ok()?;
        serde_json::from_str(&answer.body_mut().with_config().limit(64 << 20).read_to_string().ok()?).ok()
    }

    fn leave_evidence(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser-failures");
        let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let _ = std::fs::create_dir_all(&folder);
        if let Some(Value::String(picture)) = self.ask("screenshot").map(|said| said["value"].clone()) {
            use base64::Engine as _;
            if let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(picture) {
                let _ = std::fs::write(folder.join(format!("{name}.png")), bytes);
            }
        }
        if let Some(source) = self.ask("source") {
            let _ = std::fs::write(folder.join(format!("{name}.html")), source["value"].as_str().unwrap_or_default());
        }
        let address = format!("{}/session/{}/se/log", self.address, self.session);
        let body = json!({"type": "browser"}).to_string();
        if let Ok(mut said) = agent().post(&address).header("Content-Type", "application/json").send(body) {
            let _ = std::fs::write(
                folder.join(format!("{name}.log")),
                said.body_mut().read_to_string().unwrap_or_default(),
            );
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.leave_evidence();
        }
        // chromedriver takes its Chromium along when it is told to end the session, not when it is killed.
        let _ = agent().delete(format!("{}/session/{}", self.address, self.session)).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// An HTTP client that takes every status for an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// When to give up waiting that begins now.
pub fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

fn query(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}

/// The port that chromedriver says it took.
fn port_of(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok())
        .expect("chromedriver says its port");
    // Whatever else it says must go somewhere, or it would block.
    std::thread::spawn(move || lines.for_each(drop));
    port
}

fn chromium() -> String {
    std::env::var("ZYZ_CHROMIUM").unwrap_or_else(|_| {
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .expect("Chromium is there: scripts/setup-tools, or ZYZ_CHROMIUM")
            .into()
    })
}

/// Chinese on a machine that has no Chinese font: the one that the repository brings.
fn fonts(profile: &Path) -> PathBuf {
    let file = profile.join("fonts.conf");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fonts");
    let text = format!(
        r#"<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{}</dir><cachedir>{}</cachedir>
<match target="pattern"><test name="family"><string>sans-serif</string></test><edit name="family" mode="prepend" binding="strong"><string>Noto Sans SC</string></edit></match>
</fontconfig>"#,
        ours.display(),
        profile.join("font-cache").display()
    );
    std::fs::write(&file, text).unwrap();
    file
}
