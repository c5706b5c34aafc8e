"""Users: inviting them, what they may do, changing and deleting them."""

import pytest
from amigo_sdk import AmigoClient, AuthenticationError, ConflictError, ForbiddenError, NotFoundError
from amigo_sdk.generated.model import (
    GetUsersParametersQuery,
    UserCreateInvitedUserRequest,
    UserUpdateUserInfoRequest,
)

from helpers import create_agent, refused, request

PLAIN = "DefaultUserRole"
ADMINISTRATOR = "DefaultAdministratorRole"


def invite(client, first_name="Ida", role_name=PLAIN):
    email = f"{first_name.lower()}@example.com"
    body = UserCreateInvitedUserRequest(first_name=first_name, last_name="Berg", email=email, role_name=role_name)
    return client.users.create(body).user_id


def list_users(client, **query):
    return client.users.list(GetUsersParametersQuery(**query))


def read_user(client, user_id):
    [user] = list_users(client, user_id=[user_id]).users
    return user


@pytest.fixture
def as_user(organization):
    """Returns a client of another user, signed in with the organization's key."""
    clients = []

    def sign_in(user_id):
        clients.append(AmigoClient(config=organization.model_copy(update={"user_id": user_id})))
        return clients[-1]

    yield sign_in
    for client in clients:
        client.close()


def test_an_invited_user_reads_back(client, responses):
    # The SDK's model cannot hold variables: the type of their names is not hashable.
    body = {"first_name": "Ida", "last_name": "Berg", "email": "ida@example.com", "role_name": PLAIN}
    body |= {"nonsensitive_user_variables": {"floor": "2"}, "sensitive_user_variables": {"insurance": "12-34"}}
    user_id = request(client, "POST", "user/", json=body).json()["user_id"]
    assert responses[-1].status_code == 201
    user = read_user(client, user_id)
    assert (user.first_name, user.last_name, user.email) == ("Ida", "Berg", "ida@example.com")
    assert user.nonsensitive_variables == {"floor": "2"}
    assert user.sensitive_variables == ["insurance"]
    assert "12-34" not in responses[-1].text


def test_users_are_listed_filtered_sorted_and_paged(client):
    ids = {name: invite(client, name) for name in ("Ada", "Bea", "Cleo")}
    assert {client.config.user_id, *ids.values()} == {user.user_id for user in list_users(client).users}
    assert [user.user_id for user in list_users(client, email=["bea@example.com"]).users] == [ids["Bea"]]
    assert list_users(client, user_id=["nobody"]).users == []
    some = list(ids.values())
    first = list_users(client, user_id=some, sort_by=["-first_name"], limit=2)
    second = list_users(
        client, user_id=some, sort_by=["-first_name"], limit=2, continuation_token=first.continuation_token
    )
    assert [user.first_name for user in first.users + second.users] == ["Cleo", "Bea", "Ada"]
    assert (first.has_more, second.has_more) == (True, False)


def test_an_email_address_is_taken_once_and_a_role_must_exist(client):
    invite(client)
    with refused(ConflictError):
        invite(client)
    with refused(NotFoundError):
        invite(client, "Bea", role_name="NoSuchRole")


def test_an_update_changes_what_it_names_and_leaves_the_rest(client, responses):
    user_id = invite(client)
    before = read_user(client, user_id).model_dump()
    client.users.update(user_id, UserUpdateUserInfoRequest(first_name="Eva"))
    assert (responses[-1].status_code, responses[-1].content) == (204, b"")
    assert read_user(client, user_id).model_dump() == {**before, "first_name": "Eva"}


def test_an_invited_user_signs_in_at_once_and_may_do_what_the_role_says(client, as_user):
    plain = as_user(invite(client))
    with refused(ForbiddenError) as caught:
        create_agent(plain, versions=0)
    assert caught.value.status_code == 403
    assert "Organization:CreateAgent" in caught.value.args[0]
    assert plain.services.list().services == []
    administrator = as_user(invite(client, "Bea", ADMINISTRATOR))
    create_agent(administrator)


def test_nobody_invites_a_user_of_a_role_as_great_as_their_own(client, as_user):
    administrator = as_user(invite(client, role_name=ADMINISTRATOR))
    for role_name in (ADMINISTRATOR, "DefaultSuperAdministratorRole"):
        with refused(ForbiddenError):
            invite(administrator, "Bea", role_name)
    invite(administrator, "Bea", PLAIN)


def test_a_deleted_user_is_gone_and_every_token_with_it(client, as_user, responses):
    user_id = invite(client)
    user = as_user(user_id)
    user.services.list()
    client.users.delete(user_id)
    assert (responses[-1].status_code, responses[-1].content) == (204, b"")
    assert list_users(client, user_id=[user_id]).users == []
    with refused(AuthenticationError):
        user.services.list()
    with refused(NotFoundError):
        client.users.delete(user_id)
