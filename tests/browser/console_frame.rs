//! The frame of the console, in a browser; and that the harness finds what people read.

use crate::desk::{Office, run};

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
