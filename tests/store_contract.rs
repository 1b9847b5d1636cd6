//! Every method of the store, on both databases.
//!
//! A case is an `async fn(Database)` named in a `contract!` list; it runs once on SQLite, in a temporary folder, and once
//! on PostgreSQL, in a schema of its own. `ZYZ_TEST_POSTGRES` names a database where schemas may be made
//! (`postgres://user@host:port/postgres`). Without it the PostgreSQL cases fail, unless `ZYZ_TEST_SKIP_POSTGRES=1` says
//! that they are left out on purpose.

#![allow(clippy::unwrap_used, reason = "the cases are functions that tests call; in both, an unwrap is the assertion")]

#[path = "store_contract/support.rs"]
mod support;

#[path = "store_contract/accounts.rs"]
mod accounts;
#[path = "store_contract/applications.rs"]
mod applications;
#[path = "store_contract/audit.rs"]
mod audit;
#[path = "store_contract/audit_search.rs"]
mod audit_search;
#[path = "store_contract/certificates.rs"]
mod certificates;
#[path = "store_contract/desk_hours.rs"]
mod desk_hours;
#[path = "store_contract/hours_and_stars.rs"]
mod hours_and_stars;
#[path = "store_contract/jobs_and_lists.rs"]
mod jobs_and_lists;
#[path = "store_contract/keys_and_publications.rs"]
mod keys_and_publications;
#[path = "store_contract/opening.rs"]
mod opening;
#[path = "store_contract/partners.rs"]
mod partners;
#[path = "store_contract/people.rs"]
mod people;
#[path = "store_contract/races.rs"]
mod races;
#[path = "store_contract/redemptions.rs"]
mod redemptions;
#[path = "store_contract/rosters.rs"]
mod rosters;
#[path = "store_contract/sealing.rs"]
mod sealing;
#[path = "store_contract/seams.rs"]
mod seams;
#[path = "store_contract/statistics.rs"]
mod statistics;
#[path = "store_contract/volunteers.rs"]
mod volunteers;
