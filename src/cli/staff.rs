//! `zyz staff …`: accounts of the console, the first administrator's above all.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::Out;
use crate::app::{App, AppError};
use crate::domain::account::Login;
use crate::domain::staff::Role;
use crate::service::desk::accounts::staff::{AccountDraft, InvitationLink};

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum StaffCommand {
    /// Open an account; prints a one-time link with which its owner sets a password
    Add(AddArgs),
    /// List accounts
    List,
    /// Take an account's password away and print a new one-time link; its sessions end
    Reset {
        /// Login name
        login: Login,
        /// Remove the second factor too: the telephone is lost
        #[arg(long)]
        second_factor: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Close an account; its sessions end
    Disable {
        /// Login name
        login: Login,
    },
    /// Open a closed account again
    Enable {
        /// Login name
        login: Login,
    },
}

/// Arguments of `zyz staff add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Login name: 3 to 32 letters, digits and . - _
    login: Login,
    /// The person's name
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// What they are
    #[arg(long)]
    role: RoleArg,
    /// County of a county account: code or name
    #[arg(long, value_name = "COUNTY")]
    county: Option<String>,
    /// Unit of a unit account: full name
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// Partner of a partner account: its number
    #[arg(long, value_name = "ID")]
    partner: Option<i64>,
    /// Set the password from the first line of this file instead of printing a link
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Where the console is.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Address of the server [default: public_url of the configuration]
    #[arg(long, value_name = "URL")]
    server_url: Option<String>,
}

/// Roles, as commands call them.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleArg {
    /// 联合会管理员
    Admin,
    /// 联合会经办
    Clerk,
    /// 县文明办
    County,
    /// 单位负责人
    Unit,
    /// 市文明办监督
    Oversight,
    /// 合作单位
    Partner,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Admin => Self::FederationAdmin,
            RoleArg::Clerk => Self::FederationClerk,
            RoleArg::County => Self::County,
            RoleArg::Unit => Self::Unit,
            RoleArg::Oversight => Self::Oversight,
            RoleArg::Partner => Self::Partner,
        }
    }
}

/// Runs an accounts command.
pub async fn run(app: &App, command: StaffCommand, out: Out) -> Result<(), AppError> {
    let federation = app.federation().await?;
    match command {
        StaffCommand::Add(args) => {
            let draft = AccountDraft {
                login: args.login.to_string(),
                name: args.name,
                role: Some(args.role.into()),
                county: args.county.unwrap_or_default(),
                unit: args.unit.unwrap_or_default(),
                partner: args.partner.map(|id| id.to_string()).unwrap_or_default(),
            };
            let Some(path) = &args.password_file else {
                let link = federation.invite_account(&draft).await?;
                return say_link(app, link, args.server, out);
            };
            federation.add_account(&draft, password_in(path)?).await?;
            out.result(&serde_json::json!({"login": draft.login}), |out| {
                out.line(format!("账号 {} 已开通，可以登录工作台。请删除密码文件 {}。", draft.login, path.display()));
            });
        }
        StaffCommand::List => {
            let accounts = federation.accounts().await?;
            out.result(&accounts, |out| {
                if accounts.is_empty() {
                    out.line("还没有账号。开通第一个管理员：zyz staff add 登录名 --name 姓名 --role admin");
                    return;
                }
                let rows: Vec<_> = accounts
                    .iter()
                    .map(|account| {
                        vec![
                            account.login.clone(),
                            account.name.clone(),
                            account.role_label.to_owned(),
                            if account.place.is_empty() { "全市".into() } else { account.place.clone() },
                            account.state_label.to_owned(),
                            if account.second_factor { "已启用".into() } else { "未启用".into() },
                            account.last_sign_in_at.clone().unwrap_or_else(|| "从未".into()),
                        ]
                    })
                    .collect();
                out.table(&["登录名", "姓名", "角色", "管辖", "状态", "动态验证码", "最近登录"], &rows);
            });
        }
        StaffCommand::Reset { login, second_factor, server } => {
            let link = federation.reset_account(login.as_str(), second_factor).await?;
            say_link(app, link, server, out)?;
        }
        StaffCommand::Disable { login } => {
            federation.set_account_enabled(login.as_str(), false, None).await?;
            out.result(&serde_json::json!({"login": login.as_str(), "state": "disabled"}), |out| {
                out.line(format!("账号 {login} 已停用，其全部登录已退出。"));
            });
        }
        StaffCommand::Enable { login } => {
            federation.set_account_enabled(login.as_str(), true, None).await?;
            out.result(&serde_json::json!({"login": login.as_str(), "state": "enabled"}), |out| {
                out.line(format!("账号 {login} 已重新启用。"));
            });
        }
    }
    Ok(())
}

fn say_link(app: &App, mut link: InvitationLink, server: ServerArgs, out: Out) -> Result<(), AppError> {
    let base = server.server_url.unwrap_or_else(|| app.config.public_url.clone());
    if base.is_empty() {
        out.warn("没有配置 public_url，也没有写 --server-url：请在下面的链接前补上服务器的网址。");
    }
    link.link = format!("{}/console{}", base.trim_end_matches('/'), link.path);
    out.result(&link, |out| {
        out.line(format!("{}（{}）的邀请链接，只能用一次，有效至 {}：", link.name, link.login, link.expires_at));
        out.line("");
        out.line(&link.link);
        out.line("");
        out.line("请把链接交给本人，由本人打开并设置密码。");
    });
    Ok(())
}

/// The first line of a file.
fn password_in(path: &std::path::Path) -> Result<Zeroizing<String>, AppError> {
    let io = |source| AppError::Io { path: path.display().to_string(), source };
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(io)?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
