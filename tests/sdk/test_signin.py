"""Signing in: the SDK does it by itself, before the first call and after a 401."""

from datetime import UTC, datetime, timedelta

import pytest
from amigo_sdk import AmigoClient, AuthenticationError
from amigo_sdk.generated.model import UserSignInWithApiKeyResponse

from helpers import refused


def test_the_first_call_signs_in_and_later_calls_reuse_the_token(client):
    assert client._http._token is None
    client.agents.list()
    token = client._http._token
    client.services.list()
    assert client._http._token is token


def test_a_token_lives_longer_than_the_five_minutes_before_its_end_in_which_the_sdk_renews_it(client):
    client.agents.list()
    assert client._http._token.expires_at > datetime.now(UTC) + timedelta(minutes=6)


def test_a_token_that_the_server_refuses_is_replaced_by_one_sign_in(client):
    refused_token = UserSignInWithApiKeyResponse(
        id_token="not.a.token", expires_at=datetime.now(UTC) + timedelta(hours=1)
    )
    client._http._token = refused_token
    client.agents.list()
    assert client._http._token is not refused_token


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        pytest.param({"api_key": "wrong"}, 401, id="wrong key"),
        pytest.param({"api_key_id": "00000000-0000-4000-8000-000000000000"}, 401, id="unknown key id"),
        pytest.param({"user_id": "nobody"}, 401, id="unknown user"),
        pytest.param({"organization_id": "no-such-organization"}, 404, id="unknown organization"),
    ],
)
def test_a_failed_sign_in_is_an_authentication_error(organization, wrong, status):
    with AmigoClient(config=organization.model_copy(update=wrong)) as client, refused(AuthenticationError) as caught:
        client.agents.list()
    assert sign_in_status(caught.value) == status


def test_another_organizations_key_does_not_sign_in_here(organization, outsider):
    config = outsider.config.model_copy(update={"organization_id": organization.organization_id})
    with AmigoClient(config=config) as client, refused(AuthenticationError) as caught:
        client.agents.list()
    assert sign_in_status(caught.value) == 401


def sign_in_status(error):
    """The SDK keeps the status of a failed sign-in only as the cause of the cause."""
    return error.__cause__.__cause__.response.status_code
