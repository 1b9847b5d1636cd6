//! Statistics: the city, a county, a unit; what was given at partners.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use super::words::{counted, encoded, figure, hours, percent, tenths};
use crate::domain::division::County;
use crate::roster::export::{self, Cell};
use crate::service::desk::oversight::recount::Recount;
use crate::service::desk::oversight::statistics::{About, Activity, Figures, Order, Part, PartnerYear};
use crate::service::desk::{Desk, DeskError};
use crate::web::console::chart::{self, Bar, Svg};
use crate::web::console::error::PageError;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, done, render, workbook};

/// What an address of these pages says. What is no number or word of ours counts as not said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub year: String,
    pub order: String,
    pub q: String,
    pub after: String,
    pub county: String,
    pub unit: String,
}

impl Asked {
    pub fn year(&self) -> Option<i16> {
        self.year.parse().ok()
    }
}

/// A figure with what it means.
pub(super) struct Headline {
    pub title: &'static str,
    pub figure: String,
    pub note: String,
}

/// A county or unit as a row of a table.
pub(super) struct Row {
    pub name: String,
    pub href: String,
    pub units: String,
    pub group: String,
    pub heads: String,
    pub people: String,
    pub rate: String,
    pub rate_low: bool,
    pub hours: String,
    pub per_head: String,
    pub target: String,
    pub hours_low: bool,
    pub stars: String,
    pub cards: String,
    pub without: String,
    pub uses: String,
}

/// A month as a row of a table.
pub(super) struct MonthRow {
    pub month: String,
    pub registered: String,
    pub exited: String,
    pub hours: String,
    pub records: String,
    pub issued: String,
    pub uses: String,
}

#[derive(Template)]
#[template(path = "console/oversight/statistics.html")]
struct Page {
    shell: Shell,
    title: String,
    crumbs: Vec<(String, String)>,
    here: String,
    year: i16,
    years: Vec<i16>,
    counted: String,
    headlines: Vec<Headline>,
    charts: Vec<(&'static str, Svg)>,
    parts_title: &'static str,
    parts: Vec<Row>,
    is_city: bool,
    is_county: bool,
    count: usize,
    order: &'static str,
    orders: Vec<(&'static str, &'static str)>,
    q: String,
    next: String,
    months: Vec<MonthRow>,
    query: String,
    partners: bool,
}

#[derive(Template)]
#[template(path = "console/oversight/uncounted.html")]
struct Uncounted {
    shell: Shell,
}

pub(super) async fn own(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let about = signed.desk.own_statistics()?;
    show(signed, about, &asked).await
}

pub(super) async fn county(
    signed: Signed,
    Path(county): Path<u8>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    show(signed, About::County(county), &asked).await
}

pub(super) async fn unit(
    signed: Signed,
    Path(unit): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    show(signed, About::Unit(unit), &asked).await
}

/// Counts anew; what takes longer goes on in the background.
pub(super) async fn recount(signed: Signed) -> Result<Response, PageError> {
    let desk = signed.desk.clone();
    let work = tokio::spawn(async move { desk.recount().await });
    let said = match tokio::time::timeout(std::time::Duration::from_secs(5), work).await {
        Ok(Ok(outcome)) => match outcome? {
            Recount::Done => "已重新统计",
            Recount::Fresh => "数据没有变化，或者刚刚统计过，不需要重新统计",
            Recount::UnderWay => "正在统计，请稍后刷新页面查看数据时间",
        },
        Ok(Err(_)) => return Err(DeskError::Service(crate::service::ServiceError::Aborted).into()),
        Err(_) => "已开始重新统计，数据较多，请稍后刷新页面查看数据时间",
    };
    Ok(done(&signed.shell, "/statistics", said))
}

async fn show(signed: Signed, about: About, asked: &Asked) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let Some(figures) = desk.figures(about, asked.year()).await? else {
        return render(&Uncounted { shell });
    };
    let year = figures.year;
    let order = Order::parse(&asked.order);
    let (parts, count, next) = match about {
        About::City => {
            let parts = desk.county_parts(year).await?;
            (parts, 0, None)
        }
        About::County(county) => {
            let page = desk.unit_parts(county, year, order, &asked.q, asked.after.parse().ok()).await?;
            (page.parts, page.count, page.next)
        }
        About::Unit(_) => (Vec::new(), 0, None),
    };
    let here = path_of(about);
    let next = next.map_or(String::new(), |key| {
        format!("{here}?year={year}&order={}&q={}&after={key}", order.as_str(), encoded(asked.q.trim()))
    });
    let page = Page {
        title: title(&figures, about),
        crumbs: crumbs(&desk, about, &figures, year),
        query: query(about, year),
        counted: counted(&figures.counted),
        headlines: headlines(&figures, about),
        charts: charts(&figures, &parts, about),
        parts_title: if about == About::City { "各县（区）" } else { "各单位" },
        parts: parts.iter().map(|part| part_row(part, year)).collect(),
        is_city: about == About::City,
        is_county: matches!(about, About::County(_)),
        count,
        order: order.as_str(),
        orders: Order::ALL.iter().map(|order| (order.as_str(), order.label())).collect(),
        q: asked.q.trim().to_owned(),
        next,
        months: figures.months.iter().map(month_row).collect(),
        partners: about == About::City && desk.may(crate::domain::staff::Permission::ViewPartners),
        years: figures.years.clone(),
        year,
        here,
        shell,
    };
    render(&page)
}

/// Where something's figures are, below the console's address.
fn path_of(about: About) -> String {
    match about {
        About::City => "/statistics".into(),
        About::County(county) => format!("/statistics/counties/{county}"),
        About::Unit(unit) => format!("/statistics/units/{unit}"),
    }
}

/// What files and reports of it are asked for with.
fn query(about: About, year: i16) -> String {
    match about {
        About::City => format!("year={year}"),
        About::County(county) => format!("year={year}&county={county}"),
        About::Unit(unit) => format!("year={year}&unit={unit}"),
    }
}

fn title(figures: &Figures, about: About) -> String {
    match about {
        About::City => "统计督查".into(),
        About::County(_) | About::Unit(_) => format!("统计督查：{}", figures.standing.name),
    }
}

/// The way back up, as far as this person reaches.
fn crumbs(desk: &Desk, about: About, figures: &Figures, year: i16) -> Vec<(String, String)> {
    let mut crumbs = Vec::new();
    let own = desk.own_statistics().ok();
    if own == Some(About::City) && about != About::City {
        crumbs.push(("全市".to_owned(), format!("/statistics?year={year}")));
    }
    if let (About::Unit(_), Some(About::City | About::County(_))) = (about, own) {
        let county = figures.standing.county;
        let name = if county == 0 { "市级单位" } else { County::from_code(county).map_or("", County::name) };
        crumbs.push((name.to_owned(), format!("/statistics/counties/{county}?year={year}")));
    }
    crumbs
}

pub(super) fn headlines(figures: &Figures, about: About) -> Vec<Headline> {
    let (standing, total) = (&figures.standing, &figures.total);
    let stars: u64 = standing.stars.iter().sum();
    let rate_note = match (about, standing.head_count, standing.units_due) {
        (About::Unit(_), 0, 0) => "该单位没有注册目标".to_owned(),
        (About::Unit(_), 0, _) => "没有填写在职人数，算不出注册率".to_owned(),
        (About::Unit(_), heads, _) => format!("目标 100%，应注册 {} 人", figure(heads)),
        (_, _, due) => format!(
            "目标 100%；{} 个应注册单位中 {} 个填了人数，{} 个已达到",
            figure(due),
            figure(standing.units_counted),
            figure(standing.units_full)
        ),
    };
    let hours_note = match (about, standing.hours_target) {
        (About::Unit(_), Some(target)) => format!("目标 {target} 小时；全年共 {} 小时", hours(total.minutes)),
        (About::Unit(_), None) => "没有设定目标群体，没有小时数目标".to_owned(),
        (_, _) => format!(
            "共 {} 小时；{} 个有目标的单位中 {} 个达到",
            hours(total.minutes),
            figure(total.units_due),
            figure(total.units_met)
        ),
    };
    vec![
        Headline {
            title: "在册志愿者",
            figure: figure(standing.people),
            note: format!("另有 {} 人已退出", figure(standing.exited)),
        },
        Headline { title: "注册率", figure: percent(standing.rate()), note: rate_note },
        Headline { title: "人均服务小时", figure: tenths(figures.tenths_a_head()), note: hours_note },
        Headline {
            title: "星级志愿者", figure: figure(stars), note: format!("本年度认定 {} 人", figure(total.stars))
        },
        Headline {
            title: "有效志愿服务证",
            figure: figure(standing.cards_valid),
            note: format!("未制证 {}，未打印 {}", figure(standing.without_card), figure(standing.unprinted)),
        },
        Headline {
            title: "优惠使用", figure: figure(total.uses), note: "持证人全年使用次数，不含已撤销的".into()
        },
    ]
}

pub(super) fn charts(figures: &Figures, parts: &[Part], about: About) -> Vec<(&'static str, Svg)> {
    let months = |value: fn(&Activity) -> u64, unit: &str| -> Vec<Bar> {
        let bar = |(at, month): (usize, &Activity)| {
            let value = value(month);
            Bar::new((at + 1).to_string(), value, format!("{} {unit}", figure(value)))
        };
        figures.months.iter().enumerate().map(bar).collect()
    };
    let mut charts = Vec::new();
    if about == About::City {
        let rates = parts.iter().filter(|part| part.standing.units > 0).map(|part| Bar {
            target: Some(1000),
            ..Bar::new(
                &*part.standing.name,
                part.standing.rate().unwrap_or(0),
                match part.standing.rate() {
                    Some(rate) => percent(Some(rate)),
                    None => "未填人数".into(),
                },
            )
        });
        let rates: Vec<Bar> = rates.collect();
        charts.push(("各县（区）注册率（虚线为 100%）", chart::bars("c-rate", "各县（区）注册率", &rates)));
    }
    charts.push((
        "每月服务小时数",
        chart::columns("c-hours", "每月服务小时数", &months(|month| month.minutes / 60, "小时")),
    ));
    let stars: Vec<Bar> = ["一星", "二星", "三星", "四星", "五星"]
        .iter()
        .zip(figures.standing.stars)
        .map(|(label, count)| Bar::new(*label, count, format!("{} 人", figure(count))))
        .collect();
    charts.push(("星级志愿者", chart::bars("c-stars", "星级志愿者人数", &stars)));
    let mut sum = 0;
    let rising: Vec<Bar> = months(|month| month.registered, "人")
        .into_iter()
        .map(|bar| {
            sum += bar.value;
            Bar { value: sum, text: format!("累计 {} 人", figure(sum)), ..bar }
        })
        .collect();
    charts.push(("本年新登记（累计）", chart::line("c-new", "本年新登记志愿者累计", &rising)));
    charts.push(("每月优惠使用次数", chart::columns("c-uses", "每月优惠使用次数", &months(|month| month.uses, "次"))));
    charts
}

pub(super) fn part_row(part: &Part, year: i16) -> Row {
    let (standing, total) = (&part.standing, &part.total);
    let is_unit = part.is_unit();
    let href = if is_unit {
        format!("/statistics/units/{}?year={year}", standing.key)
    } else {
        format!("/statistics/counties/{}?year={year}", standing.key)
    };
    let heads = match (standing.head_count, standing.units_due) {
        (0, 0) => "—".to_owned(),
        (0, _) => "未填".to_owned(),
        (heads, _) => figure(heads),
    };
    let per_head = part.tenths_a_head();
    Row {
        name: standing.name.clone(),
        href,
        units: figure(standing.units),
        group: standing.group.clone().unwrap_or_else(|| if is_unit { "未设".into() } else { String::new() }),
        heads,
        people: figure(standing.people),
        rate: percent(standing.rate()),
        rate_low: standing.rate().is_some_and(|rate| rate < 1000),
        hours: hours(total.minutes),
        per_head: tenths(per_head),
        target: match standing.hours_target {
            Some(target) => target.to_string(),
            None if is_unit => "—".into(),
            None => format!("{}/{}", total.units_met, total.units_due),
        },
        hours_low: standing.hours_target.zip(per_head).is_some_and(|(target, served)| served < u64::from(target) * 10),
        stars: figure(standing.stars.iter().sum()),
        cards: figure(standing.cards_valid),
        without: figure(standing.without_card),
        uses: figure(total.uses),
    }
}

pub(super) fn month_row(month: &Activity) -> MonthRow {
    MonthRow {
        month: month.period.clone(),
        registered: figure(month.registered),
        exited: figure(month.exited),
        hours: hours(month.minutes),
        records: figure(month.records),
        issued: figure(month.issued),
        uses: figure(month.uses),
    }
}

/// Every unit within reach as a workbook.
pub(super) async fn export(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let desk = &signed.desk;
    let about = super::report::about(desk, &asked)?;
    let figures = desk.figures(about, asked.year()).await?.ok_or(DeskError::NotFound)?;
    let year = figures.year;
    let today = crate::clock::beijing_date(desk.office().now());
    let name = format!("志愿服务统计-{}-{year}.xlsx", figures.standing.name);
    if let About::Unit(_) = about {
        let headers = ["月份", "新登记", "退出", "服务小时", "服务记录", "签发证件", "优惠使用"];
        let rows = figures.months.iter().chain([&figures.total]).map(|month| {
            vec![
                Cell::from(month.period.as_str()),
                month.registered.into(),
                month.exited.into(),
                (month.minutes as f64 / 60.0).into(),
                month.records.into(),
                month.issued.into(),
                month.uses.into(),
            ]
        });
        let title = format!("{} {year} 年志愿服务统计", figures.standing.name);
        let bytes = export::table(&title, &headers, rows, today).map_err(crate::service::ServiceError::from)?;
        return Ok(workbook(&name, bytes));
    }
    let county = match about {
        About::County(county) => Some(county),
        About::City | About::Unit(_) => None,
    };
    let parts = desk.all_unit_parts(county, year).await?;
    let headers = [
        "县（区）",
        "单位",
        "目标群体",
        "在职人数",
        "在册志愿者",
        "注册率（%）",
        "服务小时",
        "人均小时",
        "人均目标",
        "一星",
        "二星",
        "三星",
        "四星",
        "五星",
        "有效证件",
        "未制证",
        "未打印",
        "本年签发",
        "优惠使用",
    ];
    let rows = parts.iter().map(|part| {
        let (standing, total) = (&part.standing, &part.total);
        let county = if standing.county == 0 {
            "市级单位"
        } else {
            County::from_code(standing.county).map_or("", County::name)
        };
        let mut cells = vec![
            Cell::from(county),
            standing.name.as_str().into(),
            standing.group.clone().into(),
            (standing.head_count > 0).then_some(standing.head_count).into(),
            standing.people.into(),
            standing.rate().map(|rate| rate as f64 / 10.0).into(),
            (total.minutes as f64 / 60.0).into(),
            part.tenths_a_head().map(|tenths| tenths as f64 / 10.0).into(),
            standing.hours_target.into(),
        ];
        cells.extend(standing.stars.iter().map(|count| Cell::from(*count)));
        let last = [standing.cards_valid, standing.without_card, standing.unprinted, total.issued, total.uses];
        cells.extend(last.map(Cell::from));
        cells
    });
    let title = format!("{} {year} 年志愿服务统计（数据时间 {}）", figures.standing.name, counted(&figures.counted));
    let bytes = export::table(&title, &headers, rows, today).map_err(crate::service::ServiceError::from)?;
    Ok(workbook(&name, bytes))
}

struct PartnerRow {
    id: i64,
    name: String,
    months: Vec<String>,
    uses: String,
    not_valid: String,
    over_limit: String,
    reversed: String,
}

#[derive(Template)]
#[template(path = "console/oversight/partner_statistics.html")]
struct PartnersPage {
    shell: Shell,
    year: i16,
    years: Vec<i16>,
    counted: String,
    chart: Svg,
    by_month: Svg,
    rows: Vec<PartnerRow>,
    back: &'static str,
}

pub(super) async fn partners(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let this_year = crate::clock::beijing_date(desk.office().now()).year();
    let year = asked.year().filter(|year| (2000..=this_year).contains(year)).unwrap_or(this_year);
    let of = desk.partner_years(year).await?;
    let bars: Vec<Bar> = of
        .iter()
        .filter(|partner| partner.uses > 0)
        .map(|partner| Bar::new(&*partner.name, partner.uses, format!("{} 次", figure(partner.uses))))
        .collect();
    let months: Vec<Bar> = (0..12)
        .map(|month| {
            let uses: u64 = of.iter().map(|partner| partner.months[month]).sum();
            Bar::new((month + 1).to_string(), uses, format!("{} 次", figure(uses)))
        })
        .collect();
    let page = PartnersPage {
        year,
        years: (this_year - 4..=this_year).rev().collect(),
        counted: counted(&desk.counted().await?),
        chart: chart::bars("c-partners", "各合作单位使用次数", &bars),
        by_month: chart::columns("c-months", "每月使用次数", &months),
        rows: of.iter().map(partner_row).collect(),
        back: "/statistics/partners",
        shell,
    };
    render(&page)
}

fn partner_row(of: &PartnerYear) -> PartnerRow {
    PartnerRow {
        id: of.id,
        name: of.name.clone(),
        months: of.months.iter().map(|uses| figure(*uses)).collect(),
        uses: figure(of.uses),
        not_valid: figure(of.not_valid),
        over_limit: figure(of.over_limit),
        reversed: figure(of.reversed),
    }
}

pub(super) async fn export_partners(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let desk = &signed.desk;
    let today = crate::clock::beijing_date(desk.office().now());
    let year = asked.year().unwrap_or(today.year());
    let of = desk.partner_years(year).await?;
    let bytes = use_table(&format!("{year} 年各合作单位优惠使用"), "合作单位", &of, today)?;
    Ok(workbook(&format!("合作单位优惠使用-{year}.xlsx"), bytes))
}

/// A workbook of uses by month.
pub(super) fn use_table(
    title: &str,
    first: &str,
    of: &[PartnerYear],
    today: jiff::civil::Date,
) -> Result<Vec<u8>, PageError> {
    let months: Vec<String> = (1..=12).map(|month| format!("{month}月")).collect();
    let mut headers = vec![first];
    headers.extend(months.iter().map(String::as_str));
    headers.extend(["合计", "其中：证件当时非有效", "其中：超过次数限制", "已撤销"]);
    let rows = of.iter().map(|year| {
        let numbers = year.months.into_iter().chain([year.uses, year.not_valid, year.over_limit, year.reversed]);
        [Cell::from(year.name.as_str())].into_iter().chain(numbers.map(Cell::from)).collect()
    });
    Ok(export::table(title, &headers, rows, today).map_err(crate::service::ServiceError::from)?)
}
