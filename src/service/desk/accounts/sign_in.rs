//! Signing in: password, then the second factor; one-time invitations.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::password;
use super::second_factor::Code;
use super::throttle::{Budget, Origin};
use crate::domain::account::{Login, PasswordFault, check_password};
use crate::service::desk::session::{Opened, SessionToken};
use crate::service::{Federation, ServiceError, service_errors};
use crate::store::{StaffAccount, StaffState, Stage, Tx};

/// How far a right password, code or invitation leads.
#[derive(Debug)]
pub enum SignedIn {
    /// In.
    Open(Opened),
    /// The second factor is wanted next; this token is for that step alone.
    SecondFactor(SessionToken),
}

/// Why nobody was let in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Login name or password, and it does not say which.
    #[error("登录名或密码不对，请核对后再试。忘记密码时请联系联合会管理员重置")]
    Wrong,
    /// The second factor.
    #[error("验证码不对或已经用过，请等手机上出现新的验证码再输入。手机不在身边时可用一个恢复码")]
    WrongCode,
    /// Too many failures.
    #[error("尝试次数过多，请在 {} 后再试。若不是您本人在尝试，请告诉联合会管理员", wait_words(*.seconds))]
    Later {
        /// For how long, seconds.
        seconds: i64,
    },
    /// The step between password and second factor took too long.
    #[error("等待时间过长，请重新登录")]
    StepOver,
    /// A password that was refused.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The password was not typed twice alike.
    #[error("两次输入的密码不同，请重新输入")]
    Differs,
    /// An invitation that is none, was used, or is over.
    #[error("这个邀请链接无效：可能已经用过、已过期，或已有更新的链接。请向联合会管理员要一个新的")]
    Invitation,
    /// The database.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

service_errors!(SignInError);

/// Who an invitation is for.
#[derive(Debug, Clone)]
pub struct Invited {
    /// Login name.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// Their role, in words.
    pub role: &'static str,
}

impl Federation {
    /// Signs in with a password.
    ///
    /// # Errors
    /// [`SignInError::Wrong`] for whatever is wrong, the same and in the same time for names that do not exist;
    /// [`SignInError::Later`].
    pub async fn sign_in(
        self: &Arc<Self>,
        login: &str,
        password: Zeroizing<String>,
        origin: Origin<'_>,
        browser: &str,
    ) -> Result<SignedIn, SignInError> {
        let login = login.trim().to_ascii_lowercase();
        let budget = self.budget("password", &login, origin);
        spend(self, &budget).await?;
        let account = match Login::parse(&login) {
            Ok(login) => self.store.read().await?.staff_by_login(login.as_str()).await?,
            Err(_) => None,
        };
        let usable = account.filter(|account| account.state == StaffState::Active);
        let stored = usable.as_ref().and_then(|account| account.password.clone());
        let right = password::verify(password, stored).await;
        let Some(account) = usable.filter(|_| right) else {
            return Err(SignInError::Wrong);
        };
        budget.forgive(&self.store).await?;
        self.forget_old_tries().await?;
        self.proceed(&account, browser).await
    }

    /// The second step: a code of the second factor, or a recovery code.
    ///
    /// # Errors
    /// [`SignInError::WrongCode`], [`SignInError::Later`]; [`SignInError::StepOver`] if the first step was too long ago.
    pub async fn sign_in_second(
        self: &Arc<Self>,
        token: &SessionToken,
        code: &str,
        origin: Origin<'_>,
        browser: &str,
    ) -> Result<Opened, SignInError> {
        let account = self.second_step(token).await?.ok_or(SignInError::StepOver)?;
        let budget = self.budget("code", &account.staff.login, origin);
        spend(self, &budget).await?;
        let mut tx = self.begin_as(&account.staff.login).await?;
        if !self.accept_code(&mut tx, account.staff.id, &Code::read(code)).await? {
            tx.rollback().await?;
            return Err(SignInError::WrongCode);
        }
        tx.end_session(&token.hash()).await?;
        let opened = self.open_session(&mut tx, &account, Stage::Open, browser).await?;
        tx.commit().await?;
        budget.forgive(&self.store).await?;
        Ok(opened)
    }

    /// Whether this token waits for the second factor.
    ///
    /// # Errors
    /// The database fails.
    pub async fn waits_for_second(self: &Arc<Self>, token: &SessionToken) -> Result<bool, SignInError> {
        Ok(self.second_step(token).await?.is_some())
    }

    /// Who an invitation is for. Looking does not use it up: messengers open links before people do.
    ///
    /// # Errors
    /// [`SignInError::Invitation`].
    pub async fn invited(&self, token: &str) -> Result<Invited, SignInError> {
        let account = self.invitation_account(token).await?;
        let role = account.staff.role.label();
        Ok(Invited { login: account.staff.login, name: account.staff.name, role })
    }

    /// Sets the password of whoever was invited, uses the invitation up, and lets them in as far as a password does.
    ///
    /// # Errors
    /// [`SignInError::Invitation`], [`SignInError::Password`], [`SignInError::Differs`].
    pub async fn accept_invitation(
        self: &Arc<Self>,
        token: &str,
        password: Zeroizing<String>,
        again: &str,
        browser: &str,
    ) -> Result<SignedIn, SignInError> {
        let account = self.invitation_account(token).await?;
        let staff = &account.staff;
        check_password(&staff.login, &staff.name, &password)?;
        if *password != again {
            return Err(SignInError::Differs);
        }
        let stored = password::hash(password, &*self.entropy).await;
        let mut tx = self.begin_as(&staff.login).await?;
        if !tx.use_invitation(&token_hash(token)).await? {
            tx.rollback().await?;
            return Err(SignInError::Invitation);
        }
        tx.set_password(staff.id, &stored).await?;
        tx.commit().await?;
        self.proceed(&account, browser).await
    }

    /// Ends the session of a cookie, whatever it is.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sign_out(self: &Arc<Self>, token: &SessionToken) -> Result<(), ServiceError> {
        let session = self.store.read().await?.session(&token.hash(), Stage::Open).await?;
        let actor = session.map_or_else(|| self.actor.clone(), |session| session.account.staff.login);
        let mut tx = self.begin_as(&actor).await?;
        tx.end_session(&token.hash()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// To the second factor where there is one, else in.
    async fn proceed(&self, account: &StaffAccount, browser: &str) -> Result<SignedIn, SignInError> {
        let mut tx = self.begin_as(&account.staff.login).await?;
        let stage = if account.second_factor { Stage::Second } else { Stage::Open };
        let opened = self.open_session(&mut tx, account, stage, browser).await?;
        tx.commit().await?;
        Ok(match stage {
            Stage::Second => SignedIn::SecondFactor(opened.token),
            Stage::Open => SignedIn::Open(opened),
        })
    }

    async fn open_session(
        &self,
        tx: &mut Tx,
        account: &StaffAccount,
        stage: Stage,
        browser: &str,
    ) -> Result<Opened, ServiceError> {
        let token = self.session_in(tx, account.staff.id, stage, browser).await?;
        Ok(Opened { token, device: self.new_device(&account.staff.login) })
    }

    async fn invitation_account(&self, token: &str) -> Result<StaffAccount, SignInError> {
        let mut reader = self.store.read().await?;
        let invitation = reader.invitation(&token_hash(token)).await?;
        let good = invitation.filter(|it| it.used_at.is_none() && it.expires_at > self.now());
        let Some(invitation) = good else { return Err(SignInError::Invitation) };
        let account = reader.staff_account(invitation.staff).await?;
        account.filter(|account| account.state != StaffState::Disabled).ok_or(SignInError::Invitation)
    }
}

/// What is stored of an invitation's token.
pub(super) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

async fn spend(federation: &Federation, budget: &Budget) -> Result<(), SignInError> {
    match budget.spend(&federation.store).await? {
        None => Ok(()),
        Some(seconds) => Err(SignInError::Later { seconds }),
    }
}

/// A duration in words, rounded up.
fn wait_words(seconds: i64) -> String {
    if seconds <= 60 { format!("{seconds} 秒") } else { format!("{} 分钟", (seconds + 59) / 60) }
}
