//! Who calls: the one place where credentials are taken from a request.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forge_app::access::sign_in;
use forge_app::{App, AppError, Caller, Credentials};
use forge_domain::OrganizationId;

use crate::headers::FORGE_ACTOR_KIND;

/// What an operation wants to know of its caller.
///
/// The contract says of each operation whether it asks for the credentials of a user, and the router holds the two
/// against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identification {
    /// Nothing.
    Anyone,
    /// Who it is, if credentials prove it.
    Optional,
    /// Who it is.
    User,
    /// Who it is, in the organization that issued the token: the path names another.
    Founder,
}

impl Identification {
    /// Returns `true` if the operation is for nobody without the credentials of a user.
    pub(crate) fn needs_user(self) -> bool {
        matches!(self, Self::User | Self::Founder)
    }

    /// Finds out who calls, for an operation of this organization.
    pub(crate) async fn authenticate(
        self,
        app: &App,
        organization: &OrganizationId,
        headers: &HeaderMap,
    ) -> Result<Option<Caller>, AppError> {
        if self == Self::Anyone {
            return Ok(None);
        }
        match authenticate(app, organization, headers).await {
            Ok(caller) => Ok(Some(caller)),
            Err(AppError::Unauthenticated(_)) if self == Self::Optional => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A caller as an endpoint asks for it.
pub(crate) trait CallerKind: Sized + Send + 'static {
    /// What has to be known for it.
    const IDENTIFICATION: Identification;

    /// Makes it of whoever the credentials prove; `None` if that is not enough.
    fn of(caller: Option<Caller>) -> Option<Self>;
}

/// Returns a name for a caller that nobody else has, for counting their calls.
pub(crate) fn identity(caller: &Caller) -> String {
    // Both parts, and the organization acted in: a stranger's calls are not counted as a member's.
    format!(
        "{}/{}/{}",
        caller.organization, caller.user.org_id, caller.user.user_id
    )
}

/// The header that names the organization which issued the token.
pub(crate) const ISSUER: &str = "x-org-id";

/// A caller who founds an organization: the path names the new one, so they act in that which issued their token.
#[derive(Debug)]
pub(crate) struct Founder(pub(crate) Caller);

impl CallerKind for Founder {
    const IDENTIFICATION: Identification = Identification::Founder;

    fn of(caller: Option<Caller>) -> Option<Self> {
        caller.map(Self)
    }
}

/// Returns the organization that the headers name as the token's issuer.
pub(crate) fn issuer(headers: &HeaderMap) -> Option<&str> {
    headers.get(ISSUER)?.to_str().ok()
}

/// Nobody in particular: for operations that give or need no identity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anyone;

impl CallerKind for Anyone {
    const IDENTIFICATION: Identification = Identification::Anyone;

    fn of(_: Option<Caller>) -> Option<Self> {
        Some(Self)
    }
}

impl CallerKind for Caller {
    const IDENTIFICATION: Identification = Identification::User;

    fn of(caller: Option<Caller>) -> Option<Self> {
        caller
    }
}

/// A caller whose credentials, if they prove anything, open more of the answer.
impl CallerKind for Option<Caller> {
    const IDENTIFICATION: Identification = Identification::Optional;

    fn of(caller: Option<Caller>) -> Option<Self> {
        Some(caller)
    }
}

const NO_CREDENTIALS: &str = "send the token of a sign-in as `Authorization: Bearer …`";

/// What is said where an endpoint needs a caller and there is none.
pub(crate) const UNKNOWN_CALLER: AppError = AppError::Unauthenticated(NO_CREDENTIALS);

/// Returns whoever the credentials in the headers prove.
async fn authenticate(
    app: &App,
    organization: &OrganizationId,
    headers: &HeaderMap,
) -> Result<Caller, AppError> {
    let authorization = text(headers, header::AUTHORIZATION.as_str())?;
    let authorization = authorization.ok_or(UNKNOWN_CALLER)?;
    let issuer = text(headers, ISSUER)?;
    // Anything else that stands there is refused with the request's other faults.
    let declared = headers.get(FORGE_ACTOR_KIND).is_some_and(|kind| kind == "agent");
    let (scheme, rest) = authorization.split_once(' ').ok_or(UNKNOWN_CALLER)?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        let credentials = Credentials {
            token: rest,
            basic_user: None,
            issuer,
            is_declared_agent: declared,
        };
        return sign_in::authenticate(app, organization, &credentials).await;
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD
            .decode(rest)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.rsplit_once(':'));
        let (user, token) = pair.ok_or(AppError::Unauthenticated("the Basic credentials are malformed"))?;
        let credentials = Credentials {
            token,
            basic_user: Some(user),
            issuer,
            is_declared_agent: declared,
        };
        return sign_in::authenticate(app, organization, &credentials).await;
    }
    Err(UNKNOWN_CALLER)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, AppError> {
    let unreadable = |_| AppError::Unauthenticated("a header with credentials is not readable as text");
    headers
        .get(name)
        .map(|value| value.to_str().map_err(unreadable))
        .transpose()
}
