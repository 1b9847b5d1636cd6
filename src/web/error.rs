//! Each operation's refusals as problems, once, every variant by name. What went wrong inside goes to the log and nowhere else.

use axum::http::StatusCode;
use zyz_http::layers::internal;
use zyz_http::problem::Problem;

use crate::service::ServiceError;
use crate::service::bundles::BundleError;
use crate::service::enrol::{AuthenticateError, EnrolError};
use crate::service::redeem::RedeemError;

/// A failure inside: 500, or 503 where trying again may help; all of it goes into the log.
pub(super) fn service(error: ServiceError) -> Problem {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    tracing::error!(%error, ?causes, "a request failed inside");
    if error.is_temporary() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database_away", "数据库暂时没有应答")
            .detail("请稍后重试")
            .retry_after(5);
    }
    internal()
}

/// Why a token is not accepted.
pub(super) fn authenticate(error: AuthenticateError) -> Problem {
    match error {
        AuthenticateError::Unknown => Problem::new(StatusCode::UNAUTHORIZED, "token_unknown", "令牌无效")
            .detail("请核对令牌；遗失时请联合会重新发登记链接"),
        AuthenticateError::Revoked => Problem::new(StatusCode::UNAUTHORIZED, "token_revoked", "这台设备已被停用")
            .detail("要继续使用，请联合会重新发登记链接"),
        AuthenticateError::Ended => Problem::new(StatusCode::FORBIDDEN, "agreement_ended", "与联合会的协议已终止")
            .detail("已给予的优惠仍可上报；续签后请重新登记"),
        AuthenticateError::Service(error) => service(error),
    }
}

/// Why there is no bundle, or no verdict by it.
pub(super) fn bundle(error: BundleError) -> Problem {
    match error {
        // The partner was found by its token a moment ago.
        BundleError::UnknownPartner { id } => {
            tracing::error!(partner = %id, "a device's partner is not in the database");
            internal()
        }
        BundleError::Service(error) => service(error),
    }
}

/// Why a device was not enrolled.
pub(super) fn enrol(error: EnrolError) -> Problem {
    match error {
        EnrolError::UnknownCode => unknown_code(),
        EnrolError::UsedCode => Problem::new(StatusCode::GONE, "code_used", "登记链接已经用过")
            .detail("一个链接只能登记一台设备，请联合会重新发一个"),
        EnrolError::ExpiredCode => {
            Problem::new(StatusCode::GONE, "code_expired", "登记链接已过期").detail("请联合会重新发一个")
        }
        EnrolError::AgreementEnded => {
            Problem::new(StatusCode::FORBIDDEN, "agreement_ended", "与联合会的协议已终止，不能登记设备")
                .detail("续签后请联合会重新发一个登记链接")
        }
        EnrolError::Service(error) => service(error),
    }
}

/// A one-time code that nobody was given, or that cannot be one.
pub(super) fn unknown_code() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "code_unknown", "登记链接无效")
        .detail("请核对链接是否完整，或请联合会重新发一个")
}

/// Why a batch was not taken.
pub(super) fn redeem(error: RedeemError) -> Problem {
    match error {
        RedeemError::TooMany => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "too_long", error.to_string()).detail("请分批发送")
        }
        RedeemError::Service(error) => service(error),
    }
}
