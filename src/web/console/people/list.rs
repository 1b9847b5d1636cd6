//! The list with its filters, and the search box. What may be a telephone or identity number comes by POST alone.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::error::PageError;
use super::super::page::{self, Shell, render};
use super::super::{ConsoleForm, Signed};
use crate::domain::certificate::VolunteerState;
use crate::domain::division::County;
use crate::domain::staff::{Permission, Scope};
use crate::service::desk::people::{CardChoice, Found, ListQuery, PeoplePage, PersonRow, UnitRow};

/// What the address of the list says; empty means all.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Filters {
    #[serde(default)]
    county: String,
    /// Key of a unit, or words of its name.
    #[serde(default)]
    unit: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    star: String,
    #[serde(default)]
    card: String,
    #[serde(default)]
    after: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct SearchInput {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "console/people/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    page: PeoplePage,
    /// Units to choose from, when words name several or none.
    units: Vec<UnitRow>,
    unit_error: String,
    counties: Vec<(String, &'static str)>,
    stars: Vec<(String, &'static str)>,
    cards: Vec<(&'static str, &'static str)>,
    states: [(&'static str, &'static str); 3],
    /// Whether whoever asks sees more than one county, more than one unit.
    many_counties: bool,
    many_units: bool,
    may_merge: bool,
    narrowed: bool,
}

#[derive(Template)]
#[template(path = "console/people/found.html")]
struct FoundPage {
    shell: Shell,
    q: String,
    taken_for: &'static str,
    rows: Vec<PersonRow>,
    units: Vec<UnitRow>,
    next: Option<String>,
    advice: String,
}

/// The list.
pub(super) async fn list(signed: Signed, Query(filters): Query<Filters>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let mut filters = filters;
    let (mut units, mut unit_error) = (Vec::new(), String::new());
    let mut query = query(&filters);
    if !filters.unit.trim().is_empty() && query.unit.is_none() {
        units = desk.units_for(&filters.unit).await?;
        match units.as_slice() {
            [only] => {
                query.unit = Some(only.id);
                filters.unit = only.id.to_string();
                units.clear();
            }
            [] => unit_error = "没有名称含此文字的单位（在您的管辖范围内）".into(),
            _ => unit_error = "有几个单位的名称含此文字，请选择：".into(),
        }
    }
    let page = match unit_error.is_empty() {
        true => desk.people(&query, Some(filters.after.as_str()).filter(|after| !after.is_empty())).await?,
        false => PeoplePage { rows: Vec::new(), count: "0 人".into(), next: None, unit_name: filters.unit.clone() },
    };
    let scope = desk.staff().scope;
    let narrowed = query != ListQuery::default() || !filters.unit.is_empty();
    render(&ListPage {
        counties: std::iter::once((String::new(), "全部"))
            .chain(County::all().map(|county| (format!("{:02}", county.code()), county.name())))
            .collect(),
        stars: std::iter::once((String::new(), "全部"))
            .chain((0_usize..).map(|star| star.to_string()).zip([
                "无星级",
                "一星级",
                "二星级",
                "三星级",
                "四星级",
                "五星级",
            ]))
            .collect(),
        cards: std::iter::once(("", "全部")).chain(CardChoice::ALL.map(|card| (card.as_str(), card.label()))).collect(),
        states: [("", "全部"), ("active", "在册"), ("exited", "已退出")],
        many_counties: matches!(scope, Scope::All),
        many_units: !matches!(scope, Scope::Unit { .. }),
        may_merge: desk.may(Permission::MergePeople),
        narrowed,
        shell,
        filters,
        page,
        units,
        unit_error,
    })
}

/// The search box.
pub(super) async fn search(
    signed: Signed,
    ConsoleForm(input): ConsoleForm<SearchInput>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let after = Some(input.after.as_str()).filter(|after| !after.is_empty());
    match desk.find_people(&input.q, after).await? {
        Found::Number(number) => Ok(page::go(&shell, &format!("/people/{number}"), None)),
        Found::Some { taken_for, rows, units, next, advice } => {
            render(&FoundPage { shell, q: input.q, taken_for, rows, units, next, advice })
        }
    }
}

/// The list as a workbook.
pub(super) async fn export(signed: Signed, ConsoleForm(filters): ConsoleForm<Filters>) -> Result<Response, PageError> {
    let bytes = signed.desk.export_people(&query(&filters)).await?;
    Ok(page::workbook("志愿者名单.xlsx", bytes))
}

fn query(filters: &Filters) -> ListQuery {
    ListQuery {
        county: County::parse(&filters.county).ok(),
        unit: filters.unit.trim().parse().ok(),
        state: VolunteerState::parse(&filters.state).ok(),
        star: filters.star.parse().ok().filter(|star| *star <= 5),
        card: CardChoice::parse(&filters.card),
    }
}
