//! Errors that providers tell of, in a stream or instead of one.
//!
//! What matters is whom they are about: everybody, so that it is better to wait; the one prompt; or the key and the
//! address that the installation's operator wrote down. A provider says it by its status, and more exactly by a code.

use serde_json::Value;

use super::super::request::{Failure, FailureKind};

/// An error in a provider's own form.
#[derive(Debug)]
pub(in crate::models) struct ToldError<'v> {
    error: &'v Value,
}

type Codes = &'static [(FailureKind, &'static [&'static str])];

/// Codes that say what an error is about, whatever its status.
const CODES: Codes = &[
    (
        FailureKind::Refused,
        &[
            "content_filter",
            "content_policy_violation",
            "ResponsibleAIPolicyViolation",
            "context_length_exceeded",
            "exceed_context_size_error",
            "string_above_max_length",
            "request_too_large",
            "invalid_prompt",
            "unsupported_parameter",
            "unsupported_value",
        ],
    ),
    (
        FailureKind::Setup,
        &[
            "invalid_api_key",
            "API_KEY_INVALID",
            "UNAUTHENTICATED",
            "authentication_error",
            "PERMISSION_DENIED",
            "permission_error",
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_error",
            "FAILED_PRECONDITION",
            "model_not_found",
            "not_found_error",
            "NOT_FOUND",
        ],
    ),
    (
        FailureKind::Temporary,
        &[
            "overloaded_error",
            "rate_limit_error",
            "rate_limit_exceeded",
            "RESOURCE_EXHAUSTED",
        ],
    ),
];

/// Codes that say less than a status, and something where there is none.
const VAGUE_CODES: Codes = &[
    (
        FailureKind::Refused,
        &["invalid_request_error", "INVALID_ARGUMENT"],
    ),
    (
        FailureKind::Temporary,
        &["UNAVAILABLE", "INTERNAL", "api_error", "server_error"],
    ),
];

impl<'v> ToldError<'v> {
    /// Returns an error if the frame of a stream tells of one.
    ///
    /// An error that is null is none.
    pub(super) fn in_field(frame: &'v Value) -> Result<(), Failure> {
        match frame.get("error") {
            None | Some(Value::Null) => Ok(()),
            Some(error) => Err(Self { error }.failure()),
        }
    }

    /// Returns what stands in a body, where anything does.
    pub(in crate::models) fn in_body(body: &'v Value) -> Option<Self> {
        // Gemini answers with a list where it was to stream.
        let body = body.get(0).unwrap_or(body);
        let error = body.get("error").filter(|error| !error.is_null())?;
        Some(Self { error })
    }

    fn failure(&self) -> Failure {
        let status = self.error["code"]
            .as_u64()
            .and_then(|code| u16::try_from(code).ok());
        let status = status.filter(|status| (400..600).contains(status));
        let (kind, code) = self.kind_and_code(CODES);
        let (vague, vague_code) = self.kind_and_code(VAGUE_CODES);
        let kind = kind.or_else(|| status.map(kind_of)).or(vague);
        let (kind, code) = (kind.unwrap_or(FailureKind::Temporary), code.or(vague_code));
        Failure {
            reason: format!(
                "the provider told of an error instead of answering{}",
                code_told(code)
            ),
            kind,
            retry_after_ms: self.retry_after_ms(),
        }
    }

    /// Returns what the first of some codes that it has is about.
    fn kind_and_code(&self, codes: Codes) -> (Option<FailureKind>, Option<&'static str>) {
        let fields = ["code", "type", "status"].map(|name| self.error[name].as_str());
        let inner = self.error.pointer("/innererror/code").and_then(Value::as_str);
        let details = self.error["details"].as_array().into_iter().flatten();
        let reasons = details.filter_map(|detail| detail["reason"].as_str());
        let told: Vec<&str> = fields.into_iter().flatten().chain(inner).chain(reasons).collect();
        for (kind, codes) in codes {
            if let Some(code) = codes.iter().find(|code| told.contains(code)) {
                return (Some(*kind), Some(code));
            }
        }
        (None, None)
    }

    /// Returns how long Gemini asks to be left alone: `google.rpc.RetryInfo` among the details.
    fn retry_after_ms(&self) -> Option<u64> {
        let details = self.error["details"].as_array()?;
        let delay = details.iter().find_map(|detail| detail["retryDelay"].as_str())?;
        milliseconds(delay.strip_suffix('s')?)
    }
}

/// Returns what a status and a body say, and for how long a provider asks to be left alone in the body.
pub(in crate::models) fn refusal_of(status: u16, body: &str) -> Failure {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let error = ToldError::in_body(&body);
    let told = error.as_ref().map(|error| error.kind_and_code(CODES));
    let (kind, code) = told.unwrap_or_default();
    let kind = kind.unwrap_or_else(|| kind_of(status));
    Failure {
        reason: format!("the provider answered with status {status}{}", code_told(code)),
        kind,
        retry_after_ms: error.and_then(|error| error.retry_after_ms()),
    }
}

fn code_told(code: Option<&str>) -> String {
    code.map(|code| format!(" (`{code}`)")).unwrap_or_default()
}

fn kind_of(status: u16) -> FailureKind {
    match status {
        408 | 425 | 429 | 500.. => FailureKind::Temporary,
        // The key, the account, the address, the name of the model.
        ..=399 | 401..=405 | 407 | 410 => FailureKind::Setup,
        _ => FailureKind::Refused,
    }
}

/// Reads a number of seconds.
pub(in crate::models) fn milliseconds(seconds: &str) -> Option<u64> {
    let seconds: f64 = seconds.trim().parse().ok()?;
    let duration = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_says_whom_an_error_is_about() {
        for (status, kind) in [
            (400, FailureKind::Refused),
            (401, FailureKind::Setup),
            (403, FailureKind::Setup),
            (404, FailureKind::Setup),
            (307, FailureKind::Setup),
            (413, FailureKind::Refused),
            (422, FailureKind::Refused),
            (429, FailureKind::Temporary),
            (500, FailureKind::Temporary),
            (529, FailureKind::Temporary),
        ] {
            let failure = refusal_of(status, "<html>");
            assert_eq!(failure.kind, kind, "{status}");
            assert_eq!(
                failure.reason,
                format!("the provider answered with status {status}")
            );
        }
    }

    #[test]
    fn a_code_says_it_more_exactly() {
        for (status, error, kind, code) in [
            (
                400,
                json!({"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}),
                FailureKind::Setup,
                "API_KEY_INVALID",
            ),
            (
                400,
                json!({"type": "invalid_request_error", "code": "context_length_exceeded", "message": "secret"}),
                FailureKind::Refused,
                "context_length_exceeded",
            ),
            (
                400,
                json!({"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}),
                FailureKind::Refused,
                "content_filter",
            ),
            (
                429,
                json!({"type": "insufficient_quota", "code": "insufficient_quota"}),
                FailureKind::Setup,
                "insufficient_quota",
            ),
            (
                401,
                json!({"type": "invalid_request_error", "code": "invalid_api_key"}),
                FailureKind::Setup,
                "invalid_api_key",
            ),
            (
                529,
                json!({"type": "overloaded_error"}),
                FailureKind::Temporary,
                "overloaded_error",
            ),
            (
                500,
                json!({"code": 500, "type": "exceed_context_size_error"}),
                FailureKind::Refused,
                "exceed_context_size_error",
            ),
        ] {
            let failure = refusal_of(status, &json!({"error": error}).to_string());
            assert_eq!(failure.kind, kind, "{code}");
            assert_eq!(
                failure.reason,
                format!("the provider answered with status {status} (`{code}`)")
            );
        }
    }

    #[test]
    fn an_error_in_a_stream_says_it_too() {
        for (error, kind) in [
            (
                json!({"type": "overloaded_error", "message": "x"}),
                FailureKind::Temporary,
            ),
            (json!({"type": "invalid_request_error"}), FailureKind::Refused),
            (json!({"type": "authentication_error"}), FailureKind::Setup),
            (json!({"code": 502, "message": "x"}), FailureKind::Temporary),
            (json!({"code": 400, "message": "x"}), FailureKind::Refused),
            (json!({"code": "context_length_exceeded"}), FailureKind::Refused),
            (json!("something failed"), FailureKind::Temporary),
        ] {
            let failure = ToldError::in_field(&json!({"error": error})).unwrap_err();
            assert_eq!(failure.kind, kind, "{error}");
        }
        assert_eq!(ToldError::in_field(&json!({"error": null})), Ok(()));
        assert_eq!(ToldError::in_field(&json!({})), Ok(()));
    }

    #[test]
    fn the_pause_that_gemini_asks_for_stands_among_the_details() {
        let error = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure"},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}]}});
        for body in [error.to_string(), json!([error]).to_string()] {
            let failure = refusal_of(429, &body);
            assert_eq!(
                (failure.kind, failure.retry_after_ms),
                (FailureKind::Temporary, Some(34_074))
            );
        }
        for delay in ["soon", "-3s", "NaNs", "1e300s", "3"] {
            let error = json!({"error": {"details": [{"retryDelay": delay}]}});
            assert_eq!(
                refusal_of(429, &error.to_string()).retry_after_ms,
                None,
                "{delay}"
            );
        }
    }
}
