//! Delivered rosters, a county's table, the September window.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use super::super::page::{Shell, done, render, workbook};
use super::super::{ConsoleForm, PageError, Signed};
use super::key;
use super::units::choices;
use crate::domain::staff::{Permission, federation_approves};
use crate::service::desk::Reach;
use crate::service::desk::rosters::{
    CountyTable, DeliveredAsked, DeliveryView, PAGE, UnitPage, WindowAsked, WindowPage,
};

/// What the window's list is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    year: String,
    county: String,
    q: String,
    state: String,
    after: String,
}

/// What the list of delivered rosters is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListAsked {
    q: String,
    year: String,
    before: String,
}

/// How a list goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct More {
    after: String,
}

/// Which of a county's deliveries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    id: i64,
}

#[derive(Template)]
#[template(path = "console/rosters/deliver.html")]
struct Ask {
    shell: Shell,
    unit: UnitPage,
    inside: bool,
    calendar: String,
    through_county: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/delivered.html")]
struct List {
    shell: Shell,
    asked: ListAsked,
    years: Vec<(String, String)>,
    query: String,
    rosters: Vec<DeliveryView>,
    next: Option<i64>,
}

#[derive(Template)]
#[template(path = "console/rosters/delivery.html")]
struct One {
    shell: Shell,
    roster: DeliveryView,
    may_print: bool,
    may_import: bool,
    gathers: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/window.html")]
struct Window {
    shell: Shell,
    asked: Asked,
    window: WindowPage,
    years: Vec<(String, String)>,
    counties: Vec<(String, String)>,
    states: Vec<(&'static str, &'static str)>,
    query: String,
    whole: bool,
    /// A county's table is nothing for a unit.
    gathers: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/county.html")]
struct County {
    shell: Shell,
    table: CountyTable,
    direct: bool,
}

pub(super) async fn ask(signed: Signed, Path(unit): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let unit = desk.unit(key(&unit)?).await?;
    let window = desk.archive_window(&WindowAsked { name: unit.name.clone(), ..WindowAsked::default() }).await?;
    let through_county = !federation_approves(unit.county_code);
    render(&Ask { shell, unit, inside: window.now_inside, calendar: window.calendar, through_county })
}

pub(super) async fn deliver(signed: Signed, Path(unit): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id = desk.deliver_register(key(&unit)?).await?;
    let words = "已登记送达。请打印《普洱市志愿者统计表》，盖章后报送纸质件";
    Ok(done(&shell, &format!("/rosters/delivered/{id}"), words))
}

pub(super) async fn list(signed: Signed, Query(asked): Query<ListAsked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let mut rosters = desk.delivered_rosters(&asked.delivered()).await?;
    let next_page = rosters.len() > PAGE as usize;
    rosters.truncate(PAGE as usize);
    let next = rosters.last().filter(|_| next_page).map(|roster| roster.id);
    let query = serde_html_form::to_string([("q", &asked.q), ("year", &asked.year)]).unwrap_or_default();
    let mut years = vec![(String::new(), "全部年度".to_owned())];
    years.extend(desk.roster_years().into_iter().map(|year| (year.to_string(), format!("{year} 年"))));
    render(&List { shell, asked, years, query, rosters, next })
}

pub(super) async fn export(signed: Signed, Query(asked): Query<ListAsked>) -> Result<Response, PageError> {
    Ok(workbook("已送达名册.xlsx", signed.desk.delivered_workbook(&asked.delivered()).await?))
}

pub(super) async fn one(signed: Signed, Path(roster): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let roster = desk.delivered_roster(key(&roster)?).await?;
    let (may_print, may_import) = (desk.may(Permission::RevealPersonal), desk.may(Permission::ImportRoster));
    let gathers = !matches!(desk.reach()?, Reach::Unit(_));
    render(&One { shell, roster, may_print, may_import, gathers })
}

pub(super) async fn stamped(signed: Signed, Path(roster): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id: i64 = key(&roster)?;
    desk.receive_stamped_roster(id).await?;
    Ok(done(&shell, &format!("/rosters/delivered/{id}"), "已登记收到盖章纸质件"))
}

pub(super) async fn archive(signed: Signed, Path(roster): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id: i64 = key(&roster)?;
    desk.archive_roster(id).await?;
    Ok(done(&shell, &format!("/rosters/delivered/{id}"), "名册已存档"))
}

pub(super) async fn window(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let window = desk.archive_window(&wanted(&asked)).await?;
    let year = window.year.to_string();
    let pairs = [("year", &year), ("county", &asked.county), ("q", &asked.q), ("state", &asked.state)];
    let query = serde_html_form::to_string(pairs).unwrap_or_default();
    let counties = choices(&desk, "全部县（区）")?;
    let years = window.years.iter().map(|year| (year.to_string(), format!("{year} 年"))).collect();
    let states = vec![("", "全部情况"), ("inside", "按期送达"), ("outside", "窗口外送达"), ("missing", "未送达")];
    let whole = counties.len() > 1;
    let gathers = !matches!(desk.reach()?, Reach::Unit(_));
    render(&Window { shell, asked, window, years, counties, states, query, whole, gathers })
}

pub(super) async fn window_export(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let (name, bytes) = signed.desk.archive_window_workbook(&wanted(&asked)).await?;
    Ok(workbook(&name, bytes))
}

pub(super) async fn county(
    signed: Signed,
    Path((county, year)): Path<(String, String)>,
    Query(more): Query<More>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let code = key(&county)?;
    let table = desk.county_table(code, key(&year)?, more.after.parse().ok()).await?;
    render(&County { shell, table, direct: federation_approves(code) })
}

pub(super) async fn county_export(
    signed: Signed,
    Path((county, year)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let (name, bytes) = signed.desk.county_table_workbook(key(&county)?, key(&year)?).await?;
    Ok(workbook(&name, bytes))
}

pub(super) async fn hand_on(
    signed: Signed,
    Path((county, year)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (code, year): (u8, i16) = (key(&county)?, key(&year)?);
    desk.hand_on_county_table(code, year).await?;
    Ok(done(&shell, &format!("/rosters/counties/{code}/{year}"), "汇总表已报送联合会"))
}

pub(super) async fn archive_county(
    signed: Signed,
    Path((county, year)): Path<(String, String)>,
    ConsoleForm(chosen): ConsoleForm<Chosen>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (code, year): (u8, i16) = (key(&county)?, key(&year)?);
    desk.archive_county_table(code, year, chosen.id).await?;
    Ok(done(&shell, &format!("/rosters/counties/{code}/{year}"), "汇总表及其中的名册已存档"))
}

impl ListAsked {
    fn delivered(&self) -> DeliveredAsked {
        let (year, before) = (self.year.parse().ok(), self.before.parse().ok());
        DeliveredAsked { unit: None, name: self.q.clone(), year, before }
    }
}

fn wanted(asked: &Asked) -> WindowAsked {
    WindowAsked {
        year: asked.year.parse().unwrap_or(0),
        county: asked.county.parse().ok(),
        name: asked.q.clone(),
        standing: asked.state.clone(),
        after: asked.after.parse().ok(),
    }
}
