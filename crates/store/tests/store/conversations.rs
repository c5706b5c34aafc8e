//! Conversations: one interaction at a time, kept whole or not at all, on what they started with.

use std::time::Duration;

use forge_domain::conversation::{
    CompletedInteraction, Conversation, Insights, Message, MessageType, NewConversation, Position,
};
use forge_domain::lease::Term;
use forge_domain::model::ModelPreferences;
use forge_domain::tag::Tags;
use forge_domain::{
    Clock as _, ConversationId, Id, InteractionId, OrganizationId, ServiceId, Timestamp, VersionNumber,
};
use forge_store::{Kept, Store};
use forge_testkit::{TestServer, both_engines};

/// A service to talk to, and ids that nothing else has.
struct World {
    server: TestServer,
    organization: OrganizationId,
    service: ServiceId,
    ids: u64,
}

impl World {
    async fn on(server: TestServer) -> Self {
        Self {
            organization: server.admin().organization.parse().unwrap(),
            service: server.service(1).await.parse().unwrap(),
            server,
            ids: 0,
        }
    }

    fn store(&self) -> &Store {
        &self.server.app.store
    }

    fn now(&self) -> Timestamp {
        self.server.clock.now()
    }

    fn id<K: forge_domain::id::Kind>(&mut self) -> Id<K> {
        self.ids += 1;
        Id::new(self.now(), self.ids.to_be_bytes())
    }

    /// Starts a conversation with an interaction that is alive for a minute, or `None` if the user has one already.
    async fn begin(&mut self) -> Option<(ConversationId, InteractionId)> {
        let (id, interaction_id) = (self.id(), self.id());
        let service = self.find_service().await;
        let one = VersionNumber::try_from(1).unwrap();
        let new = NewConversation {
            id,
            user_id: self.server.admin().user_id.clone(),
            service_id: self.service,
            set: "release".parse().unwrap(),
            revision: 1,
            agent: (service.agent_id, one),
            context_graph: (service.context_graph_id, one),
            model_preferences: ModelPreferences::default(),
            tags: Tags::new(),
            simulation_run_id: None,
            created_at: self.now(),
            interaction_id,
            busy_until: self.now().plus_seconds(60),
        };
        let mut tx = self.store().write_run(&self.organization).await.unwrap();
        tx.remove_abandoned_conversation(&new.user_id, new.service_id, self.now())
            .await
            .unwrap();
        if !tx.insert_conversation(&new).await.unwrap() {
            return None;
        }
        tx.commit().await.unwrap();
        Some((id, interaction_id))
    }

    async fn find_service(&self) -> forge_domain::service::Service {
        let mut tx = self.store().read().await.unwrap();
        tx.find_service(&self.organization, self.service)
            .await
            .unwrap()
            .unwrap()
    }

    /// Claims a conversation for another interaction, or `None` if that is not possible.
    async fn claim(&mut self, conversation: ConversationId) -> Option<InteractionId> {
        let (interaction, now) = (self.id(), self.now());
        let mut tx = self.store().write_run(&self.organization).await.unwrap();
        let is_claimed = tx
            .lease_conversation(conversation, interaction, Term::new(now, Duration::from_mins(1)))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        is_claimed.then_some(interaction)
    }

    /// Keeps an interaction with one message; tells whether it still had its claim.
    async fn keep(&mut self, conversation: ConversationId, interaction_id: InteractionId) -> bool {
        let message = Message {
            id: self.id(),
            interaction_id,
            created_at: self.now(),
            sender: "Mira".into(),
            message: "Hello".into(),
            message_type: MessageType::AgentMessage,
        };
        let kept = Kept {
            position: &Position::default(),
            messages: 1,
            visible_messages: 1,
            message_bytes: 5,
            last_message: &message.message,
            last_message_at: message.created_at,
            finished_at: None,
        };
        let mut tx = self.store().write_run(&self.organization).await.unwrap();
        let Some((last, number)) = tx
            .keep_interaction(conversation, interaction_id, &kept)
            .await
            .unwrap()
        else {
            return false;
        };
        let interaction = CompletedInteraction {
            id: interaction_id,
            number,
            insights: Insights::default(),
            created_at: self.now(),
        };
        tx.insert_interaction(conversation, &interaction).await.unwrap();
        tx.insert_messages(conversation, last, &[message]).await.unwrap();
        tx.commit().await.unwrap();
        true
    }

    async fn release(&self, conversation: ConversationId, interaction: InteractionId) {
        let mut tx = self.store().write_run(&self.organization).await.unwrap();
        tx.release_conversation_lease(conversation, interaction)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    async fn find(&self, conversation: ConversationId) -> Option<Conversation> {
        let mut tx = self.store().read().await.unwrap();
        tx.find_conversation(&self.organization, conversation)
            .await
            .unwrap()
    }
}

#[both_engines]
async fn one_interaction_at_a_time_is_kept_whole(server: TestServer) {
    let mut world = World::on(server).await;
    let (conversation, first) = world.begin().await.unwrap();
    assert_eq!(
        world.claim(conversation).await,
        None,
        "the first interaction runs"
    );
    assert!(world.keep(conversation, first).await);
    let second = world.claim(conversation).await.unwrap();
    assert_eq!(world.claim(conversation).await, None);
    assert!(!world.keep(conversation, first).await, "it has ended");
    assert!(world.keep(conversation, second).await);
    let found = world.find(conversation).await.unwrap();
    assert_eq!(
        (found.message_total, found.message_bytes, found.interaction_count),
        (2, 10, 2)
    );
    assert_eq!(found.last_interaction_id, Some(second));
    assert_eq!(found.busy, None);
    let mut tx = world.store().read().await.unwrap();
    let transcript = tx
        .transcript(&world.organization, conversation, i64::MAX, usize::MAX)
        .await
        .unwrap();
    let interactions: Vec<InteractionId> = transcript.iter().map(|message| message.interaction_id).collect();
    assert_eq!(interactions, [first, second]);
}

#[both_engines]
async fn of_a_long_conversation_the_end_is_read(server: TestServer) {
    let mut world = World::on(server).await;
    let (conversation, first) = world.begin().await.unwrap();
    assert!(world.keep(conversation, first).await);
    let message = |world: &mut World, index: usize| Message {
        id: world.id(),
        interaction_id: first,
        created_at: world.now(),
        sender: "Mira".into(),
        message: format!("{index:01000}"),
        message_type: MessageType::UserMessage,
    };
    let many: Vec<Message> = (2..=120).map(|index| message(&mut world, index)).collect();
    let organization = world.organization.clone();
    let mut tx = world.store().write_run(&organization).await.unwrap();
    tx.insert_messages(conversation, 2, &many).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store().read().await.unwrap();
    let mut numbers = async |last: i64, room: usize| -> Vec<usize> {
        let read = tx
            .transcript(&organization, conversation, last, room)
            .await
            .unwrap();
        read.iter()
            .map(|message| message.message.parse().unwrap_or(1))
            .collect()
    };
    assert_eq!(numbers(i64::MAX, usize::MAX).await, (1..=120).collect::<Vec<_>>());
    assert_eq!(numbers(i64::MAX, 1).await, [120]);
    assert_eq!(numbers(70, 2_000).await, [69, 70]);
    let half = numbers(i64::MAX, 75_000).await;
    assert!(
        (50..75).contains(&half.len()),
        "it ends on the second page: {}",
        half.len()
    );
    assert_eq!(half.last(), Some(&120));
    assert_eq!(numbers(i64::MAX, 0).await, Vec::<usize>::new());
    let last = tx
        .last_message_of(&organization, conversation, first)
        .await
        .unwrap();
    assert_eq!(last, Some(120));
    let other = world.id();
    let mut tx = world.store().read().await.unwrap();
    assert_eq!(
        tx.last_message_of(&organization, conversation, other)
            .await
            .unwrap(),
        None
    );
}

#[both_engines]
async fn a_claim_ends_with_its_time(server: TestServer) {
    let mut world = World::on(server).await;
    let (conversation, first) = world.begin().await.unwrap();
    assert!(world.keep(conversation, first).await);
    let lost = world.claim(conversation).await.unwrap();
    world.server.clock.advance_seconds(59);
    assert_eq!(world.claim(conversation).await, None);
    let mut tx = world.store().write_run(&world.organization).await.unwrap();
    let until = world.now().plus_seconds(60);
    assert!(
        tx.renew_conversation_lease(conversation, lost, until)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    world.server.clock.advance_seconds(59);
    assert_eq!(world.claim(conversation).await, None, "it was renewed");
    world.server.clock.advance_seconds(1);
    let next = world.claim(conversation).await.unwrap();
    assert!(!world.keep(conversation, lost).await);
    world.release(conversation, lost).await;
    assert!(
        world.find(conversation).await.unwrap().is_busy(world.now()),
        "the claim is another's"
    );
    world.release(conversation, next).await;
    assert!(!world.find(conversation).await.unwrap().is_busy(world.now()));
}

#[both_engines]
async fn a_claim_of_a_clock_that_was_ahead_is_none(server: TestServer) {
    const AHEAD: i64 = 1800;
    let mut world = World::on(server).await;
    world.server.clock.advance_seconds(AHEAD);
    let (conversation, first) = world.begin().await.unwrap();
    assert!(world.keep(conversation, first).await);
    let lost = world.claim(conversation).await.unwrap();
    world.server.clock.advance_seconds(-AHEAD);
    assert!(!world.find(conversation).await.unwrap().is_busy(world.now()));
    let next = world.claim(conversation).await.unwrap();
    assert!(!world.keep(conversation, lost).await);
    assert!(world.keep(conversation, next).await);
    // What a first interaction left goes, and what one left that is lost can be finished.
    world.server.clock.advance_seconds(AHEAD);
    world.claim(conversation).await.unwrap();
    world.server.clock.advance_seconds(-AHEAD);
    let mut tx = world.store().write_run(&world.organization).await.unwrap();
    assert!(tx.finish_conversation(conversation, world.now()).await.unwrap());
    tx.commit().await.unwrap();
    world.server.clock.advance_seconds(AHEAD);
    let (abandoned, _) = world.begin().await.unwrap();
    world.server.clock.advance_seconds(-AHEAD);
    world.begin().await.unwrap();
    assert_eq!(world.find(abandoned).await, None);
}

#[both_engines]
async fn a_user_has_one_unfinished_conversation_in_a_service(server: TestServer) {
    let mut world = World::on(server).await;
    let (conversation, first) = world.begin().await.unwrap();
    assert_eq!(world.begin().await, None);
    world.release(conversation, first).await;
    assert_eq!(
        world.find(conversation).await,
        None,
        "nothing of a first interaction that failed is left"
    );
    let (abandoned, _) = world.begin().await.unwrap();
    world.server.clock.advance_seconds(60);
    let (conversation, first) = world.begin().await.unwrap();
    assert_eq!(world.find(abandoned).await, None, "its server was lost");
    let finish = async |world: &World| {
        let mut tx = world.store().write_run(&world.organization).await.unwrap();
        let is_finished = tx.finish_conversation(conversation, world.now()).await.unwrap();
        tx.commit().await.unwrap();
        is_finished
    };
    assert!(!finish(&world).await, "an interaction runs");
    assert!(world.keep(conversation, first).await);
    assert!(finish(&world).await);
    assert!(!finish(&world).await);
    assert_eq!(world.claim(conversation).await, None);
    let (next, _) = world.begin().await.unwrap();
    assert!(world.find(next).await.unwrap().seq > world.find(conversation).await.unwrap().seq);
}

#[both_engines]
async fn a_deletion_takes_all_that_was_said_and_the_claim(server: TestServer) {
    let mut world = World::on(server).await;
    let (conversation, first) = world.begin().await.unwrap();
    assert!(world.keep(conversation, first).await);
    let running = world.claim(conversation).await.unwrap();
    let organization = world.organization.clone();
    let mut tx = world
        .store()
        .write(&organization, world.now())
        .await
        .unwrap()
        .unwrap();
    assert!(tx.delete_conversation(conversation).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!world.keep(conversation, running).await);
    assert_eq!(world.find(conversation).await, None);
    let mut tx = world.store().read().await.unwrap();
    assert!(
        tx.transcript(&organization, conversation, i64::MAX, usize::MAX)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        tx.find_interaction(&organization, conversation, first)
            .await
            .unwrap(),
        None
    );
    assert!(
        tx.running_conversations(&organization, world.service)
            .await
            .unwrap()
            .is_empty()
    );
}

#[both_engines]
async fn what_a_conversation_started_with_never_changes(server: TestServer) {
    let mut world = World::on(server).await;
    world.begin().await.unwrap();
    for change in [
        "revision = 2",
        "agent_version = 2",
        "model_preferences = '{}'",
        "version_set_name = 'edge'",
    ] {
        let sql = format!(
            "UPDATE conversation SET {change} WHERE organization_id = '{}'",
            world.organization
        );
        let refused = world.server.refused(&sql).await;
        assert!(refused.contains("keeps what it started with"), "{refused}");
    }
}
