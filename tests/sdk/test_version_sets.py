"""Version sets: named pins of an agent version, a context-graph version and models."""

import pytest
from amigo_sdk import BadRequestError, NotFoundError, ValidationError

from helpers import (
    MALFORMED_ID,
    MODEL,
    UNKNOWN_ID,
    agent_body,
    create_agent_version,
    read_service,
    refused,
    upsert,
    upsert_untyped,
    version_set,
)


def read_sets(client, service_id):
    service = read_service(client, service_id)
    return {name: pins.model_dump() for name, pins in service.version_sets.items()}


def test_an_upsert_creates_a_set_and_then_replaces_it_whole(client, agent_id, service_id, responses):
    create_agent_version(client, agent_id, agent_body())
    upsert(client, service_id, "test", version_set(agent=1, EngageUser={"llm_name": MODEL}))
    assert (responses[-1].status_code, responses[-1].content) == (204, b"")
    preference = {"llm_name": MODEL, "params": {}}
    assert read_sets(client, service_id)["test"] == version_set(agent=1, EngageUser=preference)
    upsert(client, service_id, "test", version_set(agent=2))
    assert responses[-1].status_code == 204
    assert read_sets(client, service_id)["test"] == version_set(agent=2)


def test_an_upsert_leaves_the_other_sets_alone(client, service_id):
    before = read_sets(client, service_id)
    upsert(client, service_id, "test", version_set())
    assert read_sets(client, service_id) == {**before, "test": version_set()}


def test_a_null_floats_and_stays_null_when_a_new_version_appears(client, agent_id, service_id):
    floating = version_set(agent=None, graph=1)
    upsert_untyped(client, service_id, "test", floating)
    create_agent_version(client, agent_id, agent_body())
    assert read_sets(client, service_id)["test"] == floating


def test_the_sdks_models_drop_the_null_so_that_a_field_is_missing(client, service_id):
    with refused(ValidationError):
        upsert(client, service_id, "test", version_set(agent=None))
    assert "test" not in read_sets(client, service_id)


def test_release_can_be_replaced(client, service_id):
    upsert(client, service_id, "release", version_set())
    assert read_sets(client, service_id)["release"] == version_set()


def test_edge_is_locked(client, service_id):
    with refused(BadRequestError):
        upsert(client, service_id, "edge", version_set())
    assert read_sets(client, service_id)["edge"] == version_set(agent=None, graph=None)


@pytest.mark.parametrize(
    "pins",
    [version_set(agent=2), version_set(graph=2), version_set(EngageUser={"llm_name": "no-such-model", "params": {}})],
    ids=["agent version", "graph version", "model"],
)
def test_a_pin_that_does_not_exist_is_a_bad_request(client, service_id, pins):
    with refused(BadRequestError):
        upsert_untyped(client, service_id, "test", pins)
    assert "test" not in read_sets(client, service_id)


@pytest.mark.parametrize("field", version_set())
def test_a_missing_field_is_invalid(client, service_id, field):
    pins = version_set()
    del pins[field]
    with refused(ValidationError):
        upsert_untyped(client, service_id, "test", pins)


@pytest.mark.parametrize("name", ["with.dot", "with space", "n" * 41])
def test_a_name_outside_the_pattern_is_invalid(client, service_id, name):
    with refused(ValidationError):
        upsert(client, service_id, name, version_set())


def test_a_name_may_be_forty_characters_long(client, service_id):
    upsert(client, service_id, "n" * 40, version_set())
    assert "n" * 40 in read_sets(client, service_id)


@pytest.mark.parametrize(("service_id", "error"), [(UNKNOWN_ID, NotFoundError), (MALFORMED_ID, ValidationError)])
def test_an_unknown_service_is_not_found_and_a_malformed_id_is_invalid(client, service_id, error):
    with refused(error):
        upsert(client, service_id, "test", version_set())
    with refused(error):
        client.services.delete_version_set(service_id, "test")


def test_a_deleted_set_is_gone_and_can_be_created_again(client, service_id, responses):
    upsert(client, service_id, "test", version_set())
    client.services.delete_version_set(service_id, "test")
    assert (responses[-1].status_code, responses[-1].content) == (204, b"")
    assert set(read_sets(client, service_id)) == {"edge", "release"}
    with refused(NotFoundError):
        client.services.delete_version_set(service_id, "test")
    upsert(client, service_id, "test", version_set())
    assert read_sets(client, service_id)["test"] == version_set()


@pytest.mark.parametrize("name", ["edge", "release"])
def test_edge_and_release_cannot_be_deleted(client, service_id, name):
    with refused(BadRequestError):
        client.services.delete_version_set(service_id, name)
    assert set(read_sets(client, service_id)) == {"edge", "release"}
