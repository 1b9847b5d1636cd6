//! The frame of the console, in a browser; and that the harness finds what people read.

use crate::desk::{Office, Page, run};

/// A form as the console makes them, and what it must not take for the same.
const FORM: &str = "<!doctype html><main><form>\
    <label for=a>姓名<span>*</span></label><input id=a aria-describedby='h e' aria-invalid=true>\
    <p class=help id=h>姓名不含空格</p><p class=error id=e>请填写姓名</p>\
    <label for=b>出生日期</label><input id=b type=date>\
    <label for=c>性别</label><select id=c><option value=''>请选择<option value=1>男<option value=2>女</select>\
    <label><input type=checkbox name=d>法律宣传</label>\
    <label for=f>名册文件</label><input id=f type=file>\
    <button type=button onclick=\"document.querySelector('output').textContent = 'saved ' + document.getElementById('a').value\">保存</button>\
    <button type=button hidden>保存</button><button type=button>保存并提交</button><output></output></form></main>";

#[test]
fn the_harness_finds_what_people_read() {
    run(async {
        let office = Office::new().await;
        assert_eq!(office.numbers.len(), 12);
        let page = office.stranger().await;
        page.browser.open(&format!("data:text/html;charset=utf-8,{}", FORM.replace('#', "%23"))).await;
        assert_eq!(page.error_of("姓名").await, "请填写姓名");
        page.fill("姓名", "王秀英").await;
        page.fill("出生日期", "1990-05-17").await;
        page.choose("性别", "女").await;
        page.tick("法律宣传").await;
        page.upload("名册文件", &office.path("zyz.toml")).await;
        page.click("保存").await;
        page.shows(&["saved 王秀英"]).await;
        page.hides(&["saved 李建国"]).await;
        assert_eq!(page.filled("出生日期").await, "1990-05-17");
        assert_eq!(page.filled("性别").await, "2");
        assert_eq!(page.value("document.querySelector('[name=d]').checked").await, true);
        assert_eq!(page.value("document.getElementById('f').files[0].name").await, "zyz.toml");
    });
}

/// What has the focus: what it says, and whether one sees that it has it.
const FOCUS: &str = "(() => { const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e); \
    const name = e.labels?.[0]?.innerText || e.getAttribute('aria-label') || e.innerText; \
    const seen = style.outlineStyle !== 'none' && box.width > 1 && box.height > 1 && box.left >= 0 && box.top >= 0 \
      && box.top < innerHeight; \
    return [(name ?? '').trim().replace(/\\s*\\*$/, ''), seen]; })()";

/// Presses Tab so often; returns what had the focus, and fails if one could not see it.
async fn tab(page: &Page, times: usize) -> Vec<String> {
    let mut stops = Vec::new();
    for _ in 0..times {
        page.types("\u{E004}");
        let focus = page.value(FOCUS).await;
        let name = focus[0].as_str().unwrap_or_default().to_owned();
        assert_eq!(focus[1], true, "one does not see that “{name}” has the focus at {}", page.here().await);
        stops.push(name);
    }
    stops
}

#[test]
fn the_keyboard_alone_is_enough() {
    run(async {
        let office = Office::new().await;
        // Signing in: the first field has the caret, and Enter sends.
        let stranger = office.stranger().await;
        stranger.goto("/sign-in").await;
        assert_eq!(stranger.value("document.activeElement.name").await, "login");
        assert_eq!(tab(&stranger, 2).await, ["密码", "登录"]);

        // A list: past the navigation in one step, to the search with one key, from there to the person.
        let page = office.clerk().await;
        page.goto("/people").await;
        assert_eq!(tab(&page, 1).await, ["跳到正文"]);
        page.types("\u{E007}");
        assert_eq!(page.value("document.activeElement.id").await, "main");
        assert!(!tab(&page, 1).await[0].contains("首页"), "the navigation is skipped");
        page.types("\u{E00C}");
        page.value("document.activeElement.blur()").await;
        page.types("/");
        page.browser.until("document.activeElement.id === 'f-q'").await;
        assert_eq!(page.filled("查找志愿者").await, "", "the key is not typed into the field");
        page.types("李建国\u{E007}");
        page.shows(&["查找结果", "02 0000001 6"]).await;

        // A form, and what asks before it cannot be undone: first the fields, then what does it, then the way out.
        let path = format!("/people/{}/suspend", office.numbers[0]);
        page.goto(&path).await;
        page.shows(&["暂停"]).await;
        page.value("document.getElementById('main').focus()").await;
        let stops = tab(&page, 5).await;
        let place = |word: &str| {
            stops.iter().position(|stop| stop.contains(word)).unwrap_or_else(|| panic!("{word} is not in {stops:?}"))
        };
        assert!(place("原因") < place("暂停使用") && place("暂停使用") < place("返回"), "{stops:?}");
        // Every stop of a whole page can be seen.
        page.goto("/forms/new").await;
        page.value("document.getElementById('main').focus()").await;
        let stops = tab(&page, 30).await;
        let place = |word: &str| stops.iter().position(|stop| stop == word);
        assert!(place("姓名").is_some() && place("姓名") < place("身份证号"), "{stops:?}");
    });
}
