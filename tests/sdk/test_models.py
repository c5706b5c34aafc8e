"""The models that a version set may name; the SDK has a model of the answer and no method."""

from amigo_sdk.generated.model import AdminGetModelsResponse

from helpers import MODEL, read_service, request, upsert_untyped, version_set


def served_names(client):
    answer = AdminGetModelsResponse.model_validate_json(request(client, "GET", "admin/get_models/").text)
    return [model.name for model in answer.models]


def test_every_model_is_served_once(client):
    names = served_names(client)
    assert MODEL in names
    assert len(names) == len(set(names))


def test_every_served_model_is_accepted_in_a_version_set(client, service_id):
    preferences = {f"interaction {name}": {"llm_name": name, "params": {}} for name in served_names(client)}
    upsert_untyped(client, service_id, "test", version_set(**preferences))
    stored = read_service(client, service_id).version_sets["test"]
    assert stored.model_dump() == version_set(**preferences)
