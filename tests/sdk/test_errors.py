"""Each status becomes the SDK's own error class, with a text from the server and a body in the documented form."""

import pytest
from amigo_sdk import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ValidationError,
)

from helpers import MALFORMED_ID, UNKNOWN_ID, create_agent, create_agent_version, refused, request


def incomplete_first_version(client):
    create_agent_version(client, create_agent(client, "Unborn", versions=0), {"initials": "UN"})


def useless_credentials(client):
    user = f"{client.config.organization_id}_{client.config.user_id}"
    request(client, "GET", "organization/agent", auth=(user, "not-a-token"))  # in place of the SDK's bearer token


def unknown_agent(client):
    client.agents.get_agent_versions(UNKNOWN_ID)


def taken_name(client):
    create_agent(client, "Mira", versions=0)
    create_agent(client, "Mira", versions=0)


@pytest.mark.parametrize(
    ("call", "status", "error_class"),
    [
        (incomplete_first_version, 400, BadRequestError),
        (useless_credentials, 401, AuthenticationError),
        (unknown_agent, 404, NotFoundError),
        (taken_name, 409, ConflictError),
    ],
)
def test_a_status_becomes_an_error_class_with_the_servers_text(client, call, status, error_class):
    with refused(error_class) as caught:
        call(client)
    assert caught.value.status_code == status
    assert caught.value.response_body["detail"] == caught.value.args[0]


def test_a_caller_of_another_organization_who_says_so_is_forbidden(organization, outsider):
    with refused(ForbiddenError) as caught:
        outsider._http.request(
            "POST",
            f"/v1/{organization.organization_id}/organization/agent",
            json={"agent_name": "Mira"},
            headers={"X-ORG-ID": outsider.config.organization_id},
        )
    assert caught.value.status_code == 403


@pytest.mark.parametrize("body", [{}, {"agent_name": 5}, {"agent_name": ""}], ids=["missing", "wrong type", "empty"])
def test_an_invalid_body_says_which_field_is_wrong(client, body):
    with refused(ValidationError) as caught:
        request(client, "POST", "organization/agent", json=body)
    assert caught.value.status_code == 422
    [problem] = caught.value.response_body["detail"]
    assert problem["loc"] == ["body", "agent_name"]
    assert problem["msg"]
    assert problem["type"]


def test_an_invalid_path_says_which_parameter_is_wrong(client):
    with refused(ValidationError) as caught:
        client.agents.get_agent_versions(MALFORMED_ID)
    [problem] = caught.value.response_body["detail"]
    assert problem["loc"] == ["path", "agent_id"]


def test_a_body_that_is_no_json_is_invalid(client):
    with refused(ValidationError):
        request(client, "POST", "organization/agent", content="{", headers={"Content-Type": "application/json"})


def test_fields_that_the_api_does_not_know_are_ignored(client):
    request(client, "POST", "organization/agent", json={"agent_name": "Mira", "favourite_colour": "teal"})
    assert [agent.name for agent in client.agents.list().agents] == ["Mira"]
