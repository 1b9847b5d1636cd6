//! First page, partners, statistics, audit, in a browser.

use crate::desk::{Office, run};

#[test]
fn the_first_page_says_what_waits() {
    run(async {
        let office = Office::new().await;
        for (name, page) in
            [("admin", office.admin().await), ("unit", office.unit().await), ("oversight", office.oversight().await)]
        {
            page.goto("/home").await;
            page.shows(&["首页"]).await;
            page.axe(&format!("home of {name}")).await;
            page.keep(&format!("oversight-home-{name}")).await;
        }
    });
}

#[test]
fn an_agreement_is_made_and_the_second_to_renew_it_is_told() {
    run(async {
        let office = Office::new().await;
        let page = office.clerk().await;
        page.goto("/partners").await;
        page.shows(&["合作单位"]).await;
        page.axe("partners").await;
        page.keep("oversight-partners").await;
        page.goto("/partners/new").await;
        page.axe("new partner").await;
        page.keep("oversight-partner-new").await;
        let partner = office.federation.partners(true).await.unwrap().remove(0).id;
        page.goto(&format!("/partners/{partner}")).await;
        page.axe("partner").await;
        page.keep("oversight-partner").await;
        let other = office.admin().await;
        let renew = format!("/partners/{partner}/renew");
        page.goto(&renew).await;
        other.goto(&renew).await;
        page.axe("renew").await;
        page.keep("oversight-renew").await;
        for (who, number, to) in
            [(&page, "普志联〔2027〕续1号", "2031-12-31"), (&other, "普志联〔2027〕续2号", "2032-12-31")]
        {
            who.fill("新协议编号", number).await;
            who.fill("新的截止日期", to).await;
            who.click("续签").await;
        }
        page.shows(&["普志联〔2027〕续1号", "2031-12-31"]).await;
        other.shows(&["普志联〔2027〕续1号", "改动"]).await;
        assert_eq!(other.filled("新协议编号").await, "普志联〔2027〕续2号", "what she typed is kept");
        other.axe("renewed by another").await;
        other.keep("oversight-renew-conflict").await;
    });
}

#[test]
fn figures_and_the_printed_report() {
    run(async {
        let office = Office::new().await;
        let page = office.oversight().await;
        page.goto("/statistics").await;
        page.shows(&["统计督查", "数据时间"]).await;
        page.axe("statistics").await;
        page.keep("oversight-statistics").await;
        page.goto("/statistics/report").await;
        page.axe("report").await;
        page.keep("oversight-report").await;
    });
}

#[test]
fn the_trail_is_searched_and_its_chain_checked() {
    run(async {
        let office = Office::new().await;
        let page = office.admin().await;
        page.goto("/audit").await;
        page.shows(&["审计"]).await;
        page.axe("audit").await;
        page.keep("oversight-audit").await;
        page.fill("记下的序号", "1").await;
        page.fill("记下的摘要（至少前 16 位）", "0000000000000000").await;
        page.click("比对").await;
        page.shows(&["不一致"]).await;
        page.axe("compared").await;
        page.keep("oversight-audit-compared").await;
        page.goto("/audit").await;
        page.click("从头核对审计链").await;
        page.shows(&["完整"]).await;
        page.axe("checked").await;
        page.keep("oversight-audit-checked").await;
    });
}
