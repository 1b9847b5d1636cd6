//! Charts drawn on the server as SVG: bars across, columns by month. Each has a title, and a description that says its
//! figures; the table with the same figures stands beside it. Colours come from the stylesheet.

use std::fmt::{self, Write};

/// Width of every chart, in its own units; a phone shows it almost at that size.
const WIDTH: u32 = 420;
/// Height of a bar with the room around it.
const ROW: u32 = 26;
/// Most bars of one chart; more are in the table only.
const MOST: usize = 12;

/// A finished picture: markup made here, in which every text is escaped. Templates write it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// A picture drawn elsewhere in the console from figures alone; whatever text it holds must be escaped.
    pub(super) fn drawn(markup: String) -> Self {
        Self(markup)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Svg {}

/// One bar or column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// Its length; charts begin at zero.
    pub value: u64,
    /// The figure beside it, with its unit; empty for none.
    pub text: String,
    /// A mark that it is to reach.
    pub target: Option<u64>,
}

impl Bar {
    /// A bar without a target.
    pub fn new(label: impl Into<String>, value: u64, text: impl Into<String>) -> Self {
        Self { label: label.into(), value, text: text.into(), target: None }
    }
}

/// Bars across, one below the other, labels at the left. `id` is unique on the page.
pub fn bars(id: &str, title: &str, bars: &[Bar]) -> Svg {
    let shown = &bars[..bars.len().min(MOST)];
    let most = shown.iter().map(|bar| bar.value.max(bar.target.unwrap_or(0))).max().unwrap_or(0).max(1);
    let (left, room) = (112, WIDTH - 112 - 84);
    let height = ROW * shown.len() as u32 + 8;
    let mut svg = open(id, title, &description(bars), height);
    for (bar, y) in shown.iter().zip((4..).step_by(ROW as usize)) {
        let length = scale(bar.value, most, room);
        let base = y + 17;
        // Beside the bar; behind the mark where it would stand on it.
        let mark = bar.target.map(|target| left + scale(target, most, room));
        let beside = left + length + 6;
        let after = match mark {
            Some(mark) if (beside.saturating_sub(6)..=beside + width(&bar.text)).contains(&mark) => mark + 6,
            _ => beside,
        };
        let _ = write!(
            svg,
            r#"<text x="{x}" y="{base}" text-anchor="end">{label}</text><rect class="bar" x="{left}" y="{y}" width="{length}" height="{h}" rx="2"/><text class="figure" x="{after}" y="{base}">{text}</text>"#,
            x = left - 8,
            y = y + 4,
            h = ROW - 9,
            label = escape(&short(&bar.label, 8)),
            text = escape(&bar.text),
        );
        if let Some(x) = mark {
            let _ = write!(svg, r#"<line class="mark" x1="{x}" x2="{x}" y1="{y}" y2="{end}"/>"#, end = y + ROW - 2);
        }
    }
    let end = height - 4;
    let _ = write!(svg, r#"<line class="axis" x1="{left}" x2="{left}" y1="2" y2="{end}"/></svg>"#);
    Svg(svg)
}

/// Columns side by side, such as the months of a year; the highest one is labelled with its figure.
pub fn columns(id: &str, title: &str, columns: &[Bar]) -> Svg {
    let (height, foot, top) = (150, 22, 20);
    let room = height - foot - top;
    let most = columns.iter().map(|bar| bar.value.max(bar.target.unwrap_or(0))).max().unwrap_or(0);
    let step = WIDTH / u32::try_from(columns.len().max(1)).unwrap_or(12);
    let mut svg = open(id, title, &description(columns), height);
    let mut labelled = false;
    for (column, x) in columns.iter().zip((0..).step_by(step as usize)) {
        let tall = scale(column.value, most.max(1), room);
        let (middle, y) = (x + step / 2, height - foot - tall);
        let _ = write!(
            svg,
            r#"<rect class="bar" x="{bx}" y="{y}" width="{w}" height="{tall}" rx="1"/><text x="{middle}" y="{base}" text-anchor="middle">{label}</text>"#,
            bx = x + 4,
            w = step.saturating_sub(8),
            base = height - 6,
            label = escape(&column.label),
        );
        if !labelled && most > 0 && column.value == most {
            labelled = true;
            let anchor = if middle < 60 {
                "start"
            } else if middle > WIDTH - 60 {
                "end"
            } else {
                "middle"
            };
            let _ = write!(
                svg,
                r#"<text class="figure" x="{middle}" y="{above}" text-anchor="{anchor}">{text}</text>"#,
                above = y - 5,
                text = escape(&column.text),
            );
        }
    }
    let y = height - foot;
    let _ = write!(svg, r#"<line class="axis" x1="0" x2="{WIDTH}" y1="{y}" y2="{y}"/></svg>"#);
    Svg(svg)
}

/// A line over time with a dot for each value, for what rises over the months; the last value is labelled.
pub fn line(id: &str, title: &str, points: &[Bar]) -> Svg {
    let (height, foot, top) = (150, 22, 20);
    let room = height - foot - top;
    let most = points.iter().map(|point| point.value).max().unwrap_or(0).max(1);
    let step = WIDTH / u32::try_from(points.len().max(1)).unwrap_or(12);
    let mut svg = open(id, title, &description(points), height);
    let (mut path, mut dots) = (String::new(), String::new());
    for (place, point) in points.iter().enumerate() {
        let x = step * u32::try_from(place).unwrap_or(0) + step / 2;
        let y = height - foot - scale(point.value, most, room);
        let _ = write!(path, "{}{x} {y}", if place == 0 { "M" } else { "L" });
        let _ = write!(dots, r#"<circle class="bar" cx="{x}" cy="{y}" r="3"/>"#);
        let base = height - 6;
        let _ = write!(
            svg,
            r#"<text x="{x}" y="{base}" text-anchor="middle">{label}</text>"#,
            label = escape(&point.label)
        );
        if place + 1 == points.len() {
            let text = escape(&point.text);
            let _ = write!(dots, r#"<text class="figure" x="{x}" y="{}" text-anchor="end">{text}</text>"#, y - 7);
        }
    }
    let y = height - foot;
    let _ = write!(
        svg,
        r#"<line class="axis" x1="0" x2="{WIDTH}" y1="{y}" y2="{y}"/><path class="line" d="{path}"/>{dots}</svg>"#
    );
    Svg(svg)
}

fn open(id: &str, title: &str, description: &str, height: u32) -> String {
    format!(
        r#"<svg class="chart" role="img" aria-labelledby="{id}-t {id}-d" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" xmlns="http://www.w3.org/2000/svg"><title id="{id}-t">{}</title><desc id="{id}-d">{}</desc>"#,
        escape(title),
        escape(description)
    )
}

/// The figures as a sentence, for those who do not see the picture.
fn description(bars: &[Bar]) -> String {
    let said: Vec<String> = bars
        .iter()
        .map(|bar| match &*bar.text {
            "" => format!("{} {}", bar.label, bar.value),
            text => format!("{} {text}", bar.label),
        })
        .collect();
    if said.is_empty() { "没有数据".into() } else { said.join("；") }
}

/// `value` of `most` as a length of at most `room`; what is not zero is at least a hair.
fn scale(value: u64, most: u64, room: u32) -> u32 {
    let length = u128::from(value) * u128::from(room) / u128::from(most.max(1));
    let length = u32::try_from(length).unwrap_or(room).min(room);
    if value > 0 { length.max(1) } else { 0 }
}

/// About how wide a text is: figures and Latin are half as wide as Chinese.
fn width(text: &str) -> u32 {
    text.chars().map(|c| if c.is_ascii() { 7 } else { 12 }).sum()
}

/// At most so many characters.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_says_its_figures_and_escapes_names() {
        let bars_of = [
            Bar::new("<b>&单位", 10, "10 人"),
            Bar { target: Some(20), ..Bar::new("一个名字很长很长的单位", 0, "0 人") },
        ];
        let svg = bars("x", "各单位人数", &bars_of).to_string();
        assert!(svg.contains("&lt;b&gt;&amp;单位 10 人"), "{svg}");
        assert!(svg.contains("一个名字很长很…"), "{svg}");
        assert!(svg.contains(r#"class="mark""#) && !svg.contains("<b>"), "{svg}");
    }

    #[test]
    fn a_figure_does_not_stand_on_the_mark() {
        let place = |value: u64| {
            let svg =
                bars("x", "注册率", &[Bar { target: Some(1000), ..Bar::new("思茅区", value, "87.0%") }]).to_string();
            let (_, rest) = svg.split_once(r#"class="figure" x=""#).unwrap();
            let (mark, _) = svg.split_once(r#"class="mark" x1=""#).unwrap().1.split_once('"').unwrap();
            (rest.split_once('"').unwrap().0.parse::<u32>().unwrap(), mark.parse::<u32>().unwrap())
        };
        for value in [0, 500, 840, 870, 990, 1000, 1400] {
            let (figure, mark) = place(value);
            assert!(figure > mark || figure + width("87.0%") < mark, "{value}: {figure} and {mark}");
        }
    }

    #[test]
    fn empty_charts_stand() {
        for svg in [bars("a", "空", &[]), columns("b", "空", &[]), line("c", "空", &[])] {
            let svg = svg.to_string();
            assert!(svg.ends_with("</svg>") && svg.contains("没有数据"), "{svg}");
        }
    }

    #[test]
    fn lengths_begin_at_zero_and_end_at_the_room() {
        assert_eq!((scale(0, 10, 200), scale(10, 10, 200), scale(1, u64::MAX, 200)), (0, 200, 1));
    }
}
