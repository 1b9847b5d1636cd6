//! A page of the console, as its reader handles it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fantoccini::elements::Element;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::axe;
use crate::stage::browser::{Browser, Setup, deadline};

/// The office's computer.
const DESKTOP: (u32, u32) = (1366, 768);
/// A telephone.
const PHONE: (u32, u32) = (390, 844);
/// Longest picture kept, CSS pixels.
const LONGEST: u64 = 3000;

/// A browser at the console. Dropped, it says what it complained about all along; that fails the test.
pub struct Page {
    /// The browser beneath, for what has no words: selectors, expressions, the protocol.
    pub browser: Browser,
    address: String,
    forgiven: std::cell::RefCell<Vec<String>>,
    folder: TempDir,
}

impl Page {
    /// A new browser for the server at `address`.
    pub async fn at(address: String) -> Self {
        let folder = TempDir::new().unwrap();
        let profile = folder.path().join("profile");
        let browser = Browser::start(Setup { profile: &profile, film: None, screen: DESKTOP }).await;
        browser.devtools(
            "Browser.setDownloadBehavior",
            json!({"behavior": "allow", "downloadPath": folder.path().join("downloads")}),
        );
        let page = Self { browser, address, forgiven: Vec::new().into(), folder };
        page.screen(DESKTOP);
        page
    }

    /// Puts a cookie into the browser, as the server would.
    pub(super) async fn take_cookie(&self, name: &str, value: &str) {
        let cookie = json!({"name": name, "value": value, "url": format!("{}/", self.address), "path": "/",
            "secure": true, "httpOnly": true, "sameSite": "Strict"});
        let said = self.browser.devtools("Network.setCookie", cookie);
        assert_eq!(said["value"]["success"], true, "{said}");
    }

    /// Goes to an address below the console's, like `/people`, and waits for its page.
    pub async fn goto(&self, path: &str) {
        self.browser.open(&format!("{}/console{path}", self.address)).await;
    }

    /// Where the browser is: the address below the console's, query included.
    pub async fn here(&self) -> String {
        let whole = self.value("location.pathname + location.search").await;
        let whole = whole.as_str().unwrap_or_default();
        whole.strip_prefix("/console").unwrap_or(whole).to_owned()
    }

    /// Fills the field of this label. Dates as `2026-11-23`, times as `08:30`.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        let kind = field.prop("type").await.unwrap().unwrap_or_default();
        if ["date", "time", "month", "datetime-local", "number", "color", "range"].contains(&kind.as_str()) {
            // Typed, their meaning would depend on the language of the browser.
            let script = "const [field, text] = arguments; field.focus(); field.value = text;
                for (const event of ['input', 'change']) field.dispatchEvent(new Event(event, {bubbles: true}));
                field.blur();";
            let field = serde_json::to_value(field).unwrap();
            self.browser.script(script, vec![field, json!(text)]).await;
            return;
        }
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap_or_else(|e| panic!("{label}: {e}"));
    }

    /// Chooses an entry of the list of this label, by its words.
    pub async fn choose(&self, label: &str, entry: &str) {
        let field = self.field(label).await;
        let script = "const [field, words] = arguments;
            const texts = [...field.options].map((option) => option.text.trim());
            let at = texts.indexOf(words);
            if (at < 0) at = texts.findIndex((text) => text.includes(words));
            if (at < 0) return texts;
            field.selectedIndex = at;
            for (const event of ['input', 'change']) field.dispatchEvent(new Event(event, {bubbles: true}));
            return true;";
        let said = self.browser.script(script, vec![serde_json::to_value(field).unwrap(), json!(entry)]).await;
        assert_eq!(said, true, "{label}: no entry “{entry}”");
    }

    /// Presses the button, link, tick or tab that says this; in the page before in the navigation.
    pub async fn click(&self, words: &str) {
        let element = self.find("button", words).await;
        element.click().await.unwrap_or_else(|e| panic!("{words}: {e}"));
    }

    /// Ticks the box of this label, or unticks it.
    pub async fn tick(&self, label: &str) {
        self.field(label).await.click().await.unwrap_or_else(|e| panic!("{label}: {e}"));
    }

    /// Chooses a file in the field of this label.
    pub async fn upload(&self, label: &str, file: &Path) {
        let field = self.field(label).await;
        field.send_keys(&file.display().to_string()).await.unwrap_or_else(|e| panic!("{label}: {e}"));
    }

    /// Waits until all of these words can be read.
    pub async fn shows(&self, words: &[&str]) {
        self.browser.shows(words).await;
    }

    /// Whether these words can be read now.
    pub async fn says(&self, words: &str) -> bool {
        self.browser.text().await.replace(char::is_whitespace, "").contains(&words.replace(char::is_whitespace, ""))
    }

    /// Fails if any of these words can be read. Ask it after something that [`Self::shows`].
    pub async fn hides(&self, words: &[&str]) {
        for words in words {
            assert!(!self.says(words).await, "“{words}” is shown at {}", self.here().await);
        }
    }

    /// What stands in the field of this label.
    pub async fn filled(&self, label: &str) -> String {
        self.field(label).await.prop("value").await.unwrap().unwrap_or_default()
    }

    /// The error that stands below the field of this label; empty for none. The field must say of itself that it is wrong.
    pub async fn error_of(&self, label: &str) -> String {
        let script = "const [field] = arguments;
            if (field.getAttribute('aria-invalid') !== 'true') return '';
            return (field.getAttribute('aria-describedby') ?? '').split(/\\s+/).map((id) => document.getElementById(id))
                .filter((one) => one?.classList.contains('error')).map((one) => one.textContent.trim()).join(' ');";
        // The answer may still be on its way.
        self.browser.until("document.querySelector('[aria-invalid=true]')").await;
        let field = serde_json::to_value(self.field(label).await).unwrap();
        self.browser.script(script, vec![field]).await.as_str().unwrap_or_default().to_owned()
    }

    /// The value of a JavaScript expression.
    pub async fn value(&self, expression: &str) -> Value {
        self.browser.value(expression).await
    }

    /// Keys as typed: `"\u{E007}"` is Enter, `"\u{E004}"` Tab.
    pub fn types(&self, text: &str) {
        self.browser.types(text);
    }

    /// The file that was downloaded last, once it is whole: its name and bytes. The next call waits for another one.
    pub async fn downloaded(&self) -> (String, Vec<u8>) {
        let folder = self.folder.path().join("downloads");
        let patience = deadline();
        loop {
            let entries = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
            let done: Vec<PathBuf> = entries
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_none_or(|ending| ending != "crdownload"))
                .filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
                .collect();
            if let [file] = done.as_slice() {
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                let bytes = std::fs::read(file).unwrap();
                std::fs::remove_file(file).unwrap();
                return (name, bytes);
            }
            assert!(std::time::Instant::now() < patience, "nothing was downloaded: {done:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs axe-core on the page, light and dark; serious and critical findings fail the test.
    pub async fn axe(&self, name: &str) {
        axe::examine(&self.browser, name).await;
    }

    /// What axe-core finds there, for whoever collects it.
    pub async fn axe_findings(&self) -> Vec<String> {
        axe::findings(&self.browser).await
    }

    /// Keeps pictures of the page in target/screenshots: as on the office's computer and as on a telephone.
    pub async fn keep(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        for (kind, screen) in [("phone", PHONE), ("desktop", DESKTOP)] {
            self.screen(screen);
            self.not_too_wide(name, kind).await;
            std::fs::write(folder.join(format!("{name}-{kind}.png")), self.picture(screen).await).unwrap();
        }
    }

    /// Fails if the page must be pushed sideways on a telephone or at a computer.
    pub async fn fits(&self, name: &str) {
        let wide = self.too_wide().await;
        assert!(wide.is_empty(), "{name}: {}", wide.join("; "));
    }

    /// On what the page must be pushed sideways, for whoever collects it.
    pub async fn too_wide(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (kind, screen) in [("phone", PHONE), ("desktop", DESKTOP)] {
            self.screen(screen);
            found.extend(self.wider_than(kind).await);
        }
        found
    }

    async fn not_too_wide(&self, name: &str, kind: &str) {
        let wide = self.wider_than(kind).await;
        assert!(wide.is_none(), "{name}: {}", wide.unwrap_or_default());
    }

    async fn wider_than(&self, kind: &str) -> Option<String> {
        let width = if kind == "phone" { PHONE.0 } else { DESKTOP.0 };
        let wide = self.value("document.scrollingElement.scrollWidth").await.as_u64().unwrap_or(0);
        (wide > width.into()).then(|| format!("{wide} pixels wide, on a {kind} of {width}: let the table scroll"))
    }

    /// The page as a PNG, down to its end.
    pub async fn picture(&self, screen: (u32, u32)) -> Vec<u8> {
        use base64::Engine as _;
        self.browser.awaited("Promise.allSettled(document.getAnimations().map((one) => one.finished))").await;
        let height = self.value("document.documentElement.scrollHeight").await.as_u64().unwrap_or(0);
        let clip = json!({"x": 0, "y": 0, "width": screen.0, "scale": 1,
            "height": height.clamp(screen.1.into(), LONGEST)});
        let said = self
            .browser
            .devtools("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": true, "clip": clip}));
        base64::engine::general_purpose::STANDARD.decode(said["value"]["data"].as_str().unwrap()).unwrap()
    }

    /// A screen of another size.
    pub fn screen(&self, (width, height): (u32, u32)) {
        self.browser.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}),
        );
    }

    /// Complaints of the browser that hold these words are meant to be there.
    pub fn forgive(&self, words: &str) {
        self.forgiven.borrow_mut().push(words.to_owned());
    }

    /// Fails if the browser has complained since it was last asked.
    #[track_caller]
    pub fn no_complaints(&self) {
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "the browser complains:\n{}", complaints.join("\n"));
    }

    /// What the browser has complained about since it was last asked.
    pub fn complaints(&self) -> Vec<String> {
        let forgiven = self.forgiven.borrow();
        let mut complaints = self.browser.complaints();
        complaints.retain(|line| !expected(line) && !forgiven.iter().any(|words| line.contains(words)));
        complaints
    }

    async fn field(&self, label: &str) -> Element {
        self.find("field", label).await
    }

    async fn find(&self, kind: &str, words: &str) -> Element {
        const SCRIPT: &str = concat!("const [kind, words] = arguments;\n", include_str!("find.js"));
        let patience = deadline();
        loop {
            if let Some(found) = self.browser.element(SCRIPT, vec![json!(kind), json!(words)]).await {
                return found;
            }
            let what = if kind == "field" { "no field" } else { "nothing to press" };
            if std::time::Instant::now() > patience {
                panic!("{what} “{words}” at {}:\n{}", self.here().await, self.browser.text().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.no_complaints();
        }
    }
}

/// Chromium reports every answer of 400 and more; pages that refuse something are meant to. Missing parts of a page and
/// servers that fail are not.
fn expected(line: &str) -> bool {
    line.split_once(" - Failed to load resource: the server responded with a status of 4")
        .is_some_and(|(address, _)| !address.contains("/assets/"))
}
