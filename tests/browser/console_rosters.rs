//! Units and rosters (附件2, 附件3), in a browser.

use zyz::domain::staff::{Role, Scope};

use crate::desk::{COUNTY_UNIT, Office, Page, TOWN_UNIT, run};

const HEAD: &str = "普洱市志愿者统计表,,,,,,,\n序号,姓名,性别,民族,出生年月,政治面貌,身份证号码,联系电话,密码\n";
/// An invented identity number of somebody born on 1 January 1990; an even order is a woman's.
fn number(order: u32) -> String {
    let digits = format!("53080219900101{order:03}");
    format!("{digits}{}", zyz::domain::identity::check_character_for(&digits).unwrap())
}

/// Two right ones, and between them one whose number lost its last digits.
fn people() -> String {
    let lines = [
        ("岩温扁", "男", "傣族", number(1)),
        ("玉波罕", "女", "傣族", "530802199001010000".to_owned()),
        ("扎妥", "男", "拉祜族", number(5)),
    ];
    let line = |(n, (name, sex, ethnicity, number)): (usize, (&str, &str, &str, String))| {
        format!("{n},{name},{sex},{ethnicity},1990.01,群众,{number},1380000000{n},pw-of-a-sheet\n")
    };
    (1..).zip(lines).map(line).collect()
}

/// Writes a roster beside the office's files.
fn roster(office: &Office, name: &str, above: &str) -> std::path::PathBuf {
    let file = office.path(name);
    std::fs::write(&file, format!("{above}{HEAD}{}", people())).unwrap();
    file
}

/// Uploads a file for a unit that is looked for by its name.
async fn upload(page: &Page, unit: &str, file: &std::path::Path) {
    page.goto("/rosters").await;
    page.click("上传名册").await;
    page.shows(&["先选择这份名册是哪个单位的"]).await;
    page.click(unit).await;
    page.shows(&["登记到", unit, "密码"]).await;
    page.upload("名册文件", file).await;
    page.click("上传并检查").await;
    page.shows(&["还没有登记任何人", unit]).await;
}

#[test]
fn a_roster_is_uploaded_corrected_and_confirmed() {
    run(async {
        let office = Office::new().await;
        let page = office.browser(Role::FederationClerk, Scope::All).await;
        page.goto("/rosters").await;
        page.axe("rosters-empty").await;
        let file = roster(&office, "附件2.csv", "");
        upload(&page, TOWN_UNIT, &file).await;
        page.shows(&["只看有问题的 1", "密码已全部丢弃", "530802********001"]).await;
        page.hides(&["pw-of-a-sheet", &number(1)]).await;
        page.axe("rosters-preview").await;
        page.keep("rosters-preview").await;
        page.click("只看有问题的 1").await;
        page.shows(&["玉波罕"]).await;
        page.click("更正").await;
        page.shows(&["更正第 4 行"]).await;
        assert!(!page.error_of("身份证号码").await.is_empty());
        page.axe("rosters-row").await;
        page.keep("rosters-row").await;
        page.fill("身份证号码", &number(2)).await;
        page.click("保存，看下一处问题").await;
        page.shows(&["第 4 行已更正", "只看有问题的 0"]).await;
        page.click("核对并确认登记").await;
        page.shows(&["确认登记到", TOWN_UNIT, "不能撤回"]).await;
        page.axe("rosters-confirm").await;
        page.keep("rosters-confirm").await;
        page.click("确认登记 3 人").await;
        page.shows(&["已登记", "新登记", "送达记录"]).await;
        page.axe("rosters-report").await;
        page.keep("rosters-report").await;
        page.click("送达记录").await;
        page.shows(&["还没有收到", "窗口"]).await;
        page.click("收到盖章纸质件").await;
        page.shows(&["已登记收到盖章纸质件"]).await;
        page.axe("rosters-delivery").await;
        page.keep("rosters-delivery").await;
        page.click("存档").await;
        page.shows(&["名册已存档"]).await;
        page.goto("/rosters/window").await;
        page.shows(&["名册存档窗口", TOWN_UNIT]).await;
        page.axe("rosters-window").await;
        page.keep("rosters-window").await;
        page.goto("/rosters/delivered").await;
        page.axe("rosters-delivered").await;
        page.fill("单位名称", "没有的单位").await;
        page.click("查找").await;
        page.shows(&["没有符合条件的名册"]).await;
        page.axe("rosters-delivered-none").await;
        page.keep("rosters-delivered-none").await;
        page.fill("单位名称", TOWN_UNIT).await;
        page.choose("年度", "2026").await;
        page.shows(&["清除条件", "已存档"]).await;
        page.keep("rosters-delivered-found").await;
        page.fits("rosters-delivered-found").await;
        page.goto("/rosters").await;
        page.axe("rosters").await;
        page.keep("rosters").await;
        page.fits("rosters").await;
        page.no_complaints();
    });
}

#[test]
fn the_wrong_unit_is_noticed_before_anybody_is_registered() {
    run(async {
        let office = Office::new().await;
        let page = office.browser(Role::FederationClerk, Scope::All).await;
        let above = format!("单位名称（公章）：{COUNTY_UNIT}    日期：2026年9月1日,,,,,,,,\n");
        let file = roster(&office, "选错单位.csv", &above);
        upload(&page, TOWN_UNIT, &file).await;
        page.shows(&["请核对是否选错了文件或单位", COUNTY_UNIT]).await;
        page.click("核对并确认登记").await;
        page.shows(&["确认无误"]).await;
        page.click("确认登记 2 人").await;
        page.shows(&["请核对后勾选"]).await;
        page.axe("rosters-wrong-unit").await;
        page.keep("rosters-wrong-unit").await;
        page.click("放弃这份名册").await;
        page.shows(&["立即删除，不能恢复"]).await;
        page.axe("rosters-abandon").await;
        page.keep("rosters-abandon").await;
        page.click("放弃并删除").await;
        page.shows(&["没有登记任何人"]).await;
        // Another kind of file altogether says so at once.
        let wrong = office.path("采购.csv");
        std::fs::write(&wrong, "名称,数量\n纸,3\n").unwrap();
        page.goto("/rosters").await;
        page.click("上传名册").await;
        page.click(TOWN_UNIT).await;
        page.upload("名册文件", &wrong).await;
        page.click("上传并检查").await;
        page.shows(&["没有找到表头"]).await;
        page.axe("rosters-upload").await;
        page.keep("rosters-upload").await;
        let volunteers = office.federation.volunteers(&Default::default()).await.unwrap();
        assert_eq!(volunteers.len(), office.numbers.len());
    });
}

#[test]
fn a_unit_is_made_and_returns_its_leaders() {
    run(async {
        let office = Office::new().await;
        let page = office.browser(Role::County, Scope::County(21)).await;
        page.goto("/units").await;
        page.shows(&[COUNTY_UNIT]).await;
        page.axe("units").await;
        page.keep("units").await;
        page.click("新建单位").await;
        page.axe("units-new").await;
        page.fill("单位名称", COUNTY_UNIT).await;
        page.click("保存").await;
        page.shows(&["已有同名单位"]).await;
        page.keep("units-new").await;
        page.fill("单位名称", "宁洱县图书馆").await;
        page.choose("类别", "机关企事业").await;
        page.fill("单位人数", "18").await;
        page.click("保存").await;
        page.shows(&["单位已建立", "25 小时/年", "还没有报送回执"]).await;
        page.click("填写回执").await;
        page.axe("units-receipt").await;
        for (at, text) in [
            ("f-leader_name", "岩温扁"),
            ("f-leader_post", "馆长"),
            ("f-leader_mobile", "13800000001"),
            ("f-manager_name", "玉波罕"),
            ("f-manager_post", "办公室主任"),
            ("f-manager_mobile", "1380000000"),
        ] {
            let script = format!("document.getElementById('{at}').value = '{text}'");
            page.value(&script).await;
        }
        page.click("报送").await;
        page.shows(&["手机"]).await;
        page.axe("units-receipt-wrong").await;
        page.keep("units-receipt").await;
        page.value("document.getElementById('f-manager_mobile').value = '13800000002'").await;
        page.click("报送").await;
        page.shows(&["回执已报送", "138****0002"]).await;
        page.axe("unit").await;
        page.keep("unit").await;
        page.click("打印或导出附件3").await;
        page.fill("用途", "盖章后报送").await;
        page.axe("units-annex3").await;
        page.click("生成 PDF").await;
        let (name, bytes) = page.downloaded().await;
        assert!(name.ends_with(".pdf") && bytes.starts_with(b"%PDF-"), "{name}");
        page.goto("/units/receipts").await;
        page.axe("units-receipts").await;
        page.goto("/units/receipts/21").await;
        page.shows(&["宁洱县图书馆", "未报"]).await;
        page.axe("units-receipts-county").await;
        page.keep("units-receipts-county").await;
    });
}

#[test]
fn a_county_hands_on_and_annex_2_is_printed() {
    run(async {
        let office = Office::new().await;
        let page = office.browser(Role::County, Scope::County(21)).await;
        page.goto("/units").await;
        page.click(COUNTY_UNIT).await;
        page.click("按系统内名册报送").await;
        page.shows(&["宁洱县文明办"]).await;
        page.axe("units-deliver").await;
        page.click("登记送达").await;
        page.shows(&["已登记送达"]).await;
        page.click("收到盖章纸质件").await;
        page.shows(&["已登记收到"]).await;
        page.click("宁洱县文明办汇总").await;
        page.shows(&["汇总报送联合会（1 个单位）"]).await;
        page.axe("rosters-county").await;
        page.keep("rosters-county").await;
        page.click("汇总报送联合会").await;
        page.shows(&["汇总表已报送联合会", "未存档"]).await;
        page.goto("/units").await;
        page.click(COUNTY_UNIT).await;
        page.click("打印附件2").await;
        page.axe("units-annex2").await;
        page.keep("units-annex2").await;
        page.fill("用途", "盖章后报联合会存档").await;
        page.click("生成 PDF").await;
        let (name, bytes) = page.downloaded().await;
        assert!(name.contains("附件2") && bytes.starts_with(b"%PDF-"), "{name}");
        std::fs::create_dir_all("target/screenshots").unwrap();
        std::fs::write("target/screenshots/annex2.pdf", bytes).unwrap();
    });
}
