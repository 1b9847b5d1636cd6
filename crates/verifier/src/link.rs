//! The enrolment link that the federation hands out: `<server url>scan#enrol=CODE&root=KEY`.
//!
//! What stands behind `#` never travels to a server by itself: the one-time code goes out once, in the body of the
//! enrolment, and the root key stays here to be compared.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::root::{RootError, RootKey};

const MAX_LINK_CHARS: usize = 2048;
const MAX_CODE_CHARS: usize = 64;

/// Address of the federation's server, ending in `/`: `https`, or `http` on this machine (tests, demonstrations).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(String);

/// A link, taken apart. Its code is a secret until it is used: `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentLink {
    /// Where to enrol.
    pub server: ServerUrl,
    /// Good for one enrolment.
    pub code: String,
    /// What is to be believed from now on.
    pub root: RootKey,
}

/// Why a text is not an enrolment link.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// No address with `scan#` in it.
    #[error("这不是登记链接（应形如 https://…/scan#enrol=…&root=…）。请从联合会发来的消息里完整复制，命令行里要加引号")]
    Shape,
    /// The part behind `#` lacks its code, or the code has strange characters.
    #[error("登记链接里没有一次性登记码，可能没有复制完整。请重新复制；仍是这样，请联合会再发一个")]
    Code,
    /// The part behind `#` lacks the root key, or it is not 43 characters of base64url.
    #[error("登记链接里没有根公钥，可能没有复制完整。请重新复制；仍是这样，请联合会再发一个")]
    RootMissing,
    /// 32 bytes that are no key to be trusted.
    #[error(transparent)]
    Root(#[from] RootError),
    /// Not encrypted, and not on this machine.
    #[error("登记链接不是 https 地址，途中可能被改动，不能使用。请联合会重新发送")]
    NotEncrypted,
    /// With a user name, a query or no host.
    #[error("登记链接里的服务器地址不合格。请联合会重新发送")]
    Server,
}

impl ServerUrl {
    /// Takes an address of a server.
    ///
    /// # Errors
    /// [`LinkError::NotEncrypted`], [`LinkError::Server`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let uri: Uri = text.parse().map_err(|_| LinkError::Server)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(LinkError::Server);
        };
        if authority.as_str().contains('@') || authority.host().is_empty() || uri.query().is_some() {
            return Err(LinkError::Server);
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(authority.host()) => {}
            _ => return Err(LinkError::NotEncrypted),
        }
        let mut url = text.to_owned();
        if !url.ends_with('/') {
            url.push('/');
        }
        Ok(Self(url))
    }

    /// The address of `path` (without a leading `/`) on this server.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether the server is this very machine.
    pub fn is_loopback(&self) -> bool {
        self.0.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(is_loopback))
    }

    /// The text, ending in `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnrolmentLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        if text.len() > MAX_LINK_CHARS {
            return Err(LinkError::Shape);
        }
        let (address, fragment) = text.split_once('#').ok_or(LinkError::Shape)?;
        let server = address.strip_suffix("scan").filter(|server| server.ends_with('/')).ok_or(LinkError::Shape)?;
        let part = |name: &str| fragment.split('&').find_map(|part| part.strip_prefix(name));
        let code = part("enrol=").unwrap_or_default();
        if !(1..=MAX_CODE_CHARS).contains(&code.len())
            || !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        {
            return Err(LinkError::Code);
        }
        let root = base64url_32(part("root=").unwrap_or_default()).ok_or(LinkError::RootMissing)?;
        let root = RootKey::from_bytes(&root)?;
        Ok(Self { server: ServerUrl::parse(server)?, code: code.to_owned(), root })
    }
}

impl fmt::Debug for EnrolmentLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentLink").field("server", &self.server).field("root", &self.root).finish_non_exhaustive()
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a host (with or without the brackets of IPv6) is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The 32 bytes of exactly 43 characters of base64url without padding, in their one canonical form.
fn base64url_32(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zyz_credential::{PublicKey, SigningKey};

    fn root() -> String {
        URL_SAFE_NO_PAD.encode(PublicKey::of(&SigningKey::from_bytes(&[1; 32])).as_bytes())
    }

    fn parse(text: &str) -> Result<EnrolmentLink, LinkError> {
        text.parse()
    }

    #[test]
    fn a_link_is_taken_apart() {
        let link = parse(&format!(" https://zyz.example.cn/v/scan#enrol=ABC-123&root={}\n", root())).unwrap();
        assert_eq!(link.server.join("v1/enrolments"), "https://zyz.example.cn/v/v1/enrolments");
        assert_eq!(link.code, "ABC-123");
        assert_eq!(link.root.as_bytes(), PublicKey::of(&SigningKey::from_bytes(&[1; 32])).as_bytes());
        assert!(!format!("{link:?}").contains("ABC-123"));
    }

    #[test]
    fn only_this_machine_may_be_asked_in_the_clear() {
        let link = |server: &str| parse(&format!("{server}scan#enrol=A&root={}", root()));
        for good in ["http://localhost:8080/", "http://127.0.0.1/", "http://[::1]:9/", "https://a.cn/"] {
            assert!(link(good).is_ok(), "{good}");
        }
        for bad in ["http://zyz.example.cn/", "http://localhost.example.cn/", "http://10.0.0.1/", "ftp://localhost/"] {
            assert!(matches!(link(bad), Err(LinkError::NotEncrypted)), "{bad}");
        }
        for bad in ["https://user@a.cn/", "https:///", "/"] {
            assert!(matches!(link(bad), Err(LinkError::Server)), "{bad}");
        }
    }

    #[test]
    fn each_missing_part_is_named() {
        let root = root();
        assert!(matches!(parse("https://a.cn/scan"), Err(LinkError::Shape)));
        assert!(matches!(parse(&format!("https://a.cn/#enrol=A&root={root}")), Err(LinkError::Shape)));
        assert!(matches!(parse(&format!("https://a.cn/scan#root={root}")), Err(LinkError::Code)));
        assert!(matches!(parse(&format!("https://a.cn/scan#enrol=A%20B&root={root}")), Err(LinkError::Code)));
        assert!(matches!(parse("https://a.cn/scan#enrol=A"), Err(LinkError::RootMissing)));
        assert!(matches!(
            parse(&format!("https://a.cn/scan#enrol=A&root={}", &root[1..])),
            Err(LinkError::RootMissing)
        ));
        let weak = format!("https://a.cn/scan#enrol=A&root=AQ{}", "A".repeat(41));
        assert!(matches!(parse(&weak), Err(LinkError::Root(RootError::Refused(_)))));
    }
}
