//! The second factor: TOTP (RFC 6238, SHA-1, six digits, 30 seconds, as every app has it) and recovery codes.

use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

use super::password;
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::{Federation, ServiceError, seconds};
use crate::store::Tx;

/// Bytes of a secret (RFC 4226 §4 R6 recommends 160 bits).
const SECRET: usize = 20;
/// Recovery codes handed out at a time.
const CODES: usize = 10;
/// Letters of recovery codes: those that look alike are read as one.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Letters of a recovery code.
const LETTERS: usize = 12;

/// A second factor about to be set up.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret in groups of four letters, to be typed.
    pub secret: Zeroizing<String>,
    /// `otpauth://…`, to be shown as a code.
    pub uri: Zeroizing<String>,
}

/// How somebody's second factor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whether it is set up.
    pub set: bool,
    /// Whether their role must have one.
    pub required: bool,
    /// Recovery codes left.
    pub codes_left: u32,
}

/// What somebody typed where a code was asked for.
pub(super) enum Code {
    Totp(String),
    Recovery(String),
}

impl Code {
    /// Six digits are a code of the app; everything else is held to be a recovery code.
    pub(super) fn read(text: &str) -> Self {
        let bare: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let bare: String = bare.chars().map(half_width).collect::<String>().to_ascii_lowercase();
        if bare.len() == 6 && bare.bytes().all(|b| b.is_ascii_digit()) {
            return Self::Totp(bare);
        }
        let alike = |c| match c {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        };
        Self::Recovery(bare.chars().map(alike).collect())
    }
}

impl Federation {
    /// Uses a code up: true if it was good and had not been used.
    pub(super) async fn accept_code(&self, tx: &mut Tx, staff: i64, code: &Code) -> Result<bool, ServiceError> {
        match code {
            Code::Recovery(code) => Ok(tx.use_recovery_code(staff, code).await?),
            Code::Totp(code) => {
                let Some(secret) = tx.totp_secret(staff).await? else { return Ok(false) };
                let Some(step) = step_of(&secret, code, self) else { return Ok(false) };
                Ok(tx.accept_totp_step(staff, step).await?)
            }
        }
    }
}

impl Desk {
    /// How the own second factor stands.
    ///
    /// # Errors
    /// The database fails.
    pub async fn second_factor(&self) -> Result<SecondFactor, DeskError> {
        self.need(Permission::OwnAccount)?;
        let mut reader = self.office().store.read().await?;
        let set = reader.totp_secret(self.staff().id).await?.is_some();
        let required = self.office().config().console.second_factor && self.staff().role.needs_second_factor();
        Ok(SecondFactor { set, required, codes_left: reader.recovery_codes_left(self.staff().id).await? })
    }

    /// Begins to set the second factor up: a new secret, or the one shown last if it was not confirmed. Who has one already
    /// must give the password.
    ///
    /// # Errors
    /// [`DeskError::Invalid`] for a wrong password.
    pub async fn propose_second_factor(&self, password: &str) -> Result<Enrolment, DeskError> {
        if self.second_factor().await?.set {
            self.check_own_password(password).await?;
        }
        let mut bytes = Zeroizing::new([0; SECRET]);
        self.office().entropy.fill(bytes.as_mut());
        let secret = Secret::from(bytes.to_vec()).to_base32();
        let mut tx = self.office().begin().await?;
        tx.propose_totp(self.staff().id, &secret).await?;
        tx.commit().await?;
        self.enrolment(&secret)
    }

    /// The secret that was shown last and not confirmed; none if there is none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn second_factor_proposal(&self) -> Result<Option<Enrolment>, DeskError> {
        self.need(Permission::OwnAccount)?;
        let secret = self.office().store.read().await?.totp_proposal(self.staff().id).await?;
        secret.map(|secret| self.enrolment(&secret)).transpose()
    }

    /// Sets the second factor up with a first code of it. Returns the recovery codes, which are shown this once.
    ///
    /// # Errors
    /// [`DeskError::Invalid`] for a wrong code; [`DeskError::Refused`] if nothing was begun.
    pub async fn confirm_second_factor(&self, code: &str) -> Result<Vec<String>, DeskError> {
        self.need(Permission::OwnAccount)?;
        let office = self.office();
        let id = self.staff().id;
        self.spend_own("confirm").await?;
        let mut tx = office.begin().await?;
        let Some(secret) = tx.totp_proposal(id).await? else {
            tx.rollback().await?;
            return Err(DeskError::Refused("没有正在设置的动态验证码，请重新开始".into()));
        };
        let step = match Code::read(code) {
            Code::Totp(code) => step_of(&secret, &code, office),
            Code::Recovery(_) => None,
        };
        let Some(step) = step else {
            tx.rollback().await?;
            let message = "验证码不对：请输入手机上正在显示的六位数字，并检查手机的时间是否准确".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "code", message }]));
        };
        tx.confirm_totp(id, &secret, step).await?;
        let codes = new_codes(office);
        tx.replace_recovery_codes(id, &codes).await?;
        tx.commit().await?;
        self.forgive_own("confirm").await?;
        Ok(codes.iter().map(|code| grouped(code)).collect())
    }

    /// New recovery codes in place of the old ones, shown this once.
    ///
    /// # Errors
    /// [`DeskError::Invalid`] for a wrong password; [`DeskError::Refused`] without a second factor.
    pub async fn new_recovery_codes(&self, password: &str) -> Result<Vec<String>, DeskError> {
        if !self.second_factor().await?.set {
            return Err(DeskError::Refused("还没有启用动态验证码，不需要恢复码".into()));
        }
        self.check_own_password(password).await?;
        let codes = new_codes(self.office());
        let mut tx = self.office().begin().await?;
        tx.replace_recovery_codes(self.staff().id, &codes).await?;
        tx.commit().await?;
        Ok(codes.iter().map(|code| grouped(code)).collect())
    }

    /// Takes the own second factor away, where the role need not have one.
    ///
    /// # Errors
    /// [`DeskError::Refused`] where it must; [`DeskError::Invalid`] for a wrong password.
    pub async fn drop_second_factor(&self, password: &str) -> Result<(), DeskError> {
        if self.second_factor().await?.required {
            return Err(DeskError::Refused("您的角色必须启用动态验证码，只能更换，不能停用".into()));
        }
        self.check_own_password(password).await?;
        let mut tx = self.office().begin().await?;
        tx.drop_second_factor(self.staff().id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Holds the password of whoever is at the screen.
    pub(super) async fn check_own_password(&self, typed: &str) -> Result<(), DeskError> {
        self.spend_own("own password").await?;
        let account = self.office().store.read().await?.staff_account(self.staff().id).await?;
        let stored = account.and_then(|account| account.password);
        if !password::verify(Zeroizing::new(typed.to_owned()), stored).await {
            let message = "现在的密码不对，请重新输入".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "password", message }]));
        }
        self.forgive_own("own password").await
    }

    async fn spend_own(&self, what: &str) -> Result<(), DeskError> {
        let office = self.office();
        match office.own_budget(what, self.staff().id).spend(&office.store).await? {
            None => Ok(()),
            Some(seconds) => Err(DeskError::Refused(format!("尝试次数过多，请在 {seconds} 秒后再试"))),
        }
    }

    async fn forgive_own(&self, what: &str) -> Result<(), DeskError> {
        let office = self.office();
        Ok(office.own_budget(what, self.staff().id).forgive(&office.store).await?)
    }

    fn enrolment(&self, secret: &str) -> Result<Enrolment, DeskError> {
        let issuer = self.office().config().card.issuer.replace(':', "：");
        let built = Secret::try_from_base32(secret).ok().and_then(|bytes| {
            let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(bytes);
            builder.with_account_name(self.staff().login.clone()).with_issuer(Some(issuer)).build().ok()
        });
        let uri = built.and_then(|totp: Totp| totp.to_url().ok());
        let uri = uri.ok_or_else(|| DeskError::Refused("动态验证码没有生成，请重新开始".into()))?;
        Ok(Enrolment { secret: Zeroizing::new(grouped(secret)), uri: Zeroizing::new(uri) })
    }
}

/// The time step whose code this is, within one step of the present.
fn step_of(secret: &str, code: &str, federation: &Federation) -> Option<i64> {
    let bytes = Secret::try_from_base32(secret).ok()?;
    let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(bytes).build().ok()?;
    totp.check(code, seconds(federation.now())).and_then(|step| step.try_into().ok())
}

fn new_codes(federation: &Federation) -> Vec<String> {
    let code = || {
        let mut bytes = [0; LETTERS];
        federation.entropy.fill(&mut bytes);
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
    };
    (0..CODES).map(|_| code()).collect()
}

/// In groups of four.
fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        other => other,
    }
}
