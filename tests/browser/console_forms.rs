//! Registration forms (附件1), in a browser.

use jiff::civil::date;

use crate::desk::{Office, Page, TOWN_UNIT, run};
use crate::support::sheets::{identity, people};

/// Fills in what a form of an adult needs, the number first: it fills in birth date and sex.
async fn fill_in(page: &Page, name: &str, number: &str) {
    page.fill("姓名", name).await;
    page.fill("身份证号", number).await;
    page.fill("职务", "科员").await;
    page.shows(&["按号码：男"]).await;
    page.choose("民族", "傣族").await;
    page.choose("政治面貌", "中共党员").await;
    page.choose("学历", "本科").await;
    page.fill("毕业学校", "云南大学").await;
    page.fill("工作（学习）单位", TOWN_UNIT).await;
    page.choose("工作单位性质", "事业单位和国有企业").await;
    page.fill("移动电话", "13800000001").await;
    page.fill("通讯地址", "思茅区茶城大道 1 号").await;
    page.fill("个人简历", "2012 年至今在文化馆工作。").await;
    page.tick("法律宣传").await;
    page.tick("“五老”服务").await;
}

#[test]
fn a_unit_fills_in_the_federation_approves_and_it_is_printed() {
    run(async {
        let office = Office::new().await;
        let unit = office.unit().await;
        unit.goto("/forms").await;
        unit.shows(&["这里没有登记表"]).await;
        unit.axe("forms-empty").await;
        unit.keep("forms-empty").await;
        unit.click("新登记表").await;
        unit.shows(&["普洱市个人志愿者注册登记表"]).await;
        unit.axe("forms-new").await;
        let number = identity(date(1990, 5, 1), 301, true);
        fill_in(&unit, "岩温扁", &number).await;
        assert_eq!(unit.filled("出生日期").await, "1990-05-01");
        assert_eq!(unit.filled("性别").await, "男");
        unit.click("保存草稿").await;
        unit.shows(&["草稿已保存"]).await;
        unit.keep("forms-edit").await;
        unit.axe("forms-edit").await;
        unit.click("检查并提交").await;
        unit.shows(&["提交岩温扁的登记表？", "市志愿服务联合会"]).await;
        unit.axe("forms-submit").await;
        unit.keep("forms-submit").await;
        unit.click("确认提交").await;
        unit.shows(&["登记表已提交", "530*************"]).await;
        unit.hides(&[&number]).await;

        let clerk = office.clerk().await;
        clerk.goto("/forms").await;
        clerk.shows(&["待我审批 1", "岩温扁"]).await;
        clerk.axe("forms-queue").await;
        clerk.keep("forms-queue").await;
        clerk.click("岩温扁").await;
        clerk.shows(&["退回更正"]).await;
        clerk.axe("forms-show").await;
        clerk.keep("forms-show").await;
        clerk.fill("查看身份证号", "与纸质登记表核对").await;
        clerk.click("查看完整内容").await;
        clerk.shows(&[&number, "已记入审计"]).await;
        clerk.click("审批通过").await;
        clerk.shows(&["审批通过岩温扁的登记表？"]).await;
        clerk.axe("forms-approve").await;
        clerk.keep("forms-approve").await;
        clerk.click("通过并注册").await;
        clerk.shows(&["已审批通过并注册，证书编号 02", "两份登记表的存放"]).await;
        clerk.fill("存放地点和盒号", "档案室 3 柜 12 号盒").await;
        clerk.click("登记存放地点").await;
        clerk.shows(&["档案室 3 柜 12 号盒", "存放地点已登记"]).await;
        clerk.axe("forms-approved").await;
        clerk.keep("forms-approved").await;
        clerk.click("打印附件1").await;
        let (name, pdf) = clerk.downloaded().await;
        assert!(name.ends_with(".pdf") && pdf.starts_with(b"%PDF"), "{name}");

        let people = office.federation.volunteers(&Default::default()).await.unwrap();
        assert!(people.iter().any(|person| person.name == "岩温扁" && person.unit == TOWN_UNIT));
    });
}

#[test]
fn a_wrong_number_a_child_and_somebody_known_are_told_while_typing() {
    run(async {
        let office = Office::new().await;
        let unit = office.unit().await;
        unit.goto("/forms/new").await;
        let told = async |number: &str, words: &str| {
            unit.fill("身份证号", number).await;
            unit.types("\u{E004}");
            unit.shows(&[words]).await;
        };
        told("530802199001010019", "校验码不符：请对照证件检查是否录错").await;
        told(&identity(date(2020, 1, 1), 302, true), "未满 14 周岁").await;
        told(&people(1)[0].identity, "此人已是注册志愿者，证书编号").await;
        told(&identity(date(2011, 1, 1), 302, true), "此人未满 18 周岁，须填写监护人的同意").await;
        assert_eq!(unit.filled("出生日期").await, "2011-01-01", "filled in anew with the number");
        unit.click("检查并提交").await;
        unit.shows(&["处需要更正"]).await;
        assert!(unit.error_of("监护人姓名").await.contains("须监护人同意"));
        assert!(unit.error_of("移动电话").await.contains("未填写"));
        unit.axe("forms-wrong").await;
        unit.keep("forms-wrong").await;
    });
}

#[test]
fn the_second_to_save_sees_what_the_first_did() {
    run(async {
        let office = Office::new().await;
        let (first, second) = (office.unit().await, office.unit().await);
        first.goto("/forms/new").await;
        first.fill("姓名", "玉波罕").await;
        first.click("保存草稿").await;
        first.shows(&["草稿已保存"]).await;
        let here = first.here().await;
        second.goto(&here).await;
        second.fill("毕业学校", "普洱三中").await;
        first.fill("毕业学校", "普洱二中").await;
        first.click("保存草稿").await;
        first.shows(&["草稿已保存"]).await;
        second.click("保存草稿").await;
        second.shows(&["已经改过这份登记表", "普洱二中", "普洱三中"]).await;
        assert_eq!(second.filled("毕业学校").await, "普洱三中");
        second.axe("forms-conflict").await;
        second.keep("forms-conflict").await;
        second.click("以我填的为准保存").await;
        second.shows(&["草稿已保存"]).await;
    });
}

#[test]
fn many_are_approved_from_the_queue() {
    run(async {
        let office = Office::new().await;
        let unit = office.unit().await;
        for (name, serial) in [("岩温扁", 303), ("岩罕", 304)] {
            unit.goto("/forms/new").await;
            fill_in(&unit, name, &identity(date(1990, 5, 1), serial, true)).await;
            unit.click("检查并提交").await;
            unit.shows(&["确认提交"]).await;
            unit.click("确认提交").await;
            unit.shows(&["登记表已提交"]).await;
        }
        let clerk = office.clerk().await;
        clerk.goto("/forms?queue=mine").await;
        clerk.tick("全选本页").await;
        clerk.click("审批所选").await;
        clerk.shows(&["审批通过 2 份登记表？"]).await;
        clerk.axe("forms-choose").await;
        clerk.keep("forms-choose").await;
        clerk.click("全部通过并注册").await;
        clerk.shows(&["审批结果：2 份通过", "已注册"]).await;
        clerk.axe("forms-result").await;
        clerk.keep("forms-result").await;
    });
}
