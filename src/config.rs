//! The configuration file: TOML, every field with a default, unknown fields refused.
//!
//! Secrets never stand in it. `config.example.toml` is its documentation and is embedded: `zyz config print` emits it.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Deserialize;

/// The commented example file; parsing it gives [`Config::default`] (a test holds this).
pub const EXAMPLE: &str = include_str!("../config.example.toml");

/// What can be configured. See `config.example.toml` for what each field means.
#[derive(Debug, Clone, PartialEq, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the verify page, the prefix of every code; empty for the bare digits.
    pub public_url: String,
    /// What is printed on the card and how long it is valid.
    pub card: Card,
    /// Further font files.
    pub fonts: Fonts,
    /// How long signed things live.
    pub trust: Trust,
    /// Working days.
    pub calendar: Calendar,
    /// Upper bounds for imported files.
    pub limits: Limits,
    /// Signing in at the console.
    pub console: Console,
}

/// What is printed on the card and how long it is valid.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Card {
    /// The issuing body's name.
    pub issuer: String,
    /// The card's title.
    pub title: String,
    /// The federation's telephone; empty to leave the line out.
    pub phone: String,
    /// The federation's address; empty to leave the line out.
    pub address: String,
    /// Path of a logo picture; empty for none.
    pub logo: String,
    /// Whether the code carries the masked name.
    pub holder: bool,
    /// Expiry: the end (31 December, Beijing time) of the year of issue plus this many years, 0 to 10.
    pub valid_years: u8,
}

impl Default for Card {
    fn default() -> Self {
        Self {
            issuer: "普洱市志愿服务联合会".into(),
            title: "普洱市志愿服务证".into(),
            phone: String::new(),
            address: String::new(),
            logo: String::new(),
            holder: true,
            valid_years: 1,
        }
    }
}

/// Further font files.
#[derive(Debug, Clone, PartialEq, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Fonts {
    /// Tried in this order for characters the embedded face lacks.
    pub extra: Vec<PathBuf>,
}

/// How long signed things live.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trust {
    /// Days a trust list is valid.
    pub trust_list_days: u32,
    /// Days a bundle is valid; past it verdicts are `status_stale`.
    pub bundle_days: u32,
    /// Days a published status list token is valid.
    pub status_list_days: u32,
    /// Suggested refresh interval of a status list token, hours.
    pub status_list_ttl_hours: u32,
    /// After how many minutes the server signs a bundle anew although nothing changed, 1 to 1440.
    pub refresh_minutes: u32,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            trust_list_days: 730,
            bundle_days: 30,
            status_list_days: 7,
            status_list_ttl_hours: 12,
            refresh_minutes: 60,
        }
    }
}

/// Working days.
#[derive(Debug, Clone, PartialEq, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    /// Public holidays: days off besides Saturdays and Sundays.
    pub holidays: Vec<Date>,
}

/// Upper bounds for imported files.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Size of the file, MB.
    pub file_mb: u64,
    /// Size once unpacked, MB.
    pub unpacked_mb: u64,
    /// Rows of a sheet.
    pub rows: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_mb: 64, unpacked_mb: 1024, rows: 300_000 }
    }
}

/// Signing in at the console.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// Whether roles that sign, print or confirm need a second factor before they may do anything else.
    pub second_factor: bool,
    /// A session unused for so many minutes is over, 5 to 480.
    pub idle_minutes: u32,
    /// A session is over after so many hours, however busy, 1 to 24.
    pub session_hours: u32,
}

impl Default for Console {
    fn default() -> Self {
        Self { second_factor: true, idle_minutes: 30, session_hours: 12 }
    }
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("读不到配置文件 {path}：{source}。请检查 --config 的路径，或用 `zyz config print > {path}` 生成一份")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not this configuration.
    #[error("配置文件 {path} 有误：{message}")]
    Invalid {
        /// The file.
        path: String,
        /// Where and what, from the parser.
        message: String,
    },
    /// A field is out of its range.
    #[error("配置项 {field} 有误：{rule}")]
    Field {
        /// The field's dotted name.
        field: &'static str,
        /// The rule it breaks.
        rule: &'static str,
    },
}

impl Config {
    /// Reads `explicit` if given; else `zyz.toml` in the data folder if there is one; else the defaults.
    ///
    /// # Errors
    /// The file is unreadable, is not TOML, names an unknown field, or a field is out of range.
    pub fn load(explicit: Option<&Path>, data: &Path) -> Result<Self, ConfigError> {
        let standard = data.join("zyz.toml");
        let path = match explicit {
            Some(path) => path,
            None if standard.is_file() => &standard,
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.display().to_string(), source })?;
        let mut config =
            Self::parse(&text).map_err(|message| ConfigError::Invalid { path: path.display().to_string(), message })?;
        // Paths in the file are relative to the file, so that the folder can be moved as a whole.
        let folder = path.parent().unwrap_or(Path::new("."));
        for face in &mut config.fonts.extra {
            *face = folder.join(&*face);
        }
        if !config.card.logo.is_empty() {
            config.card.logo = folder.join(&config.card.logo).display().to_string();
        }
        config.validate()?;
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|e| e.to_string())
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let field = |field, rule| Err(ConfigError::Field { field, rule });
        let url = &self.public_url;
        if !url.is_empty() {
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return field("public_url", "须以 https:// 开头，或留空");
            }
            if url.contains('#') || !url.is_ascii() || url.chars().any(|c| c.is_ascii_whitespace() || c.is_control()) {
                return field("public_url", "不能含空格、汉字或 #");
            }
            if url.len() > 60 {
                return field("public_url", "最长 60 个字符，否则二维码过密");
            }
        }
        if self.card.valid_years > 10 {
            return field("card.valid_years", "须在 0 到 10 之间");
        }
        let days = [
            ("trust.trust_list_days", self.trust.trust_list_days),
            ("trust.bundle_days", self.trust.bundle_days),
            ("trust.status_list_days", self.trust.status_list_days),
            ("trust.status_list_ttl_hours", self.trust.status_list_ttl_hours),
        ];
        for (name, value) in days {
            if !(1..=3660).contains(&value) {
                return field(name, "须在 1 到 3660 之间");
            }
        }
        if !(1..=1440).contains(&self.trust.refresh_minutes) {
            return field("trust.refresh_minutes", "须在 1 到 1440 之间");
        }
        if self.limits.file_mb == 0 || self.limits.unpacked_mb == 0 || self.limits.rows == 0 {
            return field("limits", "各项须大于 0");
        }
        if !(5..=480).contains(&self.console.idle_minutes) {
            return field("console.idle_minutes", "须在 5 到 480 之间");
        }
        if !(1..=24).contains(&self.console.session_hours) {
            return field("console.session_hours", "须在 1 到 24 之间");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_says_the_defaults() {
        assert_eq!(Config::parse(EXAMPLE).unwrap(), Config::default());
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let message = Config::parse("[card]\nissuers = 'x'").unwrap_err();
        assert!(message.contains("issuers"), "{message}");
    }

    #[test]
    fn an_address_with_a_fragment_is_refused() {
        let config = Config { public_url: "https://zyz.example.cn/#".into(), ..Config::default() };
        assert!(matches!(config.validate(), Err(ConfigError::Field { field: "public_url", .. })));
    }

    #[test]
    fn sessions_are_neither_endless_nor_too_short() {
        for console in
            [Console { idle_minutes: 4, ..Console::default() }, Console { session_hours: 25, ..Console::default() }]
        {
            let config = Config { console, ..Config::default() };
            assert!(matches!(config.validate(), Err(ConfigError::Field { .. })), "{config:?}");
        }
    }

    #[test]
    fn an_address_that_is_no_web_address_is_refused() {
        let config = Config { public_url: "zyz.example.cn".into(), ..Config::default() };
        assert!(matches!(config.validate(), Err(ConfigError::Field { field: "public_url", .. })));
    }
}
