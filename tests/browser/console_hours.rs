//! Service records, in a browser.

use crate::desk::{Office, run};

#[test]
fn one_activity_for_many_people_and_never_twice() {
    run(async {
        let office = Office::new().await;
        let page = office.unit().await;
        page.goto("/hours").await;
        page.axe("hours").await;
        page.click("批量录入").await;
        page.fill("活动名称", "周五环境集中整治日").await;
        page.fill("服务日期", "2026-11-20").await;
        page.fill("开始时间", "08:30").await;
        page.fill("结束时间", "11:30").await;
        page.fill("地点", "洗马湖公园").await;
        page.fill("活动负责人", "岩温扁").await;
        page.fill("服务内容", "清扫洗马湖步道").await;
        // The worst slip first: the end before the start, nobody ticked. What was typed stays.
        page.fill("结束时间", "08:00").await;
        page.click("下一步：检查").await;
        page.shows(&["还没有选择志愿者"]).await;
        assert!(page.error_of("结束时间").await.contains("不晚于开始时间"));
        assert_eq!(page.filled("活动名称").await, "周五环境集中整治日");
        page.axe("hours-enter-wrong").await;
        page.keep("hours-enter-wrong").await;
        page.fill("结束时间", "11:30").await;
        page.tick("勾选名单中的全部志愿者").await;
        page.keep("hours-enter").await;
        page.click("下一步：检查").await;
        page.shows(&["星期五", "确认录入", "可录入"]).await;
        page.axe("hours-check").await;
        page.keep("hours-check").await;
        page.fits("hours-check").await;
        page.click("返回修改").await;
        page.shows(&["参加的志愿者"]).await;
        page.click("下一步：检查").await;
        page.click("确认录入").await;
        page.shows(&["已录入", "整批作废"]).await;
        page.axe("hours-entry").await;
        page.keep("hours-entry").await;

        // The same once more: refused row by row, nothing written.
        page.goto("/hours/enter").await;
        page.fill("活动名称", "周五环境集中整治日").await;
        page.fill("服务日期", "2026-11-20").await;
        page.fill("小时数", "3").await;
        page.fill("地点", "洗马湖公园").await;
        page.fill("活动负责人", "岩温扁").await;
        page.fill("服务内容", "清扫洗马湖步道").await;
        page.tick("勾选名单中的全部志愿者").await;
        page.click("下一步：检查").await;
        page.shows(&["请勿重复录入", "有问题，还不能录入"]).await;
        page.keep("hours-twice").await;
        page.goto("/hours").await;
        page.shows(&["清扫洗马湖步道"]).await;
        page.keep("hours-list").await;
        page.fits("hours-list").await;
        for (path, name) in [
            ("/hours/pending", "hours-pending"),
            ("/hours/entries", "hours-entries"),
            ("/hours/disputes", "hours-disputes"),
            ("/hours/book", "hours-book"),
            ("/hours/import", "hours-import"),
        ] {
            page.goto(path).await;
            page.axe(name).await;
            page.keep(name).await;
            page.fits(name).await;
        }

        // Searched; nothing found is not nothing there, and what was typed stays.
        page.goto("/hours/entries").await;
        page.fill("单位、活动或文件、录入人", "环境集中").await;
        page.click("查找").await;
        page.shows(&["清除条件", "周五环境集中整治日"]).await;
        page.fill("单位、活动或文件、录入人", "没有的活动").await;
        page.click("查找").await;
        page.shows(&["没有符合条件的录入批次"]).await;
        assert_eq!(page.filled("单位、活动或文件、录入人").await, "没有的活动");
        page.axe("hours-entries-none").await;
        page.keep("hours-entries-none").await;
        page.fits("hours-entries-none").await;
        page.click("清除条件").await;
        page.shows(&["周五环境集中整治日"]).await;
    });
}

#[test]
fn an_objection_is_noted_and_decided() {
    run(async {
        let office = Office::new().await;
        let unit = office.unit().await;
        let person = format!("/hours/people/{}", office.numbers[0]);
        unit.goto("/hours/enter").await;
        unit.fill("活动名称", "周六志愿服务日").await;
        unit.fill("服务日期", "2026-11-21").await;
        unit.fill("小时数", "2").await;
        unit.fill("地点", "北部区").await;
        unit.fill("活动负责人", "玉波罕").await;
        unit.fill("服务内容", "交通劝导").await;
        unit.tick("勾选名单中的全部志愿者").await;
        unit.click("下一步：检查").await;
        unit.click("确认录入").await;
        unit.shows(&["已录入"]).await;
        unit.goto(&person).await;
        unit.axe("hours-person").await;
        unit.keep("hours-person").await;
        unit.click("2026-11-21").await;
        unit.fill("志愿者认为", "实际服务 3 小时").await;
        unit.click("登记异议").await;
        unit.shows(&["有异议", "实际服务 3 小时"]).await;
        unit.axe("hours-record").await;
        unit.keep("hours-record").await;

        let clerk = office.clerk().await;
        clerk.goto("/hours/disputes").await;
        clerk.shows(&["实际服务 3 小时"]).await;
        clerk.fill("单位、志愿者姓名或证书编号", &office.numbers[1]).await;
        clerk.click("查找").await;
        clerk.shows(&["没有符合条件的异议"]).await;
        clerk.fill("单位、志愿者姓名或证书编号", &office.numbers[0]).await;
        clerk.click("查找").await;
        clerk.shows(&["清除条件", "实际服务 3 小时"]).await;
        assert!(!clerk.here().await.contains(&office.numbers[0]), "a number is nobody's address");
        clerk.axe("hours-disputes-found").await;
        clerk.keep("hours-disputes-found").await;
        clerk.fits("hours-disputes-found").await;
        clerk.browser.open(&format!("http://127.0.0.1:{}/console/hours/disputes/1", office.port)).await;
        clerk.axe("hours-dispute").await;
        clerk.keep("hours-dispute").await;
        clerk.click("不予支持：记录不变").await;
        assert_eq!(clerk.error_of("核实情况和处理理由").await, "请写明原因");
        clerk.fill("核实情况和处理理由", "签到表为 2 小时").await;
        clerk.click("不予支持：记录不变").await;
        clerk.shows(&["不予支持", "签到表为 2 小时"]).await;
    });
}
