"""Conversations: events as they are told, and what is kept of them."""

import asyncio
from contextlib import contextmanager

import pytest
from amigo_sdk import AsyncAmigoClient, BadRequestError, ConflictError, NotFoundError
from amigo_sdk.generated.model import (
    ConversationCreateConversationRequest,
    CreateConversationParametersQuery,
    GetConversationMessagesParametersQuery,
    GetConversationsParametersQuery,
    InteractWithConversationParametersQuery,
)

from helpers import UNKNOWN_ID, refused, upsert, version_set

GOODBYE = (
    "The person only wanted opening hours, an address or the phone number, has the answer and needs nothing else."
)
TEXT = InteractWithConversationParametersQuery(request_format="text", response_format="text")


def creation(service_id, **fields):
    body = ConversationCreateConversationRequest(service_id=service_id, **fields)
    return body, CreateConversationParametersQuery(response_format="text")


def create(client, service_id, **fields):
    """Starts a conversation and returns its events."""
    return [event.root for event in client.conversations.create(*creation(service_id, **fields))]


def say(client, conversation_id, text, **fields):
    """Says something and returns the events of the answer."""
    events = client.conversations.interact(conversation_id, TEXT, text_message=text, **fields)
    return [event.root for event in events]


def types(events):
    return [event.type for event in events]


@contextmanager
def refused_stream(error_class):
    """Expects exactly this class. Of a stream that is refused, the SDK does not read the text."""
    with pytest.raises(error_class) as caught:
        yield
    assert type(caught.value) is error_class


def messages(client, conversation_id, **query):
    return client.conversations.messages(conversation_id, GetConversationMessagesParametersQuery(**query)).messages


def test_a_conversation_from_its_first_event_to_its_end(client, service_id):
    started = create(client, service_id)
    assert types(started)[0] == "conversation-created"
    assert types(started)[-2:] == ["new-message", "interaction-complete"]
    assert "current-agent-action" in types(started)
    conversation_id, complete = started[0].conversation_id, started[-1]
    spoken = "".join(event.message for event in started if event.type == "new-message")
    assert spoken == complete.full_message == "Hello from welcome_patient."
    assert not complete.conversation_completed

    answered = say(client, conversation_id, "My tooth hurts. Ä")
    assert types(answered)[0] == "user-message-available"
    assert answered[0].user_message == "My tooth hurts. Ä"
    assert answered[-1].full_message == "In welcome_patient, you said: My tooth hurts. Ä"
    kept = messages(client, conversation_id)
    assert [(message.message_type.value, message.message) for message in kept] == [
        ("agent-message", spoken),
        ("user-message", "My tooth hurts. Ä"),
        ("agent-message", answered[-1].full_message),
    ]
    assert {message.interaction_id for message in kept[1:]} == {answered[-1].interaction_id}

    proposed = client.conversations.recommend_responses_for_interaction(conversation_id, answered[-1].interaction_id)
    assert proposed.recommended_responses == ["Yes.", "No."]
    client.conversations.finish(conversation_id)
    with refused(ConflictError):
        client.conversations.finish(conversation_id)
    with refused_stream(ConflictError):
        say(client, conversation_id, "One more thing.")


def test_the_list_tells_what_a_conversation_runs_on_whatever_is_promoted_meanwhile(client, service_id, agent_id):
    upsert(client, service_id, "preview", version_set())
    conversation_id = create(client, service_id, service_version_set_name="preview")[0].conversation_id
    client.services.delete_version_set(service_id, "preview")
    say(client, conversation_id, "Hello")
    query = GetConversationsParametersQuery(service_id=[service_id], is_finished=False)
    [listed] = client.conversations.list(query).conversations
    assert listed.id == conversation_id
    assert listed.version_set_info.name == "preview"
    assert list(listed.version_set_info.agent_version_info) == [agent_id, 1]
    assert listed.num_messages == 3
    assert listed.final_message == "In welcome_patient, you said: Hello"
    assert client.conversations.list(GetConversationsParametersQuery(is_finished=True)).conversations == []


def test_the_terminal_state_ends_a_conversation_and_insights_tell_why(client, service_id):
    conversation_id = create(client, service_id)[0].conversation_id
    last = say(client, conversation_id, GOODBYE)[-1]
    assert last.conversation_completed
    insights = client.conversations.get_interaction_insights(conversation_id, last.interaction_id)
    assert insights.current_state_name == "close_conversation"
    [transition] = insights.state_transition_logs
    assert transition.root.previous_state_exit_condition_description == GOODBYE
    assert insights.triggered_dynamic_behavior_set_version_info is None


def test_messages_come_in_pages_and_by_type(client, service_id):
    conversation_id = create(client, service_id, initial_message="I broke a tooth.")[0].conversation_id
    say(client, conversation_id, "Two.")
    page = client.conversations.messages(conversation_id, GetConversationMessagesParametersQuery(limit=3))
    assert page.has_more and len(page.messages) == 3
    query = GetConversationMessagesParametersQuery(limit=3, continuation_token=page.continuation_token)
    rest = client.conversations.messages(conversation_id, query)
    assert not rest.has_more and len(rest.messages) == 1
    said = messages(client, conversation_id, message_type=["user-message"], sort_by=["-created_at"])
    assert [message.message for message in said] == ["Two.", "I broke a tooth."]


def test_what_cannot_be_done_is_refused(client, service_id):
    conversation_id = create(client, service_id)[0].conversation_id
    with refused_stream(BadRequestError):
        create(client, service_id)
    with refused_stream(BadRequestError):
        say(client, conversation_id, "   ")
    with refused_stream(NotFoundError):
        say(client, UNKNOWN_ID, "Hello")
    with refused_stream(NotFoundError):
        create(client, UNKNOWN_ID)
    with refused_stream(NotFoundError):
        create(client, service_id, service_version_set_name="nightly")
    voice = InteractWithConversationParametersQuery(
        request_format="voice", response_format="text", request_audio_config={"type": "mp3"}
    )
    sound = {"audio_bytes": b"\xff\xfb\x90\x00", "audio_content_type": "audio/mpeg"}
    with refused_stream(BadRequestError):
        list(client.conversations.interact(conversation_id, voice, **sound))


def test_another_organization_sees_nothing(client, outsider, service_id):
    conversation_id = create(client, service_id)[0].conversation_id
    assert outsider.conversations.list(GetConversationsParametersQuery()).conversations == []
    with refused(NotFoundError):
        messages(outsider, conversation_id)


def test_the_async_client_talks_too(organization, service_id):
    asyncio.run(talk(organization, service_id))


async def talk(organization, service_id):
    async with AsyncAmigoClient(config=organization) as client:
        stream = await client.conversations.create(*creation(service_id))
        events = [event.root async for event in stream]
        conversation_id = events[0].conversation_id
        stream = await client.conversations.interact(conversation_id, TEXT, text_message="Hello")
        events = [event.root async for event in stream]
        assert events[-1].full_message == "In welcome_patient, you said: Hello"
        await client.conversations.finish(conversation_id)
