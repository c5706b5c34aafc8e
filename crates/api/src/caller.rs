//! Who calls: the one place where credentials are taken from a request.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forge_app::access::sign_in;
use forge_app::{App, AppError, Caller, Credentials};
use forge_domain::OrganizationId;

use crate::headers::FORGE_ACTOR_KIND;

/// A caller that an endpoint asks for.
pub(crate) trait Authenticate: Sized + Send {
    /// Whether there is no such caller without the credentials of a user.
    ///
    /// The contract says of each operation whether it asks for them, and the router holds the two against each other.
    const NEEDS_USER: bool;

    /// Whether the organization in the path is the one that the caller acts in.
    const PATH_NAMES_ORGANIZATION: bool = true;

    /// Returns whoever the credentials prove.
    fn known(&self) -> Option<&Caller> {
        None
    }

    /// Returns a name for the caller that nobody else has, for counting their calls, or `None` if they have none.
    fn identity(&self) -> Option<String> {
        let caller = self.known()?;
        // Both parts, and the organization acted in: a stranger's calls are not counted as a member's.
        Some(format!(
            "{}/{}/{}",
            caller.organization, caller.user.org_id, caller.user.user_id
        ))
    }

    /// Finds out who calls, for an operation of this organization.
    fn authenticate(
        app: &App,
        organization: &OrganizationId,
        headers: &HeaderMap,
    ) -> impl Future<Output = Result<Self, AppError>> + Send;
}

/// The header that names the organization which issued the token.
pub(crate) const ISSUER: &str = "x-org-id";

/// A caller who founds an organization: the path names the new one, so they act in that which issued their token.
#[derive(Debug)]
pub(crate) struct Founder(pub(crate) Caller);

impl Authenticate for Founder {
    const NEEDS_USER: bool = true;
    const PATH_NAMES_ORGANIZATION: bool = false;

    async fn authenticate(
        app: &App,
        organization: &OrganizationId,
        headers: &HeaderMap,
    ) -> Result<Self, AppError> {
        Caller::authenticate(app, organization, headers).await.map(Self)
    }

    fn known(&self) -> Option<&Caller> {
        Some(&self.0)
    }
}

/// Returns the organization that the headers name as the token's issuer.
pub(crate) fn issuer(headers: &HeaderMap) -> Option<&str> {
    headers.get(ISSUER)?.to_str().ok()
}

/// Nobody in particular: for operations that give or need no identity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anyone;

impl Authenticate for Anyone {
    const NEEDS_USER: bool = false;

    async fn authenticate(_: &App, _: &OrganizationId, _: &HeaderMap) -> Result<Self, AppError> {
        Ok(Self)
    }
}

impl Authenticate for Caller {
    const NEEDS_USER: bool = true;

    fn known(&self) -> Option<&Caller> {
        Some(self)
    }

    async fn authenticate(
        app: &App,
        organization: &OrganizationId,
        headers: &HeaderMap,
    ) -> Result<Self, AppError> {
        let missing = "send the token of a sign-in as `Authorization: Bearer …`";
        let authorization = text(headers, header::AUTHORIZATION.as_str())?;
        let authorization = authorization.ok_or(AppError::Unauthenticated(missing))?;
        let issuer = text(headers, ISSUER)?;
        // Anything else that stands there is refused with the request's other faults.
        let declared = headers.get(FORGE_ACTOR_KIND).is_some_and(|kind| kind == "agent");
        let (scheme, rest) = authorization
            .split_once(' ')
            .ok_or(AppError::Unauthenticated(missing))?;
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
            let (user, token) =
                pair.ok_or(AppError::Unauthenticated("the Basic credentials are malformed"))?;
            let credentials = Credentials {
                token,
                basic_user: Some(user),
                issuer,
                is_declared_agent: declared,
            };
            return sign_in::authenticate(app, organization, &credentials).await;
        }
        Err(AppError::Unauthenticated(missing))
    }
}

/// A caller whose credentials, if they prove anything, open more of the answer.
impl Authenticate for Option<Caller> {
    const NEEDS_USER: bool = false;

    fn known(&self) -> Option<&Caller> {
        self.as_ref()
    }

    async fn authenticate(
        app: &App,
        organization: &OrganizationId,
        headers: &HeaderMap,
    ) -> Result<Self, AppError> {
        match Caller::authenticate(app, organization, headers).await {
            Ok(caller) => Ok(Some(caller)),
            Err(AppError::Unauthenticated(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, AppError> {
    let unreadable = |_| AppError::Unauthenticated("a header with credentials is not readable as text");
    headers
        .get(name)
        .map(|value| value.to_str().map_err(unreadable))
        .transpose()
}
