//! The first page.

use askama::Template;
use axum::response::Response;

use crate::clock::beijing_date;
use crate::service::desk::oversight::home::{TileGroup, Tone};
use crate::web::console::error::PageError;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, render};

#[derive(Template)]
#[template(path = "console/oversight/home.html")]
struct Home {
    shell: Shell,
    today: String,
    groups: Vec<TileGroup>,
    waiting: usize,
}

pub(super) async fn page(signed: Signed) -> Result<Response, PageError> {
    let groups = signed.desk.home().await?;
    let urgent = |tone: Tone| matches!(tone, Tone::Warn | Tone::Bad);
    let waiting = groups.iter().flat_map(|group| &group.tiles).filter(|tile| urgent(tile.tone)).count();
    let today = beijing_date(signed.desk.office().now());
    let weekday = ["一", "二", "三", "四", "五", "六", "日"];
    let weekday = weekday[usize::from(today.weekday().to_monday_zero_offset().unsigned_abs())];
    let today = format!("{today} 星期{weekday}");
    render(&Home { shell: signed.shell, today, groups, waiting })
}
