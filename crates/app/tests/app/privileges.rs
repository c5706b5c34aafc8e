//! Whatever is called in whatever order, nobody gets more than a super administrator gave, and one of those remains.

use std::time::Duration;

use crate::property;
use forge_app::access::sign_in;
use forge_app::identity::api_keys;
use forge_app::identity::roles;
use forge_app::identity::temporary_grants::{self, GiveGrant};
use forge_app::identity::users::{self, InviteUser, UpdateUser};
use forge_app::{AppError, Caller, Credentials};
use forge_domain::access::{DefaultRole, Grant, ModifyRole, Permission, Privileges};
use forge_domain::tag::Tags;
use forge_domain::user::Variables;
use forge_domain::{Clock as _, OrganizationId};
use forge_testkit::{Engine, TestClient, TestServer, both_engines};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Something that somebody who is no super administrator can try; users, roles and keys are meant by place.
#[derive(Debug, Clone)]
enum Call {
    CreateRole(usize, Vec<usize>),
    ModifyRole(usize, Vec<usize>),
    Assign(usize, usize),
    CreateKey(usize),
    DeleteKey(usize),
    Grant(usize, usize),
    Invite(usize),
    Update(usize),
    Delete(usize),
}

/// The roles that calls name; those after the defaults are made by callers.
const ROLES: [&str; 9] = [
    "DefaultUserRole",
    "DefaultAdministratorRole",
    "DefaultAmigoAdministratorRole",
    "DefaultSuperAdministratorRole",
    "Office",
    "Small",
    "one",
    "two",
    "three",
];

fn grant(permission: Permission, conditions: Value) -> Grant {
    serde_json::from_value(json!({"permission_name": permission.name(), "conditions": conditions})).unwrap()
}

/// The grants that callers try to hand out.
fn pool() -> Vec<Grant> {
    let set = |condition| {
        grant(
            Permission::UpdateVersionSet,
            json!({"version_set_name": condition}),
        )
    };
    let plain = |permission| grant(permission, json!({}));
    vec![
        plain(Permission::GetService),
        plain(Permission::CreateRole),
        plain(Permission::CreateTemporaryGrant),
        plain(Permission::InviteUser),
        plain(Permission::CreateAgent),
        plain(Permission::ModifyOrganization),
        plain(Permission::CreateOrganization),
        plain(Permission::UpdateVersionSet),
        set(json!({"type": "Equals", "value": "test"})),
        set(json!({"type": "In", "values": ["test", "preview"]})),
        set(json!({"type": "In", "values": ["test", "release"]})),
        set(json!({"type": "NotEquals", "value": "release"})),
    ]
}

/// What the super administrator lets somebody do who looks after users.
fn office() -> Vec<Grant> {
    let mut grants: Vec<Grant> = [
        Permission::CreateRole,
        Permission::GetRole,
        Permission::ModifyRole,
        Permission::CreateApiKey,
        Permission::DeleteApiKey,
        Permission::InviteUser,
        Permission::UpdateUserInfo,
        Permission::DeleteUser,
        Permission::CreateTemporaryGrant,
        Permission::GetService,
    ]
    .map(|permission| grant(permission, json!({})))
    .into();
    grants.push(grant(
        Permission::UpdateVersionSet,
        json!({"version_set_name": {"type": "In", "values": ["test", "preview"]}}),
    ));
    grants
}

/// What it lets somebody do who does a part of that.
fn small() -> Vec<Grant> {
    let plain = [
        Permission::CreateRole,
        Permission::InviteUser,
        Permission::CreateTemporaryGrant,
    ];
    let mut grants: Vec<Grant> = plain.map(|permission| grant(permission, json!({}))).into();
    grants.push(grant(
        Permission::UpdateVersionSet,
        json!({"version_set_name": {"type": "Equals", "value": "test"}}),
    ));
    grants
}

fn call() -> impl Strategy<Value = Call> {
    let grants = || proptest::collection::vec(0..pool().len(), 0..4);
    let user = || 0..8_usize;
    let role = || 0..ROLES.len();
    prop_oneof![
        4 => (role(), grants()).prop_map(|(role, grants)| Call::CreateRole(role, grants)),
        3 => (role(), grants()).prop_map(|(role, grants)| Call::ModifyRole(role, grants)),
        5 => (role(), user()).prop_map(|(role, user)| Call::Assign(role, user)),
        2 => role().prop_map(Call::CreateKey),
        1 => (0..4_usize).prop_map(Call::DeleteKey),
        4 => (user(), 0..pool().len()).prop_map(|(user, grant)| Call::Grant(user, grant)),
        3 => role().prop_map(Call::Invite),
        1 => user().prop_map(Call::Update),
        1 => user().prop_map(Call::Delete),
    ]
}

/// Returns the caller that a token proves, looked up just now.
async fn authenticated(server: &TestServer, token: &str) -> Result<Caller, AppError> {
    let credentials = Credentials {
        token,
        basic_user: None,
        issuer: None,
        is_declared_agent: false,
    };
    sign_in::authenticate(&server.app, &organization(server), &credentials).await
}

fn organization(server: &TestServer) -> OrganizationId {
    server.admin().organization.parse().unwrap()
}

pub(crate) async fn caller_of(server: &TestServer, client: &TestClient) -> Caller {
    authenticated(server, client.token.as_ref().unwrap())
        .await
        .unwrap()
}

/// A user to be invited, whom nobody else is mistaken for.
fn invited(number: usize, role_name: &str) -> InviteUser {
    InviteUser {
        first_name: "Ida".into(),
        last_name: "Berg".into(),
        email: format!("ida-{number}@example.invalid"),
        role_name: role_name.into(),
        nonsensitive_variables: Variables::new(),
        sensitive_variables: Variables::new(),
        preferences: None,
    }
}

struct World {
    server: TestServer,
    organization: OrganizationId,
    /// Everything that the super administrator handed out.
    ceiling: Privileges,
    /// The super administrator first.
    users: Vec<String>,
    /// Ids and secrets; the super administrator's first.
    keys: Vec<(String, String)>,
}

impl World {
    async fn new(engine: Engine) -> Self {
        let server = TestServer::start(engine).await;
        let (app, super_administrator) = (&server.app, caller_of(&server, server.admin()).await);
        for (name, grants) in [("Office", office()), ("Small", small())] {
            roles::create(
                forge_app::Ctx::new(app, &super_administrator),
                name.into(),
                String::new(),
                grants,
                true,
            )
            .await
            .unwrap();
        }
        let mut users = vec![server.admin().user_id.clone()];
        for role in ["Office", "Small", "DefaultAdministratorRole", "DefaultUserRole"] {
            let user = users::invite(
                forge_app::Ctx::new(app, &super_administrator),
                invited(users.len(), role),
            )
            .await;
            users.push(user.unwrap().value);
        }
        let [_, key_id, secret] = server.credentials.clone();
        let handed_out = [DefaultRole::Administrator.grants(), office(), small()].concat();
        Self {
            organization: organization(&server),
            ceiling: Privileges {
                role_name: "everything handed out".into(),
                grants: handed_out,
            },
            users,
            keys: vec![(key_id, secret)],
            server,
        }
    }

    fn user(&self, place: usize) -> String {
        self.users[place % self.users.len()].clone()
    }

    /// Signs a user in who is no super administrator.
    async fn sign_in(&self, user: usize, key: usize) -> Result<Caller, AppError> {
        let user = &self.users[1 + user % (self.users.len() - 1)];
        let (key_id, secret) = &self.keys[key % self.keys.len()];
        let session =
            sign_in::with_api_key(&self.server.app, &self.organization, key_id, secret, user).await?;
        authenticated(&self.server, &session.token).await
    }

    /// Tries a call in the name of a user.
    async fn run(&mut self, user: usize, key: usize, call: &Call) -> Result<(), AppError> {
        let caller = self.sign_in(user, key).await?;
        let (app, pool) = (&self.server.app, pool());
        let grants = |places: &[usize]| {
            places
                .iter()
                .map(|place| pool[*place].clone())
                .collect::<Vec<_>>()
        };
        match call {
            Call::CreateRole(role, places) => {
                let name = ROLES[*role].to_owned();
                roles::create(
                    forge_app::Ctx::new(app, &caller),
                    name,
                    String::new(),
                    grants(places),
                    false,
                )
                .await?;
            }
            Call::ModifyRole(role, places) => {
                let change = ModifyRole {
                    grants: Some(grants(places)),
                    ..ModifyRole::default()
                };
                roles::modify(forge_app::Ctx::new(app, &caller), ROLES[*role], change).await?;
            }
            Call::Assign(role, to) => {
                users::assign_role(forge_app::Ctx::new(app, &caller), ROLES[*role], &self.user(*to)).await?;
            }
            Call::CreateKey(role) => {
                let made = api_keys::create(
                    forge_app::Ctx::new(app, &caller),
                    None,
                    ROLES[*role],
                    Duration::from_hours(24),
                    None,
                )
                .await?;
                self.keys.push((made.value.id.to_string(), made.value.secret));
            }
            Call::DeleteKey(place) => {
                let id = &self.keys[place % self.keys.len()].0;
                api_keys::delete(forge_app::Ctx::new(app, &caller), id).await?;
            }
            Call::Grant(to, place) => {
                let given = GiveGrant {
                    user_id: self.user(*to),
                    duration: Duration::from_hours(24),
                    grant: pool[*place].clone(),
                    tags: Tags::default(),
                    justification: "because".into(),
                };
                temporary_grants::create(forge_app::Ctx::new(app, &caller), given).await?;
            }
            Call::Invite(role) => {
                let invited = invited(self.users.len(), ROLES[*role]);
                let user = users::invite(forge_app::Ctx::new(app, &caller), invited).await?;
                self.users.push(user.value);
            }
            Call::Update(who) => {
                let update = UpdateUser {
                    first_name: Some("Eva".into()),
                    ..UpdateUser::default()
                };
                users::update(forge_app::Ctx::new(app, &caller), &self.user(*who), update).await?;
            }
            Call::Delete(who) => {
                users::delete(forge_app::Ctx::new(app, &caller), &self.user(*who)).await?;
            }
        }
        Ok(())
    }

    async fn change_number(&self) -> i64 {
        let mut tx = self.server.app.store.read().await.unwrap();
        let organization = tx.find_organization(&self.organization).await.unwrap();
        organization.unwrap().change_number
    }

    /// Asserts that nobody has more than was handed out.
    async fn check(&self) {
        let now = self.server.clock.now();
        let mut tx = self.server.app.store.read().await.unwrap();
        for (place, id) in self.users.iter().enumerate() {
            let user = tx.find_user(&self.organization, id).await.unwrap().unwrap();
            if place == 0 {
                assert!(!user.is_deleted && user.role.name == DefaultRole::SuperAdministrator.name());
                continue;
            }
            let live = tx
                .live_temporary_grants(&self.organization, id, now)
                .await
                .unwrap();
            for grant in user.role.grants.iter().chain(&live) {
                assert!(
                    self.ceiling.cover(std::slice::from_ref(grant)),
                    "{id} got {grant:?}"
                );
            }
        }
        for role in tx.list_roles(&self.organization, now).await.unwrap() {
            let is_default = DefaultRole::by_name(&role.name).is_some();
            assert!(is_default || self.ceiling.cover(&role.grants), "{role:?}");
        }
        for (id, _) in &self.keys[1..] {
            let key = tx
                .find_api_key(&self.organization, id.parse().unwrap())
                .await
                .unwrap()
                .unwrap();
            assert!(self.ceiling.cover(&key.role.grants), "{id} is of {:?}", key.role);
        }
        let first = tx
            .find_api_key(&self.organization, self.keys[0].0.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(first.revoked_at, None, "nobody ends a key that is above them");
    }
}

/// Returns `true` if an error says that the call was not allowed or not possible.
fn is_refusal(error: &AppError) -> bool {
    crate::is_refusal(error)
        || matches!(
            error,
            AppError::Forbidden { .. }
                | AppError::InsufficientRole(_)
                | AppError::Invalid(_)
                | AppError::Unauthenticated(_)
        )
}

fn check(engine: Engine, cases: u32) {
    let Some((runtime, mut runner)) = property(engine, cases) else {
        return;
    };
    let calls = proptest::collection::vec((0..6_usize, 0..3_usize, call()), 1..50);
    let done = std::cell::Cell::new(0);
    let outcome = runner.run(&calls, |calls| {
        runtime.block_on(async {
            let mut world = World::new(engine).await;
            for (user, key, call) in &calls {
                let before = world.change_number().await;
                let outcome = world.run(*user, *key, call).await;
                let after = world.change_number().await;
                match outcome {
                    Ok(()) => done.set(done.get() + 1),
                    Err(error) => {
                        assert!(is_refusal(&error), "{call:?} failed: {error:?}");
                        assert_eq!(before, after, "{call:?} was refused and changed something");
                    }
                }
                world.check().await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
    assert!(done.get() > 0, "some calls are allowed");
}

#[test]
fn no_sequence_of_calls_gives_anybody_more_than_was_handed_out_on_sqlite() {
    check(Engine::Sqlite, 16);
}

#[test]
fn no_sequence_of_calls_gives_anybody_more_than_was_handed_out_on_postgres() {
    check(Engine::Postgres, 16);
}

/// Returns the two users' clients, of whom exactly one is left a super administrator.
async fn the_one_left(server: &TestServer, users: [TestClient; 2]) -> TestClient {
    let mut tx = server.app.store.read().await.unwrap();
    let mut left = Vec::new();
    for client in users {
        let user = tx
            .find_user(&organization(server), &client.user_id)
            .await
            .unwrap()
            .unwrap();
        if !user.is_deleted && user.role.name == DefaultRole::SuperAdministrator.name() {
            left.push(client);
        }
    }
    assert_eq!(left.len(), 1, "one super administrator is left");
    left.remove(0)
}

#[both_engines]
async fn two_super_administrators_who_delete_each_other_at_once_do_not_both_succeed(server: TestServer) {
    let mut first = server.admin().clone();
    for _ in 0..4 {
        let second = server.user(DefaultRole::SuperAdministrator).await;
        let (one, two) = (
            caller_of(&server, &first).await,
            caller_of(&server, &second).await,
        );
        let (left, right) = tokio::join!(
            users::delete(forge_app::Ctx::new(&server.app, &one), &second.user_id),
            users::delete(forge_app::Ctx::new(&server.app, &two), &first.user_id),
        );
        assert!(left.is_ok() != right.is_ok(), "{left:?} {right:?}");
        first = the_one_left(&server, [first, second]).await;
    }
}

#[both_engines]
async fn two_super_administrators_who_demote_each_other_at_once_do_not_both_succeed(server: TestServer) {
    let mut first = server.admin().clone();
    let user = DefaultRole::User.name();
    for _ in 0..4 {
        let second = server.user(DefaultRole::SuperAdministrator).await;
        let (one, two) = (
            caller_of(&server, &first).await,
            caller_of(&server, &second).await,
        );
        let (left, right) = tokio::join!(
            users::assign_role(forge_app::Ctx::new(&server.app, &one), user, &second.user_id),
            users::assign_role(forge_app::Ctx::new(&server.app, &two), user, &first.user_id),
        );
        assert!(left.is_ok() != right.is_ok(), "{left:?} {right:?}");
        first = the_one_left(&server, [first, second]).await;
    }
}

#[both_engines]
async fn the_last_super_administrator_stays(server: TestServer) {
    let caller = caller_of(&server, server.admin()).await;
    let me = &server.admin().user_id;
    assert!(is_refusal(
        &users::delete(forge_app::Ctx::new(&server.app, &caller), me)
            .await
            .unwrap_err()
    ));
    let demoted = users::assign_role(
        forge_app::Ctx::new(&server.app, &caller),
        DefaultRole::User.name(),
        me,
    )
    .await;
    assert!(is_refusal(&demoted.unwrap_err()));
}
