//! `zyz volunteer …`.

use std::io::Write;

use clap::{Args, Subcommand};

use super::Out;
use crate::app::{App, AppError};
use crate::domain::certificate::VolunteerState;
use crate::service::volunteers::ListFilter;

/// What can be asked about volunteers.
#[derive(Debug, Subcommand)]
pub enum VolunteerCommand {
    /// List volunteers with their cards
    List(ListArgs),
    /// One volunteer: person, hours, cards, history
    Show {
        /// Certificate number, ten digits
        number: String,
    },
    /// Take somebody back who had left, at their own wish
    Readmit {
        /// Certificate number, ten digits
        number: String,
    },
}

/// Arguments of `zyz volunteer list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this unit's
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// Only those of exactly this name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Only those in this standing: active, or exited (they have left) [default: everybody]
    #[arg(long, value_name = "STATE", value_parser = |s: &str| VolunteerState::parse(s).map_err(|e| e.to_string()))]
    state: Option<VolunteerState>,
}

/// Runs a volunteer command.
pub async fn run(app: &App, command: VolunteerCommand, out: Out) -> Result<(), AppError> {
    let federation = app.federation().await?;
    match command {
        VolunteerCommand::List(args) => {
            let filter = ListFilter { unit: args.unit, name: args.name, state: args.state };
            let people = federation.volunteers(&filter).await?;
            if out.is_json() {
                // One element a line: readable, and quick at 1,000,000.
                let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
                let _ = writeln!(stdout, "[");
                for (n, person) in people.iter().enumerate() {
                    let comma = if n + 1 < people.len() { "," } else { "" };
                    let line = serde_json::to_string(person).map_err(|e| AppError::Usage(e.to_string()))?;
                    if writeln!(stdout, "{line}{comma}").is_err() {
                        return Ok(());
                    }
                }
                let _ = writeln!(stdout, "]");
                return Ok(());
            }
            let rows: Vec<_> = people
                .iter()
                .map(|person| {
                    let (state, until) = match &person.certificate {
                        Some(card) => (card.label.to_owned(), card.expires_at[..10].to_owned()),
                        None => ("未制证".to_owned(), String::new()),
                    };
                    vec![
                        person.number.clone(),
                        person.name.clone(),
                        person.unit.clone(),
                        "★".repeat(usize::from(person.star)),
                        person.state_label.to_owned(),
                        state,
                        until,
                    ]
                })
                .collect();
            if rows.is_empty() {
                out.line("没有符合条件的志愿者。导入名册：zyz roster import 文件 --unit 单位 --county 02");
            } else {
                out.table(&["证书编号", "姓名", "单位", "星级", "状态", "证件", "有效期至"], &rows);
                out.line(format!("共 {} 人。", rows.len()));
            }
        }
        VolunteerCommand::Show { number } => {
            let person = federation.volunteer(super::number(&number)?).await?;
            out.result(&person, |out| {
                out.line(format!(
                    "{}  {}（{}）  {}",
                    person.number_grouped, person.name, person.sex, person.state_label
                ));
                out.line(format!("  单位：{}（{}）", person.unit, person.county_name));
                out.line(format!(
                    "  民族：{}  出生：{}  身份证号：{}  电话：{}",
                    person.ethnicity, person.birth_date, person.identity_masked, person.phone_masked
                ));
                out.line(format!(
                    "  星级：{}  累计服务 {:.1} 小时，本年 {:.1} 小时",
                    person.star, person.hours_lifetime, person.hours_this_year
                ));
                let rows: Vec<_> = person
                    .certificates
                    .iter()
                    .map(|card| {
                        vec![
                            card.issued_at.clone(),
                            card.expires_at.clone(),
                            card.star.to_string(),
                            card.label.to_owned(),
                            card.reason.clone(),
                            card.key_id.clone(),
                        ]
                    })
                    .collect();
                out.table(&["签发", "到期", "星级", "状态", "原因", "密钥"], &rows);
                let rows: Vec<_> = person
                    .history
                    .iter()
                    .map(|e| vec![e.at.clone(), e.actor.clone(), e.action.clone(), e.detail.clone()])
                    .collect();
                out.table(&["时间", "经办", "事项", "说明"], &rows);
            });
        }
        VolunteerCommand::Readmit { number } => {
            let change = federation.readmit(super::number(&number)?).await?;
            out.result(&change, |out| out.line(&change.message));
        }
    }
    Ok(())
}
