//! `zyz migrate`.

use super::Out;
use crate::app::{App, AppError};

/// Brings the database up to this program; safe to repeat.
pub async fn run(app: &App, out: Out) -> Result<(), AppError> {
    app.migrate().await?;
    out.result(&serde_json::json!({"migrated": true}), |out| out.line("数据库已是本程序所需的版本。"));
    Ok(())
}
