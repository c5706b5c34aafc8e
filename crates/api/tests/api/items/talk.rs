//! Conversations for tests of what comes of them.

use forge_app::conversations::{Completed, Create, Interaction, create, interact};
use forge_app::{AppError, Caller};
use forge_domain::ConversationId;
use forge_domain::access::DefaultRole;
use forge_domain::conversation::UserInput;
use forge_domain::simulation::InitialMessageType;
use forge_testkit::TestServer;
use tokio::sync::mpsc;

fn administrator(server: &TestServer) -> Caller {
    server.caller(DefaultRole::SuperAdministrator.grants())
}

fn said(message: &str) -> UserInput {
    UserInput {
        message_type: InitialMessageType::UserMessage,
        message: message.to_owned(),
        events: Vec::new(),
    }
}

async fn completed(interaction: Result<Interaction, AppError>) -> Completed {
    let (events, _reading) = mpsc::channel(1000);
    interaction.unwrap().run(events).await.unwrap()
}

/// Starts a conversation of the administrator in a service by saying something.
pub(crate) async fn start(server: &TestServer, service: &str, message: &str) -> Completed {
    let start = Create {
        service_id: service.parse().unwrap(),
        set: "release".to_owned(),
        said: Some(said(message)),
        tags: forge_domain::tag::Tags::new(),
    };
    completed(create(forge_app::Ctx::new(&server.app, &administrator(server)), start).await).await
}

/// Says something to a conversation.
pub(crate) async fn say(server: &TestServer, conversation: ConversationId, message: &str) -> Completed {
    let caller = administrator(server);
    completed(
        interact(
            forge_app::Ctx::new(&server.app, &caller),
            conversation,
            said(message),
        )
        .await,
    )
    .await
}

/// Deletes a conversation.
pub(crate) async fn delete(server: &TestServer, conversation: ConversationId) {
    forge_app::conversations::delete(
        forge_app::Ctx::new(&server.app, &administrator(server)),
        conversation,
    )
    .await
    .unwrap();
}
