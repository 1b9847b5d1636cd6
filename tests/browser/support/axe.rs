//! axe-core, somebody else's accessibility checker, put into the screen that is shown.

use serde_json::{Value, json};

use super::browser::Browser;

/// Runs axe-core on the screen in light and in dark; serious and critical findings fail the test.
pub async fn examine(browser: &Browser, screen: &str) {
    let wrong = findings(browser).await;
    assert!(wrong.is_empty(), "{screen}: {}", wrong.join("\n"));
}

/// What axe-core finds serious or critical on the screen, in light and in dark.
pub async fn findings(browser: &Browser) -> Vec<String> {
    let file = std::env::var("ZYZ_AXE").expect("ZYZ_AXE names axe.min.js: run scripts/browser");
    let axe = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut wrong = Vec::new();
    for scheme in ["light", "dark"] {
        browser.prefers(scheme);
        // Through the debugger, which the page's Content-Security-Policy does not bind; the page's own world stays free of it.
        browser.devtools("Runtime.evaluate", json!({"expression": format!("globalThis.axe || (() => {{ {axe} }})()")}));
        // Colours must have come to rest, or contrast is that of a half-faded screen.
        let said = browser.devtools(
            "Runtime.evaluate",
            json!({"awaitPromise": true, "returnByValue": true, "expression": "(async () => {
                await Promise.allSettled(document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity).map((one) => one.finished));
                const found = await axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']});
                return JSON.stringify({checked: found.passes.length, violations: found.violations.map((one) => ({
                    id: one.id, impact: one.impact, help: one.help,
                    nodes: one.nodes.map((node) => node.html + ' :: ' + node.failureSummary)}))});
            })()"}),
        );
        let text = said["value"]["result"]["value"].as_str().unwrap_or_else(|| panic!("axe did not run: {said}"));
        let found: Value = serde_json::from_str(text).unwrap();
        assert!(found["checked"].as_u64() > Some(0), "axe examined nothing: {found}");
        for one in found["violations"].as_array().unwrap() {
            if matches!(one["impact"].as_str(), Some("serious" | "critical")) {
                wrong.push(format!("{scheme}: {one:#}"));
            }
        }
    }
    browser.prefers("light");
    wrong
}
