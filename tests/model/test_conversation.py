"""A whole conversation with a real model: its stream, its states, and its versions while the set moves on."""

import re

from amigo_sdk.generated.model import (
    ConversationCreateConversationRequest,
    CreateConversationParametersQuery,
    GetConversationMessagesParametersQuery,
    GetConversationsParametersQuery,
    InteractWithConversationParametersQuery,
)

ATTEMPTS = 6  # a small model may give no usable answer, or not come to its end; the client repeats the interaction


def request(client, method, path, **kwargs):
    return client._http.request(method, f"/v1/{client.config.organization_id}/{path}", **kwargs)


def action(name, actions, exits=()):
    return {
        "type": "action",
        "name": name,
        "objective": "Help the user.",
        "actions": actions,
        "intra_state_navigation_guidelines": [],
        "action_guidelines": ["Be brief."],
        "boundary_constraints": [],
        "exit_conditions": [{"description": text, "next_state": to} for text, to in exits],
        "action_tool_call_specs": [],
        "exit_condition_tool_call_specs": [],
        "skip_active_memory_retrieval": True,
    }


def graph(*states):
    """The first state is the initial one, the last the terminal one."""
    return {
        "description": "A dentist's front desk.",
        "states": list(states),
        "new_user_initial_state": states[0]["name"],
        "returning_user_initial_state": states[0]["name"],
        "terminal_state": states[-1]["name"],
        "references": {},
        "global_intra_state_navigation_guidelines": [],
        "global_action_guidelines": [],
        "global_boundary_constraints": [],
    }


FIRST_GRAPH = graph(
    action("welcome", ["Greet the user."], [("The user says what they want.", "note")]),
    {"type": "annotation", "name": "note", "inner_thought": "They want something.", "next_state": "think"},
    {
        "type": "reflection",
        "name": "think",
        "problem": "What does the user want?",
        "word_limit": 30,
        "next_state": "route",
        "tool_call_specs": [],
        "audio_fillers": [],
        "audio_filler_triggered_after": 1,
    },
    {
        "type": "decision",
        "name": "route",
        "objective": "Find out what it is about.",
        "decision_guidelines": [],
        "exit_conditions": [
            {"description": "The user has pain.", "next_state": "care"},
            {"description": "The user wants a date.", "next_state": "arrange"},
        ],
        "tool_call_specs": [],
        "audio_fillers": [],
        "audio_filler_triggered_after": 1,
    },
    action("care", ["Ask where it hurts.", "Say that it will get better."]),
    action("arrange", ["Ask for a date.", "Ask for a name."]),
    action("end", ["Say goodbye."]),
)
SECOND_GRAPH = graph(
    action("second_welcome", ["Greet the user."], [("The user says anything.", "second_end")]),
    action("second_end", ["Say goodbye."]),
)
AGENT = {
    "initials": "MI",
    "identity": {
        "name": "Mira",
        "role": "assistant of a dentist",
        "developed_by": "the dentist",
        "default_spoken_language": "eng",
        "relationship_to_developer": {
            "ownership": "the dentist",
            "type": "assistant",
            "conversation_visibility": "the dentist",
            "thought_visibility": "nobody",
        },
    },
    "background": "Mira answers patients.",
    "behaviors": ["Be kind."],
    "communication_patterns": ["Speak plainly."],
    "voice_config": {"voice_id": "e07c00bc-4134-4eae-9ea4-1a55fb45746b"},
}


def preference(**params):
    return {"llm_name": "local_gemma", "params": params}


def pins(version):
    # Of the conditions of a state, there is only one here, and it always holds: whether it does is nothing that a model
    # of this size can tell. All other choices are its own.
    holds = {"type": "object", "properties": {"choice": {"enum": [1]}}, "required": ["choice"]}
    return {
        "agent_version_number": version,
        "service_hierarchical_state_machine_version_number": version,
        "llm_model_preferences": {
            "evaluate-exit-conditions": preference(
                max_tokens=32, temperature=0, response_format={"type": "json_object", "schema": holds}
            ),
            "decide": preference(max_tokens=32, temperature=0),
            "select-action": preference(max_tokens=32, temperature=0),
            # A model of this size comes to no end by itself, and what the limit cuts off counts for nothing: a sentence is all.
            "reflect": preference(max_tokens=128, temperature=0.7, stop=[".", "!", "?"]),
            "engage-user": preference(max_tokens=128, temperature=0.7, stop=[".", "!", "?"]),
        },
    }


def create_service(client):
    agent = request(client, "POST", "organization/agent", json={"agent_name": "Mira"}).json()["id"]
    path = "organization/service_hierarchical_state_machine"
    machine = request(client, "POST", path, json={"state_machine_name": "Front desk"}).json()["id"]
    for document in (FIRST_GRAPH, SECOND_GRAPH):
        request(client, "POST", f"organization/agent/{agent}/", json=AGENT)
        request(client, "POST", f"{path}/{machine}/", json=document)
    body = {
        "agent_id": agent,
        "service_hierarchical_state_machine_id": machine,
        "name": "Front desk",
        "description": "Answers patients.",
        "is_active": True,
        "keyterms": [],
        "tags": {},
        "release_version_set": pins(1),
    }
    return request(client, "POST", "service/", json=body).json()["id"]


def told(events):
    """Checks a stream and returns its events by type, or nothing if the interaction failed."""
    events = [event.root for event in events]
    events = [getattr(event, "root", event) for event in events]
    events = [getattr(event, "root", event) for event in events]
    kinds = [event.type for event in events]
    if kinds[-1] == "error":
        # Such an interaction is void, and the conversation is as it was before.
        reason = events[-1].error_description
        assert "no usable answer" in reason or "no whole answer" in reason, events[-1]
        return None
    assert kinds[-1] == "interaction-complete" and kinds.count("interaction-complete") == 1, kinds
    pieces = [event for event in events if event.type == "new-message"]
    assert [piece.sequence_number for piece in pieces] == list(range(len(pieces)))
    assert [piece.stop for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    complete = events[-1]
    assert complete.full_message.strip()
    assert "".join(piece.message for piece in pieces) == complete.full_message
    assert {piece.message_id for piece in pieces} == {complete.message_id}
    return events


def create(client, service):
    for _ in range(ATTEMPTS):
        body = ConversationCreateConversationRequest(service_id=service)
        events = told(client.conversations.create_conversation(body, CreateConversationParametersQuery(response_format="text")))
        if events:
            assert events[0].type == "conversation-created"
            return events[0].conversation_id, events
    raise AssertionError(f"no usable answer in {ATTEMPTS} interactions")


def say(client, conversation, text):
    params = InteractWithConversationParametersQuery(request_format="text", response_format="text")
    for _ in range(ATTEMPTS):
        events = told(client.conversations.interact_with_conversation(conversation, params, text_message=text))
        if events:
            assert events[0].type == "user-message-available"
            return events
    raise AssertionError(f"no usable answer in {ATTEMPTS} interactions")


def insights(client, conversation, events):
    """Checks the insights of an interaction against its graph, and returns them."""
    interaction = events[-1].interaction_id
    typed = client.conversations.get_interaction_insights(conversation, interaction)
    found = request(client, "GET", f"conversation/{conversation}/interaction/{interaction}/insights").json()
    assert typed.current_state_name == found["current_state_name"]
    at = None
    for log in found["state_transition_logs"]:
        assert at in (None, log["previous_state"]), found["state_transition_logs"]
        at = log["next_state"]
    assert at in (None, found["current_state_name"])
    calls = found["model_calls"]
    assert calls and calls[-1]["interaction"] == "engage-user"
    for call in calls:
        assert (call["model"], call["provider"], call["is_scripted"]) == ("local_gemma", "local", False)
    return found


def listed(client, conversation):
    [found] = client.conversations.get_conversations(GetConversationsParametersQuery(id=[conversation])).conversations
    return found


def versions(client, conversation):
    info = listed(client, conversation).version_set_info.model_dump(mode="json")
    return [info[f"{thing}_version_info"][1] for thing in ("agent", "service_hierarchical_state_machine")]


def test_a_whole_conversation_with_a_real_model(client, forge_log):
    service = create_service(client)
    conversation, events = create(client, service)
    found = insights(client, conversation, events)
    assert (found["current_state_name"], found["state_transition_logs"]) == ("welcome", [])
    assert versions(client, conversation) == [1, 1]

    events = say(client, conversation, "Hello, my tooth hurts and I want to see the doctor.")
    assert any(event.type == "current-agent-action" for event in events)
    found = insights(client, conversation, events)
    walked = [log["next_state"] for log in found["state_transition_logs"]]
    assert walked[:3] == ["note", "think", "route"] and walked[3] in ("care", "arrange"), walked
    assert [log["type"] for log in found["state_transition_logs"]] == ["action", "annotation", "reflection", "decision"]
    assert len(found["reflections"]) == 1 and 0 < len(found["reflections"][0].split()) <= 30
    [state] = [state for state in FIRST_GRAPH["states"] if state["name"] == walked[3]]
    assert found["current_state_action"] in state["actions"]

    # The set moves on; the conversation does not.
    request(client, "PUT", f"service/{service}/version_sets/preview/", json={"version_set": pins(2)})
    promoted = request(client, "POST", f"service/{service}/version_sets/release/promote", json={"source": "preview"}).json()
    assert promoted["applied"], promoted
    events = say(client, conversation, "Tomorrow at noon.")
    assert not events[-1].conversation_completed
    assert insights(client, conversation, events)["current_state_name"] == walked[3]
    assert versions(client, conversation) == [1, 1]

    query = GetConversationMessagesParametersQuery(
        message_type=["user-message", "agent-message", "agent-inner-thought"], sort_by=["+created_at"]
    )
    messages = client.conversations.get_conversation_messages(conversation, query).messages
    kinds = "".join(message.message_type.value.split("-")[1][0] for message in messages)
    assert re.fullmatch("m(mi{2}m)(mm)", kinds.replace("t", "i")), kinds
    client.conversations.finish_conversation(conversation)
    assert listed(client, conversation).is_finished

    # What begins now runs on what was promoted, and ends where its graph ends.
    second, events = create(client, service)
    assert insights(client, second, events)["current_state_name"] == "second_welcome"
    assert versions(client, second) == [2, 2]
    events = say(client, second, "Goodbye.")
    assert events[-1].conversation_completed
    assert insights(client, second, events)["current_state_name"] == "second_end"
    assert listed(client, second).is_finished
    log = forge_log.read_text()
    assert "my tooth hurts" not in log and "Tomorrow at noon" not in log
