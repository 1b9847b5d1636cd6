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

/// A unit's form of somebody with this name and number, handed in. Returns its address.
async fn hand_in(unit: &Page, name: &str, number: &str) -> String {
    unit.goto("/forms/new").await;
    fill_in(unit, name, number).await;
    unit.click("检查并提交").await;
    unit.shows(&["确认提交"]).await;
    unit.click("确认提交").await;
    unit.shows(&["登记表已提交"]).await;
    unit.here().await
}

#[test]
fn a_form_is_returned_with_a_reason_corrected_and_handed_in_again() {
    run(async {
        let office = Office::new().await;
        let (unit, clerk) = (office.unit().await, office.clerk().await);
        let form = hand_in(&unit, "岩温扁", &identity(date(1990, 5, 1), 305, true)).await;
        clerk.goto(&form).await;
        clerk.click("退回更正").await;
        clerk.shows(&["退回岩温扁的登记表？", "可以更正并再次提交"]).await;
        clerk.axe("forms-return").await;
        clerk.keep("forms-return").await;
        // The worst mistake: sent back without a word of what is wrong.
        clerk.value("document.querySelector('main form').noValidate = true").await;
        clerk.click("退回更正").await;
        clerk.shows(&["请写明退回的原因和需要更正的内容"]).await;
        assert!(clerk.error_of("退回原因").await.contains("退回的原因"));
        clerk.axe("forms-return-wrong").await;
        clerk.keep("forms-return-wrong").await;
        clerk.fill("退回原因", "毕业学校请写全称").await;
        clerk.click("退回更正").await;
        clerk.shows(&["已退回", "毕业学校请写全称"]).await;

        unit.goto("/forms?queue=returned").await;
        unit.shows(&["已退回 1", "岩温扁"]).await;
        unit.axe("forms-returned").await;
        unit.keep("forms-returned").await;
        unit.click("岩温扁").await;
        unit.shows(&["毕业学校请写全称"]).await;
        unit.axe("forms-returned-one").await;
        unit.keep("forms-returned-one").await;
        unit.click("继续填写").await;
        unit.shows(&["审批机构退回更正：毕业学校请写全称"]).await;
        unit.axe("forms-correct").await;
        unit.keep("forms-correct").await;
        unit.fill("毕业学校", "云南大学历史与档案学院").await;
        unit.click("检查并提交").await;
        unit.click("确认提交").await;
        unit.shows(&["登记表已提交", "云南大学历史与档案学院"]).await;

        clerk.goto("/forms").await;
        clerk.shows(&["待我审批 1", "岩温扁"]).await;
        clerk.click("岩温扁").await;
        clerk.shows(&["上次退回的原因", "毕业学校请写全称", "云南大学历史与档案学院"]).await;
        clerk.axe("forms-handed-in-again").await;
        clerk.keep("forms-handed-in-again").await;
        clerk.click("审批通过").await;
        clerk.click("通过并注册").await;
        clerk.shows(&["已审批通过并注册，证书编号 02"]).await;
    });
}

#[test]
fn a_form_is_rejected_for_good_and_by_one_person_only() {
    run(async {
        let office = Office::new().await;
        let unit = office.unit().await;
        let (first, second) = (office.clerk().await, office.clerk().await);
        let number = identity(date(1990, 5, 1), 306, true);
        let form = hand_in(&unit, "岩罕", &number).await;
        // The worst mistake: two decide at once, one this way and one the other.
        second.goto(&form).await;
        second.click("审批通过").await;
        second.shows(&["审批通过岩罕的登记表？"]).await;
        first.goto(&form).await;
        first.click("不予通过").await;
        first.shows(&["不予通过岩罕的登记表？", "最终结论", "只是填写有误的，请用“退回更正”"]).await;
        first.axe("forms-reject").await;
        first.keep("forms-reject").await;
        first.fill("不予通过的原因", "本人已在外地注册").await;
        first.click("不予通过").await;
        first.shows(&["不予通过", "本人已在外地注册"]).await;
        first.hides(&["审批通过…"]).await;
        first.axe("forms-rejected").await;
        first.keep("forms-rejected").await;
        second.click("通过并注册").await;
        second.shows(&["不予通过"]).await;
        second.axe("forms-decided-by-another").await;
        second.keep("forms-decided-by-another").await;
        second.click("回到“登记与审批”").await;
        second.shows(&["待我审批 0", "未通过 1"]).await;
        unit.goto(&form).await;
        unit.shows(&["未通过", "本人已在外地注册"]).await;
        unit.hides(&["继续填写", "撤回…"]).await;
        unit.goto(&format!("{form}/edit")).await;
        unit.shows(&["不能再改写"]).await;
        unit.axe("forms-rejected-edit").await;
        unit.keep("forms-rejected-edit").await;
        let people = office.federation.volunteers(&Default::default()).await.unwrap();
        assert!(people.iter().all(|person| person.name != "岩罕"), "nobody was registered");
    });
}

#[test]
fn a_form_is_withdrawn_and_what_it_said_is_gone() {
    run(async {
        let office = Office::new().await;
        let (unit, clerk) = (office.unit().await, office.clerk().await);
        let number = identity(date(1990, 5, 1), 307, true);
        let form = hand_in(&unit, "玉波罕", &number).await;
        clerk.goto(&form).await;
        clerk.click("审批通过").await;
        clerk.shows(&["审批通过玉波罕的登记表？"]).await;
        unit.click("撤回").await;
        unit.shows(&["撤回玉波罕的登记表？", "立即删除，不能恢复"]).await;
        unit.axe("forms-withdraw").await;
        unit.keep("forms-withdraw").await;
        // Second thoughts cost nothing.
        unit.click("不撤回").await;
        unit.shows(&["待审批"]).await;
        unit.click("撤回").await;
        unit.click("撤回并删除内容").await;
        unit.shows(&["已撤回", "填写的内容已删除"]).await;
        unit.hides(&["云南大学", "530*", "继续填写"]).await;
        unit.axe("forms-withdrawn").await;
        unit.keep("forms-withdrawn").await;
        // The worst mistake: the approver's page still stood open.
        clerk.click("通过并注册").await;
        clerk.shows(&["撤回"]).await;
        clerk.axe("forms-withdrawn-meanwhile").await;
        clerk.keep("forms-withdrawn-meanwhile").await;
        let people = office.federation.volunteers(&Default::default()).await.unwrap();
        assert!(people.iter().all(|person| person.name != "玉波罕"), "nobody was registered");
        // The number is free again.
        unit.goto("/forms/new").await;
        unit.fill("身份证号", &number).await;
        unit.types("\u{E004}");
        unit.shows(&["按号码：男"]).await;
        unit.hides(&["不能重复登记"]).await;
    });
}
