//! Passwords: Argon2id (RFC 9106), away from the threads that answer requests.

use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::clock::Entropy;

/// Memory, KiB, and passes: OWASP's first choice for Argon2id with one lane.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Passwords hashed at the same time; each takes a core and [`MEMORY`].
static PLACES: Semaphore = Semaphore::const_new(2);

/// The PHC string of a password, with a salt of its own.
pub(super) async fn hash(password: Zeroizing<String>, entropy: &dyn Entropy) -> String {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    off_thread(move || hash_with(&password, &salt)).await.unwrap_or_default()
}

/// Whether the password is the one of `stored`. Without one, or with one that is no PHC string, it takes as long and is not.
pub(super) async fn verify(password: Zeroizing<String>, stored: Option<String>) -> bool {
    off_thread(move || {
        let known = stored.as_deref().and_then(|stored| PasswordHash::new(stored).ok());
        let exists = known.is_some();
        let against = known.or_else(|| PasswordHash::new(nobodys()).ok());
        let matches = against.is_some_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok());
        exists && matches
    })
    .await
    .unwrap_or(false)
}

/// The hash that is compared where there is none, so that unknown names take as long as known ones.
fn nobodys() -> &'static str {
    static NOBODY: OnceLock<String> = OnceLock::new();
    NOBODY.get_or_init(|| hash_with("nobody has this password", b"sixteen bytes ok"))
}

fn hash_with(password: &str, salt: &[u8]) -> String {
    let hash: PasswordHash =
        hasher().hash_password_with_salt(password.as_bytes(), salt).expect("a salt of 16 bytes and fixed parameters");
    hash.to_string()
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY, PASSES, 1, None).expect("fixed parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _place = PLACES.acquire().await.ok()?;
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) => {
            tracing::error!(%error, "hashing a password failed");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_stored_and_at_least_owasps() {
        let stored = hash_with("correct horse battery", &[7; 16]);
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    }

    #[tokio::test]
    async fn right_wrong_and_nobodys() {
        let stored = hash_with("correct horse battery", &[7; 16]);
        let verify = |password: &str, stored: Option<&str>| {
            verify(Zeroizing::new(password.to_owned()), stored.map(str::to_owned))
        };
        assert!(verify("correct horse battery", Some(&stored)).await);
        assert!(!verify("correct horse batterY", Some(&stored)).await);
        assert!(!verify("nobody has this password", None).await);
        assert!(!verify("nobody has this password", Some("")).await);
    }
}
