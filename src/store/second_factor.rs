//! Second factors: the sealed TOTP secret (RFC 6238) and keyed hashes of recovery codes.

use serde_json::json;
use zeroize::Zeroizing;

use super::row::Columns;
use super::sealed::Place;
use super::staff::object;
use super::{Reader, StoreError, Tx};

/// Where a confirmed secret stands.
const TOTP: &str = "totp";
/// Where a secret stands that was shown and not confirmed yet.
const TOTP_NEW: &str = "totp_new";

impl Reader {
    /// The confirmed secret, as text (base32).
    pub async fn totp_secret(&mut self, staff: i64) -> Result<Option<Zeroizing<String>>, StoreError> {
        self.secret(staff, "SELECT totp FROM staff WHERE id = $1 AND totp_step IS NOT NULL", TOTP).await
    }

    /// The secret that was shown and not confirmed yet.
    pub async fn totp_proposal(&mut self, staff: i64) -> Result<Option<Zeroizing<String>>, StoreError> {
        self.secret(staff, "SELECT totp_new FROM staff WHERE id = $1", TOTP_NEW).await
    }

    /// How many recovery codes are left.
    pub async fn recovery_codes_left(&mut self, staff: i64) -> Result<u32, StoreError> {
        let sql = "SELECT count(*) FROM recovery_code WHERE staff_id = $1 AND used_at IS NULL";
        sqlx::query(sql).bind(staff).fetch_one(self.connection()).await?.number(0, "数量")
    }

    async fn secret(
        &mut self,
        staff: i64,
        sql: &'static str,
        column: &'static str,
    ) -> Result<Option<Zeroizing<String>>, StoreError> {
        let row = sqlx::query(sql).bind(staff).fetch_optional(self.connection()).await?;
        let Some(sealed) = row.as_ref().map(|row| row.bytes_or_null(0)).transpose()?.flatten() else { return Ok(None) };
        let place = Place { table: "staff", column, row: staff };
        Ok(Some(self.shared.sealer.open(place, sealed)?))
    }
}

impl Tx {
    /// Keeps a secret that is about to be shown, in place of an earlier one that was not confirmed. No event: nothing
    /// depends on it until it is confirmed.
    pub async fn propose_totp(&mut self, staff: i64, secret: &str) -> Result<(), StoreError> {
        let sealed = self.sealed(TOTP_NEW, staff, secret);
        let query = sqlx::query("UPDATE staff SET totp_new = $1 WHERE id = $2").bind(sealed).bind(staff);
        query.execute(self.connection()).await?;
        Ok(())
    }

    /// Makes the proposed secret the one in force, its code of time step `step` having been shown
    /// (`staff.second_factor`).
    pub async fn confirm_totp(&mut self, staff: i64, secret: &str, step: i64) -> Result<(), StoreError> {
        let sealed = self.sealed(TOTP, staff, secret);
        let sql = "UPDATE staff SET totp = $1, totp_step = $2, totp_new = NULL WHERE id = $3";
        sqlx::query(sql).bind(sealed).bind(step).bind(staff).execute(self.connection()).await?;
        self.audit("staff.second_factor", object(staff), json!({"set": true}));
        Ok(())
    }

    /// Takes the second factor away (`staff.second_factor`).
    pub async fn drop_second_factor(&mut self, staff: i64) -> Result<(), StoreError> {
        self.clear_second_factor(staff).await?;
        self.audit("staff.second_factor", object(staff), json!({"set": false}));
        Ok(())
    }

    /// Accepts the code of a time step once: false if this step or a later one was accepted before (RFC 6238 §5.2).
    pub async fn accept_totp_step(&mut self, staff: i64, step: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE staff SET totp_step = $1 WHERE id = $2 AND totp_step < $1";
        let query = sqlx::query(sql).bind(step).bind(staff);
        Ok(query.execute(self.connection()).await?.rows_affected() == 1)
    }

    /// Replaces all recovery codes (`staff.recovery_codes`).
    pub async fn replace_recovery_codes(&mut self, staff: i64, codes: &[String]) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM recovery_code WHERE staff_id = $1").bind(staff);
        query.execute(self.connection()).await?;
        for code in codes {
            let hash = self.code_hash(staff, code);
            let sql = "INSERT INTO recovery_code (code_hash, staff_id) VALUES ($1, $2)";
            sqlx::query(sql).bind(&hash[..]).bind(staff).execute(self.connection()).await?;
        }
        self.audit("staff.recovery_codes", object(staff), json!({"count": codes.len()}));
        Ok(())
    }

    /// Uses a recovery code up (`staff.recovery_code`); false if it is none of theirs or was used.
    pub async fn use_recovery_code(&mut self, staff: i64, code: &str) -> Result<bool, StoreError> {
        let (hash, now) = (self.code_hash(staff, code), self.now.as_second());
        let sql = "UPDATE recovery_code SET used_at = $1 WHERE code_hash = $2 AND staff_id = $3 AND used_at IS NULL";
        let query = sqlx::query(sql).bind(now).bind(&hash[..]).bind(staff);
        let used = query.execute(self.connection()).await?.rows_affected() == 1;
        if used {
            self.audit("staff.recovery_code", object(staff), json!({}));
        }
        Ok(used)
    }

    pub(super) async fn clear_second_factor(&mut self, staff: i64) -> Result<(), StoreError> {
        let sql = "UPDATE staff SET totp = NULL, totp_step = NULL, totp_new = NULL WHERE id = $1";
        sqlx::query(sql).bind(staff).execute(self.connection()).await?;
        let query = sqlx::query("DELETE FROM recovery_code WHERE staff_id = $1").bind(staff);
        query.execute(self.connection()).await?;
        Ok(())
    }

    fn sealed(&self, column: &'static str, staff: i64, secret: &str) -> Vec<u8> {
        let mut nonce = [0; 24];
        self.shared.entropy.fill(&mut nonce);
        self.shared.sealer.seal(Place { table: "staff", column, row: staff }, &nonce, secret)
    }

    fn code_hash(&self, staff: i64, code: &str) -> [u8; 32] {
        self.shared.sealer.blind("recovery_code", &format!("{staff}:{code}"))
    }
}
