//! Making cards, in a browser.

use crate::desk::{COUNTY_UNIT, Office, Page, TOWN_UNIT, run};

#[test]
fn cards_are_chosen_signed_printed_and_handed_out() {
    run(async {
        let mut office = Office::new().await;
        let page = office.admin().await;
        page.goto("/cards").await;
        page.shows(&["从未制证", "已签发未打印", "还没有任务"]).await;
        page.axe("cards").await;
        page.keep("cards-home").await;

        page.goto("/cards/choose").await;
        page.choose("哪些人", "从未制证").await;
        page.fill("单位", TOWN_UNIT).await;
        page.click("筛选").await;
        page.shows(&["3 人", "核对名单，准备签发"]).await;
        page.axe("cards-choose").await;
        page.keep("cards-choose").await;
        page.click("核对名单，准备签发").await;
        page.shows(&["核对名单", TOWN_UNIT, "印出来的样子"]).await;
        drawn(&page).await;
        page.axe("cards-list").await;
        page.keep("cards-list").await;
        page.fill("核对无误后，请填写名单人数", "3").await;
        page.click("签发 3 张证").await;
        page.shows(&["可以关闭浏览器", "任务"]).await;
        drop(page);

        // The browser is closed; the server is killed and comes back; another browser finds it done.
        let page = office.admin().await;
        page.goto("/cards/jobs").await;
        page.shows(&["签发"]).await;
        page.click("1").await;
        page.shows(&["已完成", "3 张", "打印这批证"]).await;
        office.restart();
        page.goto("/cards/jobs/1").await;
        page.axe("cards-job").await;
        page.keep("cards-job-issued").await;
        page.click("打印这批证").await;
        page.shows(&["制作 3 张证的打印文件"]).await;
        page.choose("版式", "每页 10 张").await;
        page.keep("cards-list-print").await;
        page.click("制作 3 张证的打印文件").await;
        page.shows(&["打印文件", "下载全部"]).await;
        page.axe("cards-job-files").await;
        page.keep("cards-job-files").await;
        page.click("第 1 个文件.pdf").await;
        let (name, bytes) = page.downloaded().await;
        assert!(name.contains("志愿服务证") && bytes.starts_with(b"%PDF-"), "{name}");
        page.click("下载全部").await;
        let (name, bytes) = page.downloaded().await;
        assert!(name.ends_with(".zip") && bytes.starts_with(b"PK"), "{name}");

        page.click("登记发放").await;
        page.shows(&["已打印未发放"]).await;
        page.tick("全选本页").await;
        page.fill("领取人", "王主任").await;
        page.axe("cards-handout").await;
        page.keep("cards-handout").await;
        page.click("登记发放").await;
        page.shows(&["已登记发放"]).await;
        page.goto("/cards/handout/done").await;
        page.shows(&["王主任", "撤销"]).await;
        page.axe("cards-handed-out").await;
        page.keep("cards-handed-out").await;
        page.click("撤销").await;
        page.shows(&["回到“未发放”"]).await;
        page.axe("cards-undo").await;
        page.keep("cards-undo").await;
    });
}

#[test]
fn signing_for_the_wrong_unit_is_stopped_by_the_page_that_counts() {
    run(async {
        let office = Office::new().await;
        let page = office.clerk().await;
        // Meant are the three of the town; chosen was the county's unit.
        page.goto("/cards/choose?kind=new").await;
        page.fill("单位", COUNTY_UNIT).await;
        page.click("筛选").await;
        page.shows(&["2 人"]).await;
        page.click("核对名单，准备签发").await;
        page.shows(&["各单位人数", COUNTY_UNIT]).await;
        page.hides(&[TOWN_UNIT]).await;
        page.fill("核对无误后，请填写名单人数", "3").await;
        page.click("签发 2 张证").await;
        page.shows(&["与您填写的不同"]).await;
        assert!(page.error_of("核对无误后，请填写名单人数").await.contains("名单上是 2 人"));
        page.axe("cards-wrong-unit").await;
        page.keep("cards-wrong-unit").await;
        page.goto("/cards/jobs").await;
        page.shows(&["没有任务"]).await;
    });
}

#[test]
fn photos_are_checked_row_by_row_and_seen_on_the_card() {
    run(async {
        let office = Office::new().await;
        let page = office.unit().await;
        let number = &office.numbers[0];
        let file = office.path(&format!("{number}.jpg"));
        let face = image::RgbImage::from_fn(300, 400, |x, y| image::Rgb([(x / 2) as u8, (y / 2) as u8, 140]));
        face.save(&file).unwrap();
        page.goto("/cards/photos").await;
        page.axe("cards-photos").await;
        page.keep("cards-photos").await;
        page.upload("照片或 .zip 压缩包", &file).await;
        page.upload("照片或 .zip 压缩包", &office.path("zyz.toml")).await;
        page.click("上传并核对").await;
        page.shows(&["可用 1 张", "没有十位证书编号"]).await;
        drawn(&page).await;
        page.axe("cards-photo-preview").await;
        page.keep("cards-photo-preview").await;
        page.click("保存 1 张照片").await;
        page.shows(&["已保存 1 张照片"]).await;
        page.goto(&format!("/cards/of/{number}")).await;
        page.shows(&["制证记录", "换一张照片"]).await;
        drawn(&page).await;
        page.axe("cards-person").await;
        page.keep("cards-person").await;
    });
}

/// Waits until every picture in view is there, and fails if one is broken.
async fn drawn(page: &Page) {
    let done = "[...document.images].filter((one) => one.loading !== 'lazy' || one.getBoundingClientRect().top < \
                innerHeight).every((one) => one.complete)";
    page.browser.until(done).await;
    let broken = page.value("[...document.images].filter((one) => one.complete && !one.naturalWidth).length").await;
    assert_eq!(broken, 0, "a picture is broken");
}
