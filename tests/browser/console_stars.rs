//! Stars, in a browser.

use zyz::domain::staff::{Role, Scope};

use crate::desk::{Office, run};

#[test]
fn a_year_is_drafted_and_announced_and_not_confirmed_early() {
    run(async {
        let office = Office::new().await;
        let admin = office.admin().await;
        admin.goto("/stars/what-if").await;
        for (label, hours) in [("一星（小时）", "1"), ("二星", "2"), ("三星", "300"), ("四星", "900"), ("五星", "1500")]
        {
            admin.fill(label, hours).await;
        }
        admin.click("开始试算").await;
        admin.shows(&["全市"]).await;
        admin.axe("stars-what-if").await;
        admin.keep("stars-what-if").await;
        admin.goto("/stars/policies").await;
        admin.axe("stars-policies").await;
        admin.keep("stars-policies").await;
        admin.goto("/stars/policies/new").await;
        admin.axe("stars-policy").await;
        // A rule from today on, so that the sample's few hours make a star.
        let today = zyz::clock::beijing_date(office.federation.now()).to_string();
        admin.fill("施行日期", &today).await;
        for (label, hours) in [("一星（小时）", "1"), ("二星", "2"), ("三星", "300"), ("四星", "900"), ("五星", "1500")]
        {
            admin.fill(label, hours).await;
        }
        admin.keep("stars-policy").await;
        admin.click("添加规则").await;
        admin.shows(&["已添加规则"]).await;

        let clerk = office.clerk().await;
        clerk.goto("/stars").await;
        clerk.axe("stars").await;
        clerk.click("起草这一年的批次").await;
        clerk.shows(&["草案已生成并固定", "全市"]).await;
        clerk.axe("stars-batch").await;
        clerk.keep("stars-batch").await;
        clerk.fits("stars-batch").await;
        let batch = clerk.here().await;
        clerk.goto(&format!("{batch}/notice")).await;
        clerk.shows(&["公示名单", "**"]).await;
        clerk.axe("stars-notice").await;
        clerk.keep("stars-notice").await;
        clerk.goto(&format!("{batch}/announce")).await;
        clerk.axe("stars-announce").await;
        clerk.keep("stars-announce").await;
        clerk.click("开始公示").await;
        clerk.shows(&["公示中"]).await;

        // The worst mistake: certified before anybody could object, or by whoever drafted.
        clerk.goto(&format!("{batch}/confirm")).await;
        clerk.shows(&["没有权限"]).await;
        let oversight = office.browser(Role::Oversight, Scope::All).await;
        oversight.goto(&format!("{batch}/confirm")).await;
        oversight.shows(&["公示还没有期满"]).await;
        oversight.axe("stars-confirm").await;
        oversight.keep("stars-confirm").await;
        clerk.goto(&format!("{batch}/drop")).await;
        clerk.axe("stars-drop").await;
        clerk.keep("stars-drop").await;
        clerk.fill("作废原因", "漏录时长").await;
        clerk.click("作废批次").await;
        clerk.shows(&["没有人的星级改变"]).await;
        clerk.keep("stars-list").await;
    });
}
