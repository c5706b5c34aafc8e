"""Context graphs (on the wire: service hierarchical state machines) and their versions."""

import json

import pydantic
import pytest
from amigo_sdk import BadRequestError, ConflictError, NotFoundError, ValidationError
from amigo_sdk.generated.model import (
    CreateServiceHierarchicalStateMachineVersionParametersQuery,
    GetServiceHierarchicalStateMachinesParametersQuery,
    GetServiceHierarchicalStateMachineVersionsParametersQuery,
    OrganizationCreateServiceHierarchicalStateMachineRequest,
    OrganizationCreateServiceHierarchicalStateMachineVersionResponse,
)

from helpers import (
    EXAMPLES,
    MALFORMED_ID,
    UNKNOWN_ID,
    create_graph,
    create_graph_version,
    graph_body,
    refused,
    request,
)

PATH = "organization/service_hierarchical_state_machine"


def list_graphs(client, **query):
    page = client.context_graphs.list(GetServiceHierarchicalStateMachinesParametersQuery(**query))
    return page.service_hierarchical_state_machines


def list_versions(client, graph_id, **query):
    return client.context_graphs.get_context_graph_versions(
        graph_id, GetServiceHierarchicalStateMachineVersionsParametersQuery(**query)
    )


def numbers(page):
    return [version.version for version in page.state_machine_versions]


def next_version(number):
    return CreateServiceHierarchicalStateMachineVersionParametersQuery(version=number)


def create_untyped(client, graph_id, body):
    """Keeps recall states' nulls and references, which the SDK's models drop or cannot hold."""
    answer = request(client, "POST", f"{PATH}/{graph_id}/", json=body)
    return OrganizationCreateServiceHierarchicalStateMachineVersionResponse.model_validate_json(answer.text)


def state(body, role):
    """The state that the field `role` names."""
    [found] = [state for state in body["states"] if state["name"] == body[role]]
    return found


def leave_initial_state_to(body, next_state):
    exits = state(body, "new_user_initial_state")["exit_conditions"]
    exits.append({"description": "The patient asks for it.", "next_state": next_state})


def refer_to(body, graph_id, version=1):
    """Adds a reference to another graph, and an exit that uses it."""
    initial = body["new_user_initial_state"]
    body["references"] = {"shared": [graph_id, version]}
    leave_initial_state_to(body, [f"shared.{initial}", initial])


def test_a_new_graph_has_no_version(client, responses):
    body = OrganizationCreateServiceHierarchicalStateMachineRequest(state_machine_name="Care")
    created = client.context_graphs.create(body)
    assert responses[-1].status_code == 201
    [graph] = list_graphs(client)
    assert graph.model_dump() == {"id": created.id, "name": "Care", "deprecated": False, "latest_version": None}


def test_a_taken_name_is_a_conflict(client):
    create_graph(client, "Care")
    with refused(ConflictError):
        create_graph(client, "Care")


def test_pages_of_graphs_follow_one_another_without_gap_or_repetition(client):
    created = [create_graph(client, name, versions=0) for name in ("Admission", "Care", "Discharge")]
    query = GetServiceHierarchicalStateMachinesParametersQuery(limit=2)
    first = client.context_graphs.list(query)
    query.continuation_token = first.continuation_token
    second = client.context_graphs.list(query)
    assert (first.has_more, second.has_more, second.continuation_token) == (True, False, None)
    pages = first.service_hierarchical_state_machines + second.service_hierarchical_state_machines
    assert sorted(graph.id for graph in pages) == sorted(created)


def test_graphs_are_filtered_by_id_and_by_deprecation(client):
    kept, deleted, other = (create_graph(client, name, versions=0) for name in ("Admission", "Care", "Discharge"))
    client.context_graphs.delete(deleted)
    assert {graph.id for graph in list_graphs(client, id=[kept, deleted])} == {kept, deleted}
    assert {graph.id for graph in list_graphs(client, deprecated=False)} == {kept, other}
    assert [graph.id for graph in list_graphs(client, deprecated=True)] == [deleted]


def test_a_version_reads_back_as_it_was_sent(client, responses):
    graph_id = create_graph(client, versions=0)
    created = create_graph_version(client, graph_id, graph_body())
    assert responses[-1].status_code == 201
    assert created.version == 1
    [version] = list_versions(client, graph_id).state_machine_versions
    stored, sent = version.model_dump(mode="json"), graph_body()
    assert {field: stored[field] for field in sent} == sent
    assert (version.org_id, version.version) == (client.config.organization_id, 1)
    assert version.service_hierarchical_state_machine_id == graph_id
    assert version.created_at == created.created_at
    assert version.creator.model_dump() == {"org_id": client.config.organization_id, "user_id": client.config.user_id}
    assert list_graphs(client)[0].latest_version == 1


def test_a_recall_state_needs_its_null_which_the_sdks_models_drop(client):
    example = json.loads((EXAMPLES / "context_graph/v1.json").read_text())
    assert "recall" in {state["type"] for state in example["states"]}
    graph_id = create_graph(client, versions=0)
    with refused(ValidationError):
        create_graph_version(client, graph_id, example)
    assert create_untyped(client, graph_id, example).version == 1
    [version] = list_versions(client, graph_id).state_machine_versions
    assert version.model_dump(mode="json")["states"] == example["states"]


def test_a_dry_run_stores_nothing_and_its_null_answer_fails_the_sdks_validation(client, responses):
    graph_id = create_graph(client, versions=0)
    dry_run = CreateServiceHierarchicalStateMachineVersionParametersQuery(dry_run=True)
    with pytest.raises(pydantic.ValidationError):
        create_graph_version(client, graph_id, graph_body(), dry_run)
    assert (responses[-1].status_code, responses[-1].json()) == (201, None)
    assert list_graphs(client)[0].latest_version is None
    assert numbers(list_versions(client, graph_id)) == []


def test_a_dry_run_applies_the_same_rules(client):
    graph_id = create_graph(client, versions=0)
    dry_run = CreateServiceHierarchicalStateMachineVersionParametersQuery(dry_run=True)
    body = graph_body()
    leave_initial_state_to(body, "nowhere")
    with refused(ValidationError):
        create_graph_version(client, graph_id, body, dry_run)


def next_state_that_does_not_exist(body):
    leave_initial_state_to(body, "nowhere")


def next_state_that_is_the_state_itself(body):
    leave_initial_state_to(body, body["new_user_initial_state"])


def terminal_state_with_an_exit(body):
    exit_condition = {"description": "The patient comes back.", "next_state": body["new_user_initial_state"]}
    state(body, "terminal_state")["exit_conditions"].append(exit_condition)


def terminal_state_with_two_actions(body):
    state(body, "terminal_state")["actions"] = ["Say goodbye.", "Wave."]


def initial_state_that_is_no_action_state(body):
    name, next_state = "think_first", body["new_user_initial_state"]
    thought = {"type": "annotation", "name": name, "inner_thought": "Who is it?", "next_state": next_state}
    body["states"].append(thought)
    body["new_user_initial_state"] = name


def returning_users_initial_state_that_does_not_exist(body):
    body["returning_user_initial_state"] = "nowhere"


def terminal_state_that_does_not_exist(body):
    body["terminal_state"] = "nowhere"


@pytest.mark.parametrize(
    "violation",
    [
        next_state_that_does_not_exist,
        next_state_that_is_the_state_itself,
        terminal_state_with_an_exit,
        terminal_state_with_two_actions,
        initial_state_that_is_no_action_state,
        returning_users_initial_state_that_does_not_exist,
        terminal_state_that_does_not_exist,
    ],
)
def test_a_graph_that_breaks_a_rule_is_invalid_and_is_not_stored(client, violation):
    graph_id = create_graph(client, versions=0)
    body = graph_body()
    violation(body)
    with refused(ValidationError):
        create_graph_version(client, graph_id, body)
    assert list_graphs(client)[0].latest_version is None


def test_a_reference_to_another_graph_reads_back_as_it_was_sent(client, graph_id):
    body = graph_body()
    refer_to(body, create_graph(client, "Shared"))
    assert create_untyped(client, graph_id, body).version == 2
    [version] = list_versions(client, graph_id, version="latest").state_machine_versions
    stored = version.model_dump(mode="json")
    assert {field: stored[field] for field in body} == body


def test_a_reference_to_a_missing_or_deprecated_graph_is_a_bad_request(client, graph_id):
    deprecated = create_graph(client, "Retired")
    client.context_graphs.delete(deprecated)
    for target in (UNKNOWN_ID, deprecated):
        body = graph_body()
        refer_to(body, target)
        with refused(BadRequestError):
            create_untyped(client, graph_id, body)


def test_an_unknown_tool_is_not_found(client, graph_id):
    body = graph_body()
    tool = {
        "tool_id": UNKNOWN_ID,
        "version_constraint": ">=1.0.0",
        "additional_instruction": "Look up the opening hours.",
        "audio_fillers": [],
        "audio_filler_triggered_after": 2.0,
        "result_persistence": "ephemeral",
    }
    state(body, "new_user_initial_state")["action_tool_call_specs"].append(tool)
    with refused(NotFoundError):
        create_graph_version(client, graph_id, body)


def test_a_version_that_is_not_the_next_one_is_a_conflict(client, graph_id):
    for number in (1, 3):
        with refused(ConflictError):
            create_graph_version(client, graph_id, graph_body(), next_version(number))
    assert create_graph_version(client, graph_id, graph_body(), next_version(2)).version == 2


def test_versions_are_listed_one_by_one_by_range_and_by_page(client):
    graph_id = create_graph(client, versions=6)
    for selection, expected in {
        None: [1, 2, 3, 4, 5, 6],
        "3": [3],
        "latest": [6],
        "2-5": [2, 3, 4, 5],
        "1-latest": [1, 2, 3, 4, 5, 6],
    }.items():
        assert numbers(list_versions(client, graph_id, version=selection, sort_by=["+version"])) == expected
        assert numbers(list_versions(client, graph_id, version=selection, sort_by=["-version"])) == expected[::-1]
    first = list_versions(client, graph_id, sort_by=["+version"], limit=4)
    rest = list_versions(client, graph_id, sort_by=["+version"], limit=4, continuation_token=first.continuation_token)
    assert (numbers(first), first.has_more) == ([1, 2, 3, 4], True)
    assert (numbers(rest), rest.has_more, rest.continuation_token) == ([5, 6], False, None)


def test_a_deleted_graph_stays_readable_and_cannot_be_deleted_again(client, graph_id, responses):
    client.context_graphs.delete(graph_id)
    assert (responses[-1].status_code, responses[-1].json()) == (200, {})
    with refused(ConflictError):
        client.context_graphs.delete(graph_id)
    [graph] = list_graphs(client)
    assert (graph.id, graph.deprecated, graph.latest_version) == (graph_id, True, 1)
    assert numbers(list_versions(client, graph_id)) == [1]


@pytest.mark.parametrize(("graph_id", "error"), [(UNKNOWN_ID, NotFoundError), (MALFORMED_ID, ValidationError)])
def test_an_unknown_graph_is_not_found_and_a_malformed_id_is_invalid(client, graph_id, error):
    for call in (
        lambda: create_graph_version(client, graph_id, graph_body()),
        lambda: list_versions(client, graph_id),
        lambda: client.context_graphs.delete(graph_id),
    ):
        with refused(error):
            call()
