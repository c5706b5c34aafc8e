//! The server under test.

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forge_api::Router;
use forge_api::{Limits, RateLimits};
use forge_app::access::sign_in;
use forge_app::{App, Caller, Catalogues, Environment, Keyring, OpenMode, OsRandom, Random as _, Store};
use forge_domain::access::{DefaultRole, Grant, Privileges};
use forge_domain::agent::VoiceCatalogue;
use forge_domain::audit::AuditObject;
use forge_domain::model::{ModelCatalogue, ModelDescription, builtin_models};
use forge_domain::user::{NewUser, Preferences, Variables};
use forge_domain::{ActorKey, ActorKind, Clock as _, OrganizationId, Timestamp, UserRef};
use forge_runtime::{Models, Runtime, Script, Tools};
use serde_json::json;
use tempfile::TempDir;

use crate::client::TestClient;
use crate::clock::TestClock;
use crate::database::{AuditRows, Engine, TestDatabase, shared, unique};
use crate::examples::{agent_version, context_graph_version, service_body};
use crate::record;

/// The one tool that test installations know.
pub const KNOWN_TOOL: &str = "00000000000000000000701d";

/// A server with two organizations that know nothing of each other.
pub struct TestServer {
    /// First, so that it goes away before the store does.
    audit_rows: AuditRows,
    /// The use cases under it.
    pub app: App,
    /// The whole API.
    pub router: Router,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Which engine it runs on.
    pub engine: Engine,
    /// What an organization's creation printed, for the first organization.
    pub credentials: [String; 3],
    admin: TestClient,
    stranger: TestClient,
    _folder: Option<TempDir>,
}

impl TestServer {
    /// Starts a server.
    pub async fn start(engine: Engine) -> Self {
        let (store, folder) = shared(engine).await;
        Self::on(engine, store, folder, json!([])).await
    }

    /// Starts a server on a database of its own, so that its first organization is the operator's on either engine.
    pub async fn alone(database: &TestDatabase) -> Self {
        let store = Store::open(&database.url, OpenMode::CreateIfMissing)
            .await
            .unwrap();
        Self::on(database.engine, store, None, json!([])).await
    }

    /// Starts a server whose models follow these rules first, as `docs/models.md` describes them, and those of
    /// `script.json` then.
    pub async fn scripted(engine: Engine, rules: serde_json::Value) -> Self {
        let (store, folder) = shared(engine).await;
        Self::on(engine, store, folder, rules).await
    }

    async fn on(engine: Engine, store: Store, folder: Option<TempDir>, rules: serde_json::Value) -> Self {
        record::log();
        let clock = Arc::new(TestClock::default());
        let random = OsRandom::default();
        let mut key = [0; 32];
        random.fill(&mut key).unwrap();
        record::secret_bytes("master key", &key);
        let retired = ModelDescription {
            name: "retired_model".into(),
            provider: "nobody".into(),
            params_schema: json!({"type": "object"}),
            retires_at: Some(Timestamp::from_millis(0)),
        };
        let retiring = ModelDescription {
            name: "retiring_model".into(),
            retires_at: Some(clock.now().plus_seconds(24 * 3600)),
            ..retired.clone()
        };
        let models = builtin_models().into_iter().chain([retired, retiring]);
        let environment = Environment {
            clock: clock.clone(),
            random: Arc::new(random),
            keyring: Arc::new(Keyring::new(&key)),
            catalogues: Arc::new(Catalogues {
                models: ModelCatalogue::new(models).unwrap(),
                voices: VoiceCatalogue::Any,
                tools: HashSet::from([KNOWN_TOOL.parse().unwrap()]),
            }),
            runtime: Arc::new(scripted_runtime(rules)),
            snapshots: Arc::default(),
        };
        let app = App::new(store, environment);
        let router = forge_api::Router::new(app.clone(), limits());
        let (admin, credentials) = new_organization(&app, &router).await;
        let (stranger, _) = new_organization(&app, &router).await;
        let organizations = vec![admin.organization.clone(), stranger.organization.clone()];
        Self {
            audit_rows: AuditRows::of(folder.as_ref(), organizations),
            app,
            router,
            clock,
            engine,
            credentials,
            admin,
            stranger,
            _folder: folder,
        }
    }

    /// Returns the first organization's super administrator.
    pub fn admin(&self) -> &TestClient {
        &self.admin
    }

    /// Returns the other organization's super administrator.
    pub fn stranger(&self) -> &TestClient {
        &self.stranger
    }

    /// Runs SQL behind Forge's back that its own constraints must refuse, and returns what the database says.
    pub async fn refused(&self, sql: &str) -> String {
        self.audit_rows.refused(sql).await
    }

    /// Returns the same server's API with other limits.
    pub fn router_with(&self, limits: Limits) -> Router {
        forge_api::Router::new(self.app.clone(), limits)
    }

    /// Returns a new user of the first organization, signed in.
    pub async fn user(&self, role: DefaultRole) -> TestClient {
        let organization: OrganizationId = self.admin.organization.parse().unwrap();
        let user_id = format!("user-{}", unique());
        let mut tx = self
            .app
            .store
            .write(&organization, self.clock.now())
            .await
            .unwrap()
            .unwrap();
        let role = tx.find_role(&organization, role.name()).await.unwrap().unwrap();
        let user = NewUser {
            id: user_id.clone(),
            role_id: role.id,
            first_name: "Test".into(),
            last_name: "User".into(),
            email: format!("{user_id}@example.invalid"),
            preferences: Preferences::default(),
            nonsensitive_variables: Variables::new(),
            sensitive_variable_names: Vec::new(),
            sealed_sensitive_variables: None,
        };
        tx.insert_user(user).await.unwrap();
        let (actor, object) = (
            self.caller(Vec::new()).actor(),
            AuditObject {
                kind: "user".into(),
                id: user_id.clone(),
            },
        );
        tx.append_audit_event(&actor, "invite", object, json!(null), json!({}))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let [_, key_id, secret] = &self.credentials;
        let session = sign_in::with_api_key(&self.app, &organization, key_id, secret, &user_id)
            .await
            .unwrap();
        record::secret("token", &session.token);
        TestClient {
            user_id,
            ..self.admin.with_token(&session.token)
        }
    }

    /// Returns how answers name the super administrator, who signed in with their own key.
    pub fn admin_actor(&self) -> serde_json::Value {
        let user = json!({"org_id": self.admin.organization, "user_id": self.admin.user_id});
        let mut actor = user.clone();
        actor["kind"] = "key".into();
        actor["key"] = json!({"id": self.credentials[1], "created_by": user});
        actor
    }

    /// Returns a caller of the first organization with exactly these grants, for use cases.
    pub fn caller(&self, grants: Vec<Grant>) -> Caller {
        let organization: OrganizationId = self.admin.organization.parse().unwrap();
        let user = UserRef {
            org_id: organization.clone(),
            user_id: self.admin.user_id.clone(),
        };
        Caller {
            organization,
            user,
            kind: ActorKind::Key,
            key: ActorKey {
                id: self.credentials[1].clone(),
                created_by: UserRef {
                    org_id: self.admin.organization.parse().unwrap(),
                    user_id: self.admin.user_id.clone(),
                },
                behind: Vec::new(),
            },
            privileges: Arc::new(Privileges {
                role_name: "custom".into(),
                grants,
            }),
            temporary_grants: Vec::new(),
            ends_at: Timestamp::from_millis(i64::MAX),
            // Nobody takes these rights away.
            known_at: i64::MAX,
        }
    }

    /// Creates an agent with that many versions.
    pub async fn agent(&self, versions: usize) -> String {
        self.asset("organization/agent", "agent_name", agent_version(), versions)
            .await
    }

    /// Creates a context graph with that many versions.
    pub async fn context_graph(&self, versions: usize) -> String {
        let path = "organization/service_hierarchical_state_machine";
        self.asset(path, "state_machine_name", context_graph_version(), versions)
            .await
    }

    async fn asset(&self, path: &str, field: &str, version: serde_json::Value, versions: usize) -> String {
        let name = format!("asset {}", unique());
        let id = self.admin.post(path, json!({field: name})).await.id();
        for _ in 0..versions {
            let created = self.admin.post(&format!("{path}/{id}/"), version.clone()).await;
            assert_eq!(created.status, 201, "{}", created.body);
        }
        id
    }

    /// Creates an active service on a new agent and a new graph of that many versions each.
    pub async fn service(&self, versions: usize) -> String {
        let (agent, graph) = (self.agent(versions).await, self.context_graph(versions).await);
        let body = service_body(&format!("service {}", unique()), &agent, &graph);
        self.admin.post("service/", body).await.id()
    }
}

/// Returns a runtime whose models answer from a script: what is said is echoed, exit conditions and behavior sets that
/// are mentioned apply, and the first action is taken.
fn scripted_runtime(rules: serde_json::Value) -> Runtime {
    let script = Script::from_json(&json!({"rules": rules}).to_string()).unwrap();
    let script = script.before(Script::from_json(include_str!("script.json")).unwrap());
    Runtime::new(
        Models::scripted(script),
        Tools::default(),
        forge_runtime::Limits::default(),
    )
}

/// Returns the limits of test servers: small bodies, and calls as often as a test likes.
pub fn limits() -> Limits {
    Limits {
        max_body_bytes: 256 * 1024,
        // On a shared database, the runs of one test are none of another's business.
        parallel_simulations: 0,
        rates: RateLimits {
            is_off: true,
            ..RateLimits::default()
        },
        ..Limits::default()
    }
}

async fn new_organization(app: &App, router: &Router) -> (TestClient, [String; 3]) {
    let organization: OrganizationId = format!("t-{}", unique()).parse().unwrap();
    let created = forge_app::identity::organizations::create(app, &organization)
        .await
        .unwrap();
    let (key_id, secret, user_id) = (created.api_key_id, created.api_key, created.user_id);
    let session = sign_in::with_api_key(app, &organization, &key_id, &secret, &user_id)
        .await
        .unwrap();
    record::secret("API key", &secret);
    record::secret("token", &session.token);
    note_private_key(app, &organization).await;
    let client = TestClient {
        router: router.clone(),
        organization: organization.to_string(),
        user_id: user_id.clone(),
        token: Some(session.token),
    };
    (client, [user_id, key_id, secret])
}

/// Notes the key that signs an organization's tokens.
async fn note_private_key(app: &App, organization: &OrganizationId) {
    let key = app
        .store
        .read()
        .await
        .unwrap()
        .newest_signing_key(organization)
        .await
        .unwrap()
        .unwrap();
    record::secret("sealed key", &key.sealed_private_key);
    let context = format!("signing-key/{organization}/{}", key.id);
    let document = app.keyring.open(&context, &key.sealed_private_key).unwrap();
    // Within the document, the key itself is at a fixed place; what comes after it is the public one.
    record::secret_bytes("private key", &document[16..48]);
    record::secret("private key", &STANDARD.encode(&document[..48]));
}
