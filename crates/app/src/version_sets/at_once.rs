//! What a set means, for runtimes that ask thousands of times a second: by a look at memory, or not at all.
//!
//! Whatever is not answered here is answered, or refused, by [`resolve`](super::resolve), which says the same about what is.

use std::sync::{Arc, Weak};

use forge_domain::access::Permission;
use forge_domain::{OrganizationId, ServiceId, Timestamp};

use crate::App;
use crate::access::sign_in;
use crate::snapshot::{Access, OrganizationState, PreparedAnswer};

/// Somebody who was recognised by a token, and may look at every set of the organization that issued it.
#[derive(Debug)]
pub struct Reader {
    organization: OrganizationId,
    /// By which they were recognised: with any other, they have to be recognised anew. It is not kept alive, and no other
    /// one takes its place in memory as long as this points there.
    access: Weak<Access>,
    /// When the token or its API key ends.
    until: Timestamp,
}

impl Reader {
    /// Recognises somebody by a token of the organization that was verified before.
    ///
    /// Returns `None` if more has to be looked at.
    pub fn recognise(app: &App, organization: &str, token: &str) -> Option<Self> {
        app.snapshots.look(app, organization, |state| {
            let issuer = &state.organization.id;
            // To check a signature takes long, and is done elsewhere.
            app.snapshots.tokens.find(issuer, token)?;
            let (claims, user, key) = sign_in::recognise(app, &state.access, issuer, token).ok()?;
            let may_all = user.privileges.allow_everything(Permission::GetVersionSet);
            may_all.then(|| Self {
                organization: issuer.clone(),
                access: Arc::downgrade(&state.access),
                until: claims.expires_at().min(key.expires_at),
            })
        })
    }

    /// Returns the answer about a set of a service that was prepared when somebody asked before.
    ///
    /// Returns `None` if more has to be looked at, such as whether the reader still is who they were.
    pub fn prepared(
        &self,
        app: &App,
        organization: &str,
        service: ServiceId,
        set: &str,
    ) -> Option<Arc<PreparedAnswer>> {
        if organization != self.organization.as_str() || app.clock.now() >= self.until {
            return None;
        }
        app.snapshots.look(app, organization, |state| {
            let is_known = std::ptr::eq(Arc::as_ptr(&state.access), self.access.as_ptr());
            is_known.then(|| prepared(state, service, set)).flatten()
        })
    }
}

fn prepared(state: &OrganizationState, service: ServiceId, set: &str) -> Option<Arc<PreparedAnswer>> {
    let set = state.service(service)?.set(set)?;
    let answer = set.prepared().filter(|_| !set.is_deleted);
    answer.cloned()
}
