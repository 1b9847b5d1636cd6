//! The page with a pretended federation behind it, to look at while working on it:
//!
//! ```text
//! cargo run -p zyz-http --example page_demo -- "$(date +%s)"
//! ```
//!
//! Everything is forgotten at the end, and every key in here is known to everybody.
#![expect(clippy::print_stdout, reason = "an example tells where it listens")]

use std::error::Error;

use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use zyz_credential::*;
use zyz_http::page::{self, Mode, PageOptions};
use zyz_http::wire::{EntryOutcome, RedemptionBatch, RedemptionResult, ReversalResult, Standing};

const ADDRESS: &str = "127.0.0.1:8099";
const DAY: u64 = 86_400;
const COSE: [(header::HeaderName, &str); 2] = [(header::CONTENT_TYPE, "application/cose"), (header::ETAG, "\"demo\"")];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let now: u64 = std::env::args().nth(1).ok_or("the time, seconds since 1970, is wanted")?.parse()?;
    let [root, issuing, bundling] = [1, 2, 3].map(|seed| SigningKey::from_bytes(&[seed; 32]));
    let root_hex = hex::encode(PublicKey::of(&root).as_bytes());
    let public = bundle(now, 1, &root, &issuing, &bundling, Vec::new())?;
    let partner = bundle(now, 2, &root, &issuing, &bundling, offers())?;
    let federation = json!({"name": "普洱市志愿服务联合会", "root_public_key": root_hex, "phone": "0879-2120000"});
    let enrolment = json!({
        "token": "zyzp_demo", "device_id": "1", "root_public_key": root_hex,
        "partner": {"id": "1", "name": "思茅区振兴大道晨光便利店"},
    });
    let codes: Vec<_> = [(3, 7, "张三丰"), (0, 8, "岩温扁"), (5, 100, "玉波罕"), (1, 101, "娜发"), (2, 102, "艾嘎")]
        .into_iter()
        .map(|(star, status, name)| card(now, &issuing, star, status, name))
        .collect::<Result<_, _>>()?;
    let app = Router::new()
        .route("/v1/federation", get(async move || Json(federation)))
        .route("/v1/bundle", get(async move || (COSE, public).into_response()))
        .route("/v1/partner/bundle", get(async move || (COSE, partner).into_response()))
        .route("/v1/enrolments", post(async move || Json(enrolment)))
        .route("/v1/redemptions", post(redemptions))
        .route("/v1/lookup", post(lookup))
        .route("/demo/codes", get(async move || Json(codes)))
        .merge(page::router(PageOptions { mode: Mode::Federation }));
    println!("http://{ADDRESS}/scan#enrol=DEMO&root={root_hex}\nhttp://{ADDRESS}/demo/codes");
    axum::serve(tokio::net::TcpListener::bind(ADDRESS).await?, app).await?;
    Ok(())
}

/// Status 100 is revoked, 101 suspended, 102 superseded.
fn bundle(
    now: u64,
    version: u64,
    root: &SigningKey,
    issuing: &SigningKey,
    bundling: &SigningKey,
    offers: Vec<Offer>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let [key, bundle_key] = [issuing, bundling].map(PublicKey::of);
    let issuing_key = key.thumbprint();
    let issuer = "普洱市志愿服务联合会".to_owned();
    let (not_before, not_after, state) = (now - 30 * DAY, now + 1000 * DAY, KeyState::Active);
    let list_uri = "https://zyz.example.cn/status-lists/1".to_owned();
    let trust_list = TrustList {
        version: 1,
        issued_at: now - DAY,
        expires_at: now + 700 * DAY,
        issuing_keys: vec![IssuingKey { key, issuer, list_uri, not_before, not_after, state }],
        bundle_keys: vec![BundleKey { key: bundle_key, not_before, not_after, state }],
    };
    let set = |index: u32| StatusSet::from_sorted([index]);
    let list = ListStatus { issuing_key, revoked: set(100)?, suspended: set(101)?, superseded: set(102)? };
    let (issued_at, expires_at) = (now - 600, now + 30 * DAY);
    let trust_list = trust_list.sign(root)?;
    Ok(Bundle { version, issued_at, expires_at, trust_list, lists: vec![list], offers }.sign(bundling)?)
}

fn offers() -> Vec<Offer> {
    let mut discount = Offer::new("discount", OfferKind::Discount, "全场九折");
    discount.terms = "烟酒、特价商品除外".into();
    discount.limits.per_day = Some(1);
    let mut breakfast = Offer::new("breakfast", OfferKind::Free, "免费早餐一份");
    breakfast.min_star = 5;
    let mut checkup = Offer::new("checkup", OfferKind::Free, "免费测量血压");
    checkup.identity_check = true;
    vec![discount, breakfast, checkup, Offer::new("queue", OfferKind::Priority, "优先结账")]
}

fn card(now: u64, issuing: &SigningKey, star: u8, status: u32, name: &str) -> Result<String, Box<dyn Error>> {
    let number = CertificateNumber::from_parts(2, 1234 + status)?;
    let holder = Some(Holder::masked(name)?);
    let claims = Claims { number, star, status, holder, issued_at: now - DAY, expires_at: now + 400 * DAY };
    Ok(code_text(&format!("http://{ADDRESS}/"), &sign_credential(&claims, issuing)?))
}

async fn redemptions(Json(batch): Json<RedemptionBatch>) -> Json<Value> {
    let (outcome, standing) = (EntryOutcome::Recorded, Standing::Valid);
    let redemptions: Vec<_> = batch.redemptions.into_iter().map(|entry| entry.id).collect();
    let given = redemptions.into_iter().map(|id| RedemptionResult { id, outcome, standing, over_limit: false });
    let back = batch.reversals.into_iter().map(|entry| ReversalResult { id: entry.id, outcome });
    Json(json!({"redemptions": given.collect::<Vec<_>>(), "reversals": back.collect::<Vec<_>>()}))
}

async fn lookup(Json(asked): Json<Value>) -> Json<Value> {
    let message = "该证有效。请持证人出示志愿服务证，扫码后再给优惠。";
    let expires_at = "2027-12-31T15:59:59Z";
    let number = &asked["number"];
    Json(
        json!({"number": number, "standing": "valid", "star": 3, "holder": "张**", "expires_at": expires_at, "message": message}),
    )
}
