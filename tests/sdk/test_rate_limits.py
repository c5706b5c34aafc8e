"""Rate limits: the SDK knows them by their status and headers, and waits as they say before it tries again."""

import pytest
from amigo_sdk import AmigoClient, NotFoundError, RateLimitError
from amigo_sdk.generated.model import UserUpdateUserInfoRequest
from amigo_sdk.rate_limits import parse_rate_limit_headers

from helpers import UNKNOWN_ID, create_agent, refused

TOO_MANY = 61  # more than a minute lets through of the operations here, and of what comes back while they run


@pytest.fixture
def impatient(organization, responses):
    """A client that never tries again."""
    hooks = {"response": [responses.append]}
    with AmigoClient(config=organization, event_hooks=hooks, retry_max_attempts=1) as client:
        yield client


def test_more_than_ten_agents_a_minute_are_a_rate_limit_error(impatient, responses):
    with refused(RateLimitError) as caught:
        for number in range(TOO_MANY):
            create_agent(impatient, f"Agent {number}", versions=0)
    assert caught.value.status_code == 429
    statuses = [response.status_code for response in responses]
    assert statuses[:10] == [201] * 10
    refusal = responses[-1]
    assert 1 <= int(refusal.headers["Retry-After"]) <= 7
    limit = parse_rate_limit_headers(refusal.headers)
    assert (limit.limit, limit.remaining) == (10, 0)
    assert len(impatient.agents.list().agents) == statuses.count(201)


def test_a_refused_update_is_sent_again_after_the_time_that_the_server_told(client, responses):
    user_id = client.config.user_id
    statuses = []
    while 429 not in statuses and len(statuses) < 2 * TOO_MANY:
        client.users.update(user_id, UserUpdateUserInfoRequest(first_name="Eva"))
        statuses = [response.status_code for response in responses]
    assert statuses[-2:] == [429, 204]
    assert statuses[:-2] == [204] * (len(statuses) - 2)


def test_a_refused_deletion_is_never_sent_again(client, responses):
    for _ in range(10):
        with refused(NotFoundError):
            client.agents.delete(UNKNOWN_ID)
    with refused(RateLimitError):
        for _ in range(TOO_MANY):
            try:
                client.agents.delete(UNKNOWN_ID)
            except NotFoundError:
                continue
    assert [response.status_code for response in responses].count(429) == 1
