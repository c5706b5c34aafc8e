//! Conversations below HTTP: simulated users, and interactions whose server is lost.

use forge_app::conversations::{self, Completed, Create, Interaction, Start};
use forge_app::identity::users;
use forge_app::version_sets::resolve::{self, Resolution};
use forge_app::{AppError, Caller};
use forge_domain::access::DefaultRole;
use forge_domain::conversation::{Conversation, ExternalEvent, UserInput};
use forge_domain::simulation::InitialMessageType;
use forge_domain::tag::Tags;
use forge_domain::{Clock as _, ConversationId, Id, ServiceId, UnitTestSetRunId, VersionNumber};
use forge_runtime::Person;
use forge_testkit::{TestServer, both_engines};
use tokio::sync::mpsc;

use crate::privileges::caller_of;
use crate::super_administrator;

fn said(text: &str) -> UserInput {
    UserInput {
        message_type: InitialMessageType::UserMessage,
        message: text.to_owned(),
        events: Vec::new(),
    }
}

fn persona() -> Person {
    Person {
        name: "Ada".to_owned(),
        is_new: true,
        ..Person::default()
    }
}

/// Lets the agent speak and takes in what it tells.
async fn run(interaction: Interaction) -> Result<Completed, AppError> {
    let (events, mut told) = mpsc::channel(1);
    let reading = async { while told.recv().await.is_some() {} };
    tokio::join!(interaction.run(events), reading).0
}

async fn resolution(server: &TestServer, caller: &Caller, service: ServiceId) -> Resolution {
    let set = "release".parse().unwrap();
    let present = resolve::current_set(forge_app::Ctx::new(&server.app, caller), service, set)
        .await
        .unwrap();
    present.resolution().unwrap()
}

/// Starts a conversation of a user, or of a simulated one that the user has run, and holds its first interaction.
async fn begin(server: &TestServer, service: ServiceId, run_id: Option<UnitTestSetRunId>) -> Completed {
    let caller = super_administrator(server);
    let start = Start {
        organization: caller.organization.clone(),
        user_id: caller.user.user_id.clone(),
        resolution: resolution(server, &caller, service).await,
        resolved_at: None,
        tags: Tags::new(),
        said: None,
        simulation: run_id.map(|run| (run, persona())),
    };
    let interaction = conversations::begin(&server.app, start).await.unwrap();
    run(interaction).await.unwrap()
}

async fn find(server: &TestServer, id: ConversationId) -> Option<Conversation> {
    let organization = super_administrator(server).organization;
    let mut tx = server.app.store.read().await.unwrap();
    tx.find_conversation(&organization, id).await.unwrap()
}

async fn service(server: &TestServer) -> ServiceId {
    server.service(1).await.parse().unwrap()
}

#[both_engines]
async fn simulated_users_talk_as_others_do_any_number_at_once(server: TestServer) {
    let service = service(&server).await;
    let caller = super_administrator(&server);
    let run_id: UnitTestSetRunId = Id::new(server.clock.now(), [1; 8]);
    let own = begin(&server, service, None).await;
    let mut simulated = Vec::new();
    for _ in 0..3 {
        simulated.push(begin(&server, service, Some(run_id)).await);
    }
    for first in &simulated {
        let (app, id) = (&server.app, first.conversation_id);
        let next =
            conversations::go_on(app, &caller.organization, id, persona(), said("I broke a tooth.")).await;
        let next = run(next.unwrap()).await.unwrap();
        assert_eq!(
            next.agent_message().message,
            "In welcome_patient, you said: I broke a tooth."
        );
        assert_eq!(next.messages[0].sender, "Ada");
        assert!(!next.is_finished && !next.insights.model_calls.is_empty());
        let found = find(&server, id).await.unwrap();
        assert_eq!(
            (found.simulation_run_id, found.interaction_count),
            (Some(run_id), 2)
        );
        assert_eq!((found.set.as_str(), found.revision), ("release", 1));
    }
    let mut tx = server.app.store.read().await.unwrap();
    let running = tx
        .running_conversations(&caller.organization, service)
        .await
        .unwrap();
    assert_eq!(
        running.iter().map(|running| running.conversations).sum::<i64>(),
        1,
        "simulations are not counted"
    );
    assert_eq!(
        find(&server, own.conversation_id)
            .await
            .unwrap()
            .simulation_run_id,
        None
    );
}

#[both_engines]
async fn a_user_who_is_deleted_begins_no_conversation_any_more(server: TestServer) {
    let service = service(&server).await;
    let user = server.user(DefaultRole::User).await;
    let caller = caller_of(&server, &user).await;
    let create = || Create {
        service_id: service,
        set: "release".to_owned(),
        said: None,
        tags: Tags::new(),
    };
    let id = caller.user.user_id.as_str();
    let begun = conversations::create(forge_app::Ctx::new(&server.app, &caller), create())
        .await
        .unwrap();
    drop(begun);
    users::delete(
        forge_app::Ctx::new(&server.app, &super_administrator(&server)),
        id,
    )
    .await
    .unwrap();
    // As one who was recognised a moment before, here or by another server.
    let refused = conversations::create(forge_app::Ctx::new(&server.app, &caller), create()).await;
    assert!(
        matches!(refused, Err(AppError::Unauthenticated(_))),
        "{:?}",
        refused.err()
    );
    let mut tx = server.app.store.read().await.unwrap();
    let left = tx
        .find_unfinished_conversation(&caller.organization, id, service)
        .await
        .unwrap();
    assert!(left.is_none());
}

#[both_engines]
async fn however_it_coincides_no_conversation_outlives_its_user(server: TestServer) {
    let service = service(&server).await;
    for _ in 0..10 {
        let user = server.user(DefaultRole::User).await;
        let caller = caller_of(&server, &user).await;
        let id = caller.user.user_id.clone();
        let create = Create {
            service_id: service,
            set: "release".to_owned(),
            said: None,
            tags: Tags::new(),
        };
        let (begun, deleted) = tokio::join!(
            tokio::spawn({
                let (app, caller) = (server.app.clone(), caller.clone());
                async move {
                    conversations::create(forge_app::Ctx::new(&app, &caller), create)
                        .await
                        .is_ok()
                }
            }),
            tokio::spawn({
                let (app, admin, id) = (server.app.clone(), super_administrator(&server), id.clone());
                async move {
                    users::delete(forge_app::Ctx::new(&app, &admin), &id)
                        .await
                        .map(drop)
                }
            }),
        );
        let _ = begun.unwrap();
        deleted.unwrap().unwrap();
        let mut tx = server.app.store.read().await.unwrap();
        let left = tx
            .find_unfinished_conversation(&caller.organization, &id, service)
            .await
            .unwrap();
        assert!(left.is_none());
    }
}

#[both_engines]
async fn an_interaction_that_is_dropped_gives_the_conversation_back(server: TestServer) {
    let service = service(&server).await;
    let caller = super_administrator(&server);
    let id = begin(&server, service, None).await.conversation_id;
    let interaction = conversations::interact(forge_app::Ctx::new(&server.app, &caller), id, said("Hello"))
        .await
        .unwrap();
    let second = conversations::interact(forge_app::Ctx::new(&server.app, &caller), id, said("Hello")).await;
    assert!(matches!(second, Err(AppError::Conflict(_))));
    drop(interaction);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while find(&server, id).await.unwrap().busy.is_some() {
        assert!(std::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let interaction = conversations::interact(forge_app::Ctx::new(&server.app, &caller), id, said("Hello"))
        .await
        .unwrap();
    assert_eq!(run(interaction).await.unwrap().messages.len(), 2);
}

#[both_engines]
async fn what_is_said_at_once_and_in_all_has_a_size(server: TestServer) {
    let service = service(&server).await;
    let caller = super_administrator(&server);
    let id = begin(&server, service, None).await.conversation_id;
    server.clock.advance_seconds(1);
    let event = |message: &str| ExternalEvent {
        message: message.to_owned(),
        happened_at: server.clock.now().plus_seconds(-1),
    };
    let many = UserInput {
        events: vec![event(&"x".repeat(20_000)); 14],
        ..said("Hello")
    };
    let refused = conversations::interact(forge_app::Ctx::new(&server.app, &caller), id, many).await;
    assert!(
        matches!(&refused, Err(AppError::Refused(text)) if text.contains("262144 bytes")),
        "{:?}",
        refused.err()
    );
    let said_so_far = find(&server, id).await.unwrap().message_bytes;
    let interaction = conversations::interact(forge_app::Ctx::new(&server.app, &caller), id, said("Hello"))
        .await
        .unwrap();
    let completed = run(interaction).await.unwrap();
    let said_now: usize = completed
        .messages
        .iter()
        .map(|message| message.message.len())
        .sum();
    let bytes = find(&server, id).await.unwrap().message_bytes;
    assert_eq!(usize::try_from(bytes - said_so_far).unwrap(), said_now);
}

#[both_engines]
async fn a_graph_that_comes_to_too_much_runs_no_conversation(server: TestServer) {
    let service = service(&server).await;
    let caller = super_administrator(&server);
    let organization = &caller.organization;
    let mut tx = server.app.store.read().await.unwrap();
    let graph = tx
        .find_service(organization, service)
        .await
        .unwrap()
        .unwrap()
        .context_graph_id;
    let first = tx
        .find_version(organization, graph.into(), VersionNumber::FIRST)
        .await
        .unwrap();
    drop(tx);
    let mut document: serde_json::Value = serde_json::from_str(first.unwrap().document.get()).unwrap();
    // As they may have been created before there was a bound.
    let create = || Create {
        service_id: service,
        set: "release".to_owned(),
        said: None,
        tags: Tags::new(),
    };
    let mut last = 1;
    for (until, is_refused) in [(51, false), (52, true)] {
        let mut tx = server
            .app
            .store
            .write(organization, server.clock.now())
            .await
            .unwrap()
            .unwrap();
        for version in last + 1..=until {
            document["references"] = serde_json::json!({"other": [graph, version - 1]});
            let version = VersionNumber::try_from(version).unwrap();
            tx.insert_version(graph.into(), version, document.to_string(), &caller.user)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        last = until;
        let begun = conversations::create(forge_app::Ctx::new(&server.app, &caller), create()).await;
        let told = begun.as_ref().err().map(ToString::to_string);
        let is_told = told
            .as_ref()
            .is_some_and(|text| text.contains("to more than 50 other graphs"));
        assert_eq!((begun.is_err(), is_told), (is_refused, is_refused), "{told:?}");
        if let Ok(begun) = begun {
            run(begun).await.unwrap();
            let mut tx = server.app.store.write_run(organization).await.unwrap();
            let running = tx
                .find_unfinished_conversation(organization, &caller.user.user_id, service)
                .await
                .unwrap();
            assert!(
                tx.finish_conversation(running.unwrap().id, server.clock.now())
                    .await
                    .unwrap()
            );
            tx.commit().await.unwrap();
        }
    }
}

#[both_engines]
async fn a_lost_interaction_is_taken_over_and_never_kept(server: TestServer) {
    let service = service(&server).await;
    let caller = super_administrator(&server);
    let id = begin(&server, service, None).await.conversation_id;
    let lost = conversations::interact(
        forge_app::Ctx::new(&server.app, &caller),
        id,
        said("Are you there?"),
    )
    .await
    .unwrap();
    server.clock.advance_seconds(60);
    let next = conversations::interact(forge_app::Ctx::new(&server.app, &caller), id, said("Hello?"))
        .await
        .unwrap();
    let late = run(lost).await;
    assert!(matches!(late, Err(AppError::Conflict(_))), "{late:?}");
    assert!(
        find(&server, id).await.unwrap().busy.is_some(),
        "the claim is the other's"
    );
    run(next).await.unwrap();
    let mut tx = server.app.store.read().await.unwrap();
    let transcript = tx
        .transcript(&caller.organization, id, i64::MAX, usize::MAX)
        .await
        .unwrap();
    let texts: Vec<&str> = transcript
        .iter()
        .map(|message| message.message.as_str())
        .collect();
    assert_eq!(texts[1..], ["Hello?", "In welcome_patient, you said: Hello?"]);
}

#[both_engines]
async fn an_interaction_that_nobody_listens_to_is_given_up(server: TestServer) {
    let service = service(&server).await;
    let caller = super_administrator(&server);
    let id = begin(&server, service, None).await.conversation_id;
    let interaction = conversations::interact(forge_app::Ctx::new(&server.app, &caller), id, said("Hello"))
        .await
        .unwrap();
    let (events, told) = mpsc::channel(1);
    drop(told);
    let given_up = interaction.run(events).await;
    assert!(matches!(given_up, Err(AppError::Abandoned)), "{given_up:?}");
    let found = find(&server, id).await.unwrap();
    assert_eq!((found.busy, found.interaction_count), (None, 1));
}

#[both_engines]
async fn a_deletion_of_the_user_and_an_interaction_leave_nothing_between_them(server: TestServer) {
    let caller = super_administrator(&server);
    for _ in 0..5 {
        let service = service(&server).await;
        let user = server.user(DefaultRole::User).await;
        let start = Start {
            organization: caller.organization.clone(),
            user_id: user.user_id.clone(),
            resolution: resolution(&server, &caller, service).await,
            resolved_at: None,
            tags: Tags::new(),
            said: None,
            simulation: None,
        };
        let first = run(conversations::begin(&server.app, start).await.unwrap())
            .await
            .unwrap();
        let id = first.conversation_id;
        let interaction =
            conversations::interact(forge_app::Ctx::new(&server.app, &caller), id, said("Hello"))
                .await
                .unwrap();
        let deleting = users::delete(forge_app::Ctx::new(&server.app, &caller), &user.user_id);
        let (deleted, _) = tokio::join!(deleting, run(interaction));
        deleted.unwrap();
        assert_eq!(find(&server, id).await, None);
        let mut tx = server.app.store.read().await.unwrap();
        assert_eq!(
            tx.transcript(&caller.organization, id, i64::MAX, usize::MAX)
                .await
                .unwrap(),
            []
        );
    }
}
