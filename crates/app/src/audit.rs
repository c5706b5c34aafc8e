//! The audit log: reading it, taking it along, and looking for what was done to it.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forge_domain::OrganizationId;
use forge_domain::access::{Attributes, Permission};
use forge_domain::audit::{AuditEvent, ChainCheck, ChainReport, Checkpoint, EventFilter, ExpectedHead};
use forge_store::{PageRequest, Store, Tx};

use crate::access::sign_in;
use crate::access::tokens::require_signing_key;
use crate::page::PageBuilder;
use crate::{App, AppError, Caller, Ctx, Page};

const PERMISSION: Permission = Permission::GetAuditEvent;

/// How many events are held in memory at once, if there is room for as many.
const CHUNK: i64 = 50;

/// An event, and the hash that is stored with it.
pub type Entry = (AuditEvent, String);

/// A checkpoint with the signature of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is vouched for.
    pub checkpoint: Checkpoint,
    /// The Ed25519 signature over [`Checkpoint::signed_bytes`], in base64.
    pub signature: String,
}

impl SignedCheckpoint {
    /// Returns `true` if a public key, in base64, made the signature.
    pub fn is_signed_by(&self, public_key: &str) -> bool {
        let (Ok(key), Ok(signature)) = (STANDARD.decode(public_key), STANDARD.decode(&self.signature)) else {
            return false;
        };
        let key = UnparsedPublicKey::new(&ED25519, key);
        key.verify(&self.checkpoint.signed_bytes(), &signature).is_ok()
    }
}

fn attributes_of(event: &AuditEvent) -> Attributes {
    Attributes::default()
        .with("object_kind", event.object.kind.as_str())
        .with("object_id", event.object.id.as_str())
        .with("action", event.action.as_str())
        .with("actor_user_id", event.actor.user.user_id.as_str())
        .with("actor_kind", event.actor.kind.as_str())
}

/// Returns a page of the events that the caller may see and that pass the filter, newest first.
///
/// The continuation token is the number of the last event of the page before; 0 is the start.
pub async fn list(
    ctx: Ctx<'_>,
    filter: &EventFilter,
    limit: i64,
    continuation_token: i64,
) -> Result<Page<Entry>, AppError> {
    let Ctx { app, caller } = ctx;
    caller.require_any_grant(PERMISSION)?;
    let mut tx = app.store.read().await?;
    let mut page = PageBuilder::of_large_rows(tx.room(), limit, continuation_token);
    while let Some(PageRequest {
        after: token,
        limit: asked,
    }) = page.next_read()
    {
        let mut filter = filter.clone();
        if token > 0 {
            filter.before_sequence = Some(filter.before_sequence.map_or(token, |bound| bound.min(token)));
        }
        let rows = tx.find_audit_events(&caller.organization, &filter, asked).await?;
        let may_see = |(event, _): &Entry| caller.may(PERMISSION, &attributes_of(event));
        page.add(rows, asked, |(event, _)| event.sequence, may_see);
    }
    Ok(page.finish())
}

/// Refuses a caller who may not see all of the log: with entries left out, a chain proves nothing.
fn authorize_whole(caller: &Caller) -> Result<(), AppError> {
    caller.require_any_grant(PERMISSION)?;
    // A condition is false where there is no attribute, so only a grant without conditions allows this.
    if caller.may(PERMISSION, &Attributes::default()) {
        return Ok(());
    }
    Err(AppError::InsufficientRole(format!(
        "this tells of the whole audit log, and you may see only some of it: your `{}` has conditions",
        PERMISSION.name()
    )))
}

/// Returns the present end of the log, signed, and the public key that belongs to the signature, in base64.
pub async fn head(ctx: Ctx<'_>) -> Result<(SignedCheckpoint, String), AppError> {
    authorize_whole(ctx.caller)?;
    let mut tx = ctx.app.store.read().await?;
    ctx.app.sign_head(&mut tx, &ctx.caller.organization).await
}

/// The whole log up to the end that it had when this was made.
///
/// An open export holds no transaction: events are only ever added, so it makes no difference when each of them is
/// read.
#[derive(Clone)]
pub struct Export {
    app: App,
    caller: Caller,
    after: i64,
    /// The end of the log.
    pub checkpoint: SignedCheckpoint,
}

/// Begins an export of the log after the event of that number; 0 is the start.
pub async fn export(ctx: Ctx<'_>, after_sequence: i64) -> Result<Export, AppError> {
    let (checkpoint, _) = head(ctx).await?;
    Ok(Export {
        app: ctx.app.clone(),
        caller: ctx.caller.clone(),
        after: after_sequence,
        checkpoint,
    })
}

impl Export {
    /// Returns the next events, oldest first; none at the end.
    ///
    /// # Errors
    /// Ends with the right to see them, which is looked at every time.
    pub async fn next_events(&mut self) -> Result<Vec<Entry>, AppError> {
        let Checkpoint {
            organization,
            sequence,
            ..
        } = &self.checkpoint.checkpoint;
        let caller = sign_in::recognise_still(Ctx::new(&self.app, &self.caller)).await?;
        authorize_whole(&caller)?;
        let wanted = sequence.saturating_sub(self.after).clamp(0, CHUNK);
        let mut tx = self.app.store.read().await?;
        let events = tx.list_audit_events(organization, self.after, wanted).await?;
        let events = events.into_rows();
        if let Some((last, _)) = events.last() {
            self.after = last.sequence;
        }
        Ok(events)
    }
}

impl App {
    async fn sign_head(
        &self,
        tx: &mut Tx,
        organization: &OrganizationId,
    ) -> Result<(SignedCheckpoint, String), AppError> {
        let head = tx.audit_head(organization).await?;
        let key = require_signing_key(tx, organization).await?;
        let pair = Ed25519KeyPair::from_pkcs8(&self.open_signing_key(organization, &key)?);
        let pair =
            pair.map_err(|_| AppError::internal(format!("signing key {} is no Ed25519 key", key.id)))?;
        let checkpoint = Checkpoint {
            organization: organization.clone(),
            sequence: head.sequence,
            hash: head.hash,
            created_at: self.clock.now(),
            kid: key.id.to_string(),
        };
        let signature = STANDARD.encode(pair.sign(&checkpoint.signed_bytes()));
        Ok((
            SignedCheckpoint {
                checkpoint,
                signature,
            },
            key.public_key,
        ))
    }
}

/// Returns the organizations whose logs a store holds, also of those that are not there any more; or of an id that no
/// organization can have, why.
///
/// For operators only.
pub async fn chains(store: &Store) -> Result<Vec<Result<OrganizationId, String>>, AppError> {
    Ok(store.read().await?.list_audit_chains().await?)
}

/// Returns the public key of that id, in base64.
///
/// For operators only.
pub async fn public_key(
    store: &Store,
    organization: &OrganizationId,
    kid: &str,
) -> Result<Option<String>, AppError> {
    let Ok(id) = kid.parse() else { return Ok(None) };
    let key = store.read().await?.find_signing_key(organization, id).await?;
    Ok(key.map(|key| key.public_key))
}

/// Checks the log of an organization, up to the end that it had at the start: every row that is there, and that it
/// tells of every change that the organization has made by then.
///
/// For operators only.
pub async fn check(
    store: &Store,
    organization: &OrganizationId,
    expected: Vec<ExpectedHead>,
) -> Result<ChainReport, AppError> {
    let mut tx = store.read().await?;
    let length = tx.audit_chain_length(organization).await?;
    let last_change = tx.last_change(organization).await?;
    drop(tx);
    let mut check = ChainCheck::new(expected).up_to_change(last_change);
    let (mut after, mut seen) = (None, 0);
    while let Some(last) = length.last {
        let mut tx = store.read().await?;
        let rows = tx.scan_audit_events(organization, after, last, CHUNK).await?;
        let rows = rows.into_rows();
        let Some(end) = rows.last() else { break };
        after = Some(end.sequence);
        seen += rows.len() as u64;
        for row in rows {
            match row.event {
                Ok((event, hash)) => check.add(&event, &hash),
                Err(why) => check.add_unreadable(why),
            }
        }
    }
    check.add_unnumbered(length.entries.saturating_sub(seen));
    Ok(check.finish())
}
