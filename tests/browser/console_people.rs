//! Volunteers, in a browser.

use crate::desk::{Office, TOWN_UNIT, run};

#[test]
fn somebody_is_found_and_seen() {
    run(async {
        let office = Office::new().await;
        let page = office.clerk().await;
        page.goto("/people").await;
        page.shows(&["12 人", TOWN_UNIT]).await;
        page.axe("people list").await;
        page.keep("people-list").await;
        page.choose("志愿服务证", "没有可用的证").await;
        page.click("筛选").await;
        page.axe("people list narrowed").await;
        page.keep("people-list-narrowed").await;
        let number = &office.numbers[1];
        page.fill("查找志愿者", &format!("{} {}", &number[..2], &number[2..])).await;
        page.click("查找").await;
        page.shows(&["今年服务", "志愿服务证", "经历"]).await;
        assert!(page.here().await.ends_with(&format!("/people/{number}")));
        page.axe("person").await;
        page.keep("people-person").await;
        page.goto("/people").await;
        page.fill("查找志愿者", "欧阳").await;
        page.click("查找").await;
        page.shows(&["没有找到"]).await;
        page.axe("nothing found").await;
        page.keep("people-nothing-found").await;
        page.fill("查找志愿者", "李").await;
        page.click("查找").await;
        page.shows(&["按姓名或单位查找"]).await;
        page.axe("found").await;
        page.keep("people-found").await;
    });
}

#[test]
fn a_number_is_revealed_for_a_reason_only() {
    run(async {
        let office = Office::new().await;
        let page = office.unit().await;
        page.goto(&format!("/people/{}", office.numbers[0])).await;
        page.click("查看身份证号、电话").await;
        page.fill("原因", "电话 19900000001").await;
        page.click("查看").await;
        assert!(page.error_of("原因").await.contains("不要写"));
        page.axe("reveal").await;
        page.keep("people-reveal").await;
        page.fill("原因", "电话通知领证").await;
        page.click("查看").await;
        page.shows(&["已记入审计", "电话通知领证"]).await;
        page.axe("revealed").await;
        page.keep("people-revealed").await;
    });
}

#[test]
fn the_second_of_two_corrections_is_told() {
    run(async {
        let office = Office::new().await;
        let (first, second) = (office.clerk().await, office.unit().await);
        let path = format!("/people/{}/edit", office.numbers[0]);
        first.goto(&path).await;
        second.goto(&path).await;
        first.fill("姓名", "岩温扁").await;
        first.fill("更正原因", "登记表录入有误").await;
        first.click("保存更正").await;
        first.shows(&["已更正：姓名", "换发新证"]).await;
        first.keep("people-corrected").await;
        second.fill("姓名", "岩温明").await;
        second.fill("用户名（全国系统）", "用户").await;
        second.fill("更正原因", "登记表录入有误").await;
        second.click("保存更正").await;
        second.shows(&["已经改动过", "姓名现为：岩温扁"]).await;
        assert_eq!(second.filled("姓名").await, "岩温明");
        second.axe("conflict").await;
        second.keep("people-conflict").await;
        second.click("保存更正").await;
        assert!(second.error_of("用户名（全国系统）").await.contains("字母和数字"));
        second.axe("edit with errors").await;
        second.keep("people-edit").await;
    });
}

#[test]
fn the_wrong_person_does_not_leave() {
    run(async {
        let office = Office::new().await;
        let page = office.unit().await;
        let number = &office.numbers[2];
        let person =
            office.federation.volunteer(zyz_credential::CertificateNumber::parse(number).unwrap()).await.unwrap();
        page.goto(&format!("/people/{number}")).await;
        page.click("办理退出").await;
        page.shows(&["请先核对就是此人", &person.name, &person.birth_date, "立即删除"]).await;
        page.axe("exit").await;
        page.keep("people-exit").await;
        page.fill("依据", "本人书面申请").await;
        page.fill("请输入要退出的人的姓名", "别人的名").await;
        page.click("办理退出").await;
        assert!(page.error_of("请输入要退出的人的姓名").await.contains(&person.name));
        page.keep("people-exit-stopped").await;
        page.fill("请输入要退出的人的姓名", &person.name).await;
        page.click("办理退出").await;
        page.shows(&["已办理退出", "合作单位将看到", "已退出"]).await;
        page.axe("exited").await;
        page.keep("people-exited").await;
        page.click("退出凭证（PDF）").await;
        let (name, bytes) = page.downloaded().await;
        assert!(name.ends_with(".pdf") && bytes.starts_with(b"%PDF"), "{name}");
        std::fs::write("target/screenshots/people-receipt.pdf", bytes).unwrap();
    });
}

#[test]
fn a_card_is_suspended_after_its_page_says_what_happens() {
    run(async {
        let office = Office::new().await;
        let page = office.clerk().await;
        let number = &office.numbers[3];
        page.goto(&format!("/people/{number}")).await;
        page.click("暂停使用").await;
        page.shows(&["将会发生", "不可用：已暂停"]).await;
        page.axe("suspend").await;
        page.keep("people-suspend").await;
        page.fill("原因", "有人反映外借，核查").await;
        page.click("暂停使用").await;
        page.shows(&["的证已暂停", "恢复使用"]).await;
        page.keep("people-suspended").await;
    });
}

#[test]
fn duplicates_are_compared_before_they_are_merged() {
    run(async {
        let office = Office::new().await;
        let page = office.clerk().await;
        let (stays, ends) = (&office.numbers[0], &office.numbers[1]);
        page.goto("/people/duplicates").await;
        page.axe("duplicates").await;
        page.keep("people-duplicates").await;
        page.goto(&format!("/people/{stays}/merge")).await;
        page.fill("另一条登记的证书编号", ends).await;
        page.click("比较两条登记").await;
        page.shows(&["合并不能撤销", "请确认是同一人"]).await;
        page.axe("merge").await;
        page.keep("people-merge").await;
        // The number that stays typed instead of the one that ends: nothing happens.
        page.fill("认定为同一人的依据", "对照身份证原件").await;
        page.fill("请输入将要停用的证书编号", stays).await;
        page.click("合并").await;
        assert!(page.error_of("请输入将要停用的证书编号").await.contains("停用"));
        page.fill("请输入将要停用的证书编号", ends).await;
        page.click("合并").await;
        page.shows(&["已合并", "并入的登记"]).await;
        page.keep("people-merged").await;
    });
}
