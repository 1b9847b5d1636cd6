//! Which of several forms of an answer a client wants (RFC 9110 §12.5.1).

use axum::http::{HeaderMap, header};

/// A form on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offered<T> {
    /// Its media type, without parameters, in small letters.
    pub media_type: &'static str,
    /// What it stands for.
    pub value: T,
}

/// The form of the highest quality in `Accept`; of equal ones the first on offer. Without the header the first. None if
/// every form is ruled out.
pub(super) fn choose<T: Copy>(headers: &HeaderMap, offered: &[Offered<T>]) -> Option<Offered<T>> {
    let lines: Vec<_> = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    if lines.iter().all(|line| line.trim().is_empty()) {
        return offered.first().copied();
    }
    let ranges: Vec<_> = lines.iter().flat_map(|line| line.split(',')).filter_map(Range::parse).collect();
    let mut best: Option<(u16, Offered<T>)> = None;
    for form in offered {
        let quality = quality(&ranges, form.media_type);
        if quality > best.as_ref().map_or(0, |(most, _)| *most) {
            best = Some((quality, *form));
        }
    }
    best.map(|(_, form)| form)
}

/// Thousandths; the most specific range that matches decides.
fn quality(ranges: &[Range], media_type: &str) -> u16 {
    let matching = ranges.iter().filter_map(|range| Some((range.specificity(media_type)?, range.quality)));
    matching.max().map_or(0, |(_, quality)| quality)
}

struct Range {
    /// Small letters, without parameters.
    media: String,
    /// 0 to 1,000.
    quality: u16,
}

impl Range {
    /// None for what is no media range, or one of some other version of a type (parameters but `q` and `charset`).
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let (kind, sub) = media.split_once('/')?;
        if kind.is_empty() || sub.is_empty() || (kind == "*" && sub != "*") {
            return None;
        }
        let mut quality = 1000;
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = thousandths(value.trim())?,
                "charset" => {}
                _ => return None,
            }
        }
        Some(Self { media, quality })
    }

    fn specificity(&self, media_type: &str) -> Option<u8> {
        let kind = media_type.split('/').next().unwrap_or_default();
        match self.media.as_str() {
            "*/*" => Some(0),
            media if media == media_type => Some(2),
            media => (media.strip_suffix("/*") == Some(kind)).then_some(1),
        }
    }
}

/// A quality value (RFC 9110 §12.4.2): 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: Option<&str>) -> Option<char> {
        let offered = [
            Offered { media_type: "application/statuslist+jwt", value: 'j' },
            Offered { media_type: "application/statuslist+cwt", value: 'c' },
        ];
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, accept.parse().unwrap());
        }
        choose(&headers, &offered).map(|form| form.value)
    }

    #[test]
    fn the_first_without_a_wish() {
        for accept in [None, Some(""), Some("*/*"), Some("application/*"), Some("text/html, */*;q=0.1")] {
            assert_eq!(chosen(accept), Some('j'), "{accept:?}");
        }
    }

    #[test]
    fn what_is_named_is_sent() {
        assert_eq!(chosen(Some("application/statuslist+cwt")), Some('c'));
        assert_eq!(chosen(Some("Application/StatusList+CWT; q=0.5")), Some('c'));
        assert_eq!(chosen(Some("application/statuslist+jwt;q=0.4, application/statuslist+cwt;q=0.5")), Some('c'));
        assert_eq!(chosen(Some("application/statuslist+cwt, */*;q=0.9")), Some('c'));
    }

    #[test]
    fn zero_rules_out_and_the_specific_range_decides() {
        assert_eq!(chosen(Some("application/statuslist+jwt;q=0, */*;q=0.1")), Some('c'));
        assert_eq!(chosen(Some("*/*;q=0")), None);
        assert_eq!(chosen(Some("application/*;q=0.2, */*;q=0.9, application/statuslist+cwt;q=0.3")), Some('c'));
    }

    #[test]
    fn nothing_that_fits() {
        for accept in ["text/html", "application/json", "nonsense", "application/statuslist+cwt;q=2", "*/jwt"] {
            assert_eq!(chosen(Some(accept)), None, "{accept}");
        }
    }
}
