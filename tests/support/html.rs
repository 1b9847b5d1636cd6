//! As much HTML as our own pages are written in: links, forms and what their fields hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A form of a page.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// `get` or `post`.
    pub method: String,
    /// Where it goes, as written.
    pub action: String,
    /// Whether it sends files.
    pub multipart: bool,
    /// Names and the values that a person who touches nothing sends.
    pub fields: Vec<Field>,
}

/// A field of a form.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub value: String,
    /// `hidden`, `text`, `select`, `checkbox`, `file` …
    pub kind: String,
}

/// Where a walk has been.
#[derive(Debug, Default)]
pub struct Walk {
    /// Every page that was found: its address below the console's (query included) and its HTML.
    pub pages: BTreeMap<String, String>,
    /// Everything else that was found by a link: address and kind of content.
    pub files: BTreeMap<String, (String, Vec<u8>)>,
    /// Addresses that answered with something else than 200 or a redirect, with their status.
    pub broken: Vec<(String, u16)>,
    /// Patterns of routes that no link led to, of those that were asked for.
    pub unreached: BTreeSet<String>,
}

/// What a page asked for is answered.
pub struct Got {
    /// Status.
    pub status: u16,
    /// Content-Type.
    pub kind: String,
    /// Location, for a redirect.
    pub location: String,
    /// Body.
    pub body: Vec<u8>,
}

/// Most addresses of one pattern that a walk looks at: pages of one kind differ little.
const OF_A_KIND: usize = 2;

/// Follows every link from `/home` on. `patterns` are the GET routes, like `/people/{number}`; `get` asks for an address.
pub fn walk(patterns: &[&str], mut get: impl FnMut(&str) -> Got) -> Walk {
    let mut walk = Walk { unreached: patterns.iter().map(|one| (*one).to_owned()).collect(), ..Walk::default() };
    let mut queue = VecDeque::from(["/home".to_owned()]);
    let mut known: BTreeSet<String> = queue.iter().cloned().collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(address) = queue.pop_front() {
        let path = address.split('?').next().unwrap_or_default();
        // A query makes a page of another kind, as does the address without.
        let queried = address.contains('?');
        let pattern = patterns.iter().find(|pattern| matches(pattern, path)).copied().unwrap_or(path);
        let count = counts.entry(format!("{pattern}{queried}")).or_default();
        *count += 1;
        if *count > OF_A_KIND {
            continue;
        }
        walk.unreached.remove(pattern);
        let got = get(&address);
        let mut found = Vec::new();
        match got.status {
            200 if got.kind.starts_with("text/html") => {
                let html = String::from_utf8_lossy(&got.body).into_owned();
                found.extend(links(&html));
                walk.pages.insert(address, html);
            }
            200 => drop(walk.files.insert(address, (got.kind, got.body))),
            301..=308 => found.push(got.location),
            status => walk.broken.push((address, status)),
        }
        for link in found {
            let Some(below) = below(&link) else { continue };
            if known.insert(below.clone()) {
                queue.push_back(below);
            }
        }
    }
    walk
}

/// An address as one below the console's; none if it leads elsewhere. Fragments are cut off.
pub fn below(link: &str) -> Option<String> {
    let link = link.split('#').next().unwrap_or_default();
    let path = match link.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => link,
    };
    let below = path.strip_prefix("/console")?;
    (below.starts_with('/') && !below.starts_with("/assets/")).then(|| below.to_owned())
}

/// Whether a path is one of a route's.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(piece)) if part == piece || (part.starts_with('{') && !piece.is_empty()) => {}
            _ => return false,
        }
    }
}

/// Addresses that a page leads to: links, and what htmx fetches by itself or on a click.
pub fn links(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, attributes) in tags(html) {
        let wanted: &[&str] = if name == "a" { &["href", "hx-get"] } else { &["hx-get"] };
        found.extend(attributes.into_iter().filter(|(key, _)| wanted.contains(&key.as_str())).map(|(_, value)| value));
    }
    found
}

/// The forms of a page, and buttons that send to an address of their own as forms too.
pub fn forms(html: &str, page: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut open: Option<usize> = None;
    let mut select: Option<(usize, usize)> = None;
    let mut area: Option<(usize, usize)> = None;
    let mut chosen = false;
    for (name, attributes) in tags(html) {
        let value_of = |key: &str| attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        let has = |key: &str| attributes.iter().any(|(known, _)| known == key);
        let owner = value_of("form").and_then(|id| ids.get(&id).copied()).or(open);
        match name.as_str() {
            "form" => {
                let action = value_of("action").filter(|action| !action.is_empty());
                forms.push(Form {
                    method: value_of("method").unwrap_or_else(|| "get".into()).to_lowercase(),
                    action: action.unwrap_or_else(|| format!("/console{page}")),
                    multipart: value_of("enctype").is_some_and(|kind| kind.starts_with("multipart")),
                    fields: Vec::new(),
                });
                open = Some(forms.len() - 1);
                if let Some(id) = value_of("id") {
                    ids.insert(id, forms.len() - 1);
                }
            }
            "/form" => open = None,
            "input" | "button" | "textarea" | "select" => {
                let Some(at) = owner else { continue };
                if let Some(action) = value_of("formaction") {
                    let twin = Form { action, ..forms[at].clone() };
                    forms.push(twin);
                }
                let Some(field) = value_of("name") else { continue };
                let kind =
                    if name == "input" { value_of("type").unwrap_or_else(|| "text".into()) } else { name.clone() };
                let value = value_of("value").unwrap_or_default();
                forms[at].fields.push(Field { name: field, value, kind });
                let place = (at, forms[at].fields.len() - 1);
                if name == "select" && !has("disabled") {
                    (select, chosen) = (Some(place), false);
                }
                if name == "textarea" {
                    area = Some(place);
                }
            }
            "option" => {
                if let Some((form, field)) = select
                    && !chosen
                    && (has("selected") || forms[form].fields[field].value.is_empty())
                {
                    chosen = has("selected");
                    forms[form].fields[field].value = value_of("value").unwrap_or_default();
                }
            }
            "/select" => select = None,
            "/textarea" => {
                if let Some((form, field)) = area.take() {
                    forms[form].fields[field].value =
                        attributes.first().map(|(_, text)| text.clone()).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    forms
}

/// The tags of a text with their attributes, in order; comments left out. An end tag has what stood before it as its only
/// attribute.
pub fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let before = &rest[..at];
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/' || *c == '-').collect();
        if name.trim_matches('/').is_empty() {
            continue;
        }
        let name = name.to_ascii_lowercase();
        rest = &rest[name.len()..];
        if name.starts_with('/') {
            found.push((name, vec![(String::new(), plain(before.trim_start_matches('\n')))]));
        } else {
            let (attributes, left) = attributes(rest);
            rest = left;
            found.push((name, attributes));
        }
    }
    found
}

fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\n', '\t', '\r', '/']);
        if rest.is_empty() {
            return (found, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        let end = rest.find(['=', '>', ' ', '\n', '/']).unwrap_or(rest.len());
        let key = rest[..end.max(1).min(rest.len())].to_ascii_lowercase();
        rest = &rest[key.len()..];
        let Some(given) = rest.strip_prefix('=') else {
            found.push((key, String::new()));
            continue;
        };
        let (value, left) = match given.chars().next() {
            Some(quote @ ('"' | '\'')) => given[1..].split_once(quote).unwrap_or((&given[1..], "")),
            _ => given.split_at(given.find([' ', '>', '\n']).unwrap_or(given.len())),
        };
        found.push((key, plain(value)));
        rest = left;
    }
}

/// The rows of all tables, in order: the text of each cell.
pub fn rows(html: &str) -> Vec<Vec<String>> {
    let cell = |part: &str| {
        let inside = part.split_once('>').map_or("", |(_, inside)| inside);
        let end = inside.find("</td>").or_else(|| inside.find("</th>")).unwrap_or(inside.len());
        let text: String =
            inside[..end].split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect();
        plain(&text).trim().to_owned()
    };
    let row = |row: &str| {
        let row = row.split("</tr>").next().unwrap_or_default().replace("<th", "<td");
        row.split("<td").skip(1).map(cell).collect()
    };
    html.split("<tr").skip(1).map(row).collect()
}

/// Text without its entities.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find(';').filter(|end| *end <= 10) else {
            plain.push('&');
            rest = &rest[1..];
            continue;
        };
        let entity = &rest[1..end];
        let number = match entity.strip_prefix('#') {
            Some(hex) if hex.starts_with(['x', 'X']) => u32::from_str_radix(&hex[1..], 16).ok(),
            Some(decimal) => decimal.parse().ok(),
            None => match entity {
                "amp" => Some('&' as u32),
                "lt" => Some('<' as u32),
                "gt" => Some('>' as u32),
                "quot" => Some('"' as u32),
                "nbsp" => Some(0xA0),
                _ => None,
            },
        };
        match number.and_then(char::from_u32) {
            Some(c) => plain.push(c),
            None => plain.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    plain.push_str(rest);
    plain
}

#[test]
fn forms_are_read_as_a_browser_reads_them() {
    let page = "<a href=\"/console/people?a=1&amp;b=2#x\">x</a><form method=\"post\" action='/console/p' id=f>\
        <input type=hidden name=revision value=3><input name=\"name\" value=\"a &#34;b&quot; &lt;\" required>\
        <select name=\"sex\"><option value=\"\">-</option><option value=1>m</option><option value=2 selected>f</option></select>\
        <textarea name=t rows=2>\nline &amp; two</textarea><button name=do value=go>Go</button></form><input form=f name=late>";
    let form = forms(page, "/x").remove(0);
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    let expected =
        [("revision", "3"), ("name", "a \"b\" <"), ("sex", "2"), ("t", "line & two"), ("do", "go"), ("late", "")];
    assert_eq!((form.method.as_str(), form.action.as_str(), fields.as_slice()), ("post", "/console/p", &expected[..]));
    assert_eq!(links(page).iter().filter_map(|link| below(link)).collect::<Vec<_>>(), ["/people?a=1&b=2"]);
    assert!(matches("/people/{number}", "/people/0200000019") && !matches("/people/{number}", "/people/1/edit"));
}
