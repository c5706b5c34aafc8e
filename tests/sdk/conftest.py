"""Runs the forge binary on each engine and gives every test official clients of organizations of its own."""

import json
import os
import re
import select
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from amigo_sdk import AmigoClient, AmigoConfig

from helpers import MODEL, create_agent, create_graph, create_service

BINARY = Path(os.environ.get("FORGE_BIN") or Path(__file__).parents[2] / "target/debug/forge").absolute()
RECORDS = os.environ.get("FORGE_TEST_RECORD_DIR")  # see crates/testkit/src/record.rs
SCRIPT = Path(__file__).parents[2] / "crates/testkit/src/script.json"
PATIENCE = 60  # seconds that a command of the binary may take


@dataclass
class Server:
    base_url: str
    log: Path
    unused: list[dict]  # what `forge init` printed for each organization that no test has taken yet

    def take_organization(self) -> AmigoConfig:
        return AmigoConfig(base_url=self.base_url, **self.unused.pop())


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request, tmp_path_factory):
    if not BINARY.is_file():
        pytest.fail(f"{BINARY} does not exist: build it, or name the binary in FORGE_BIN", pytrace=False)
    folder = tmp_path_factory.mktemp(request.param)
    with fresh_store(request.param, folder) as store:
        organizations = [init(store) for _ in range(organizations_needed(request.session.items, request.param))]
        config = configure(folder / "forge.toml")
        with serving([*store, "--config", config], folder / "forge.log") as base_url:
            yield Server(base_url, folder / "forge.log", organizations)


@pytest.fixture
def organization(server):
    """The credentials of an empty organization's super administrator."""
    return server.take_organization()


@pytest.fixture
def responses():
    """Every response that `client` got, sign-ins excepted: the SDK's methods do not show status codes."""
    return []


@pytest.fixture
def client(organization, responses):
    with AmigoClient(config=organization, event_hooks={"response": [responses.append]}) as client:
        yield client


@pytest.fixture
def outsider(server):
    """A client of another organization."""
    with AmigoClient(config=server.take_organization()) as client:
        yield client


@pytest.fixture
def agent_id(client):
    """An agent with one version."""
    return create_agent(client)


@pytest.fixture
def graph_id(client):
    """A context graph with one version."""
    return create_graph(client)


@pytest.fixture
def service_id(client, agent_id, graph_id):
    """An active service of `agent_id` and `graph_id`."""
    return create_service(client, agent_id, graph_id)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    server = item.funcargs.get("server")
    if report.failed and server:
        report.sections.append(("forge serve", tail(server.log)))
    return report


def organizations_needed(items, engine):
    """One for each use of a fixture that takes one, so that all exist before the server starts."""
    tests = [item for item in items if "server" in item.fixturenames and item.callspec.params["server"] == engine]
    return sum(test.fixturenames.count(fixture) for test in tests for fixture in ("organization", "outsider"))


@contextmanager
def fresh_store(engine, folder):
    """Yields the options that name an empty store; drops a database at the end."""
    if engine == "sqlite":
        yield ["--data-dir", folder / "data"]
        return
    url = os.environ.get("FORGE_TEST_DATABASE_URL")
    if not url:
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse("FORGE_TEST_DATABASE_URL does not name a PostgreSQL database")
    name = f"forge_sdk_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as postgres:
        postgres.execute(f"CREATE DATABASE {name}")
        try:
            fresh_url = urlsplit(url)._replace(path=f"/{name}").geturl()
            yield ["--database-url", fresh_url, "--master-key-file", folder / "master.key"]
        finally:
            postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def init(store):
    """Creates an organization and returns the credentials of its super administrator."""
    command = [BINARY, "init", *store, "--organization", f"sdk-{uuid4().hex[:12]}", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"forge init exited with {done.returncode}:\n{done.stdout}{done.stderr}"
    created = json.loads(done.stdout)
    record("secrets", "all", f"API key\t{created['api_key']}\n")
    return created


def configure(file):
    """Writes a configuration in which a script takes the place of every model of one provider."""
    file.write_text(
        f"""
        [runtime]
        default_model = "{MODEL}"
        [[providers]]
        name = "openai"
        kind = "scripted"
        script = "{SCRIPT}"
        """
    )
    return file


@contextmanager
def serving(store, log):
    """Yields the base URL of a running server; at the end SIGTERM must end it with exit code 0."""
    command = [BINARY, "serve", *store, "--listen", "127.0.0.1:0"]
    environment = os.environ | ({"FORGE_LOG": "trace"} if RECORDS else {})
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process,
    ):
        try:
            said_something, _, _ = select.select([process.stdout], [], [], PATIENCE)
            first_line = process.stdout.readline() if said_something else ""
            listening = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", first_line)
            assert listening, f"forge serve began with {first_line!r}:\n{tail(log)}"
            yield listening[1]
            process.terminate()
            code = process.wait(PATIENCE)
            assert code == 0, f"forge serve exited with {code} after SIGTERM"
        finally:
            process.kill()
            record("written", "server log", log.read_text())


def record(part, kind, text):
    """Keeps a secret, or a text that must not hold one, for the search at the end of scripts/test."""
    if RECORDS:
        folder = Path(RECORDS, part)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{kind}~sdk~{os.getpid()}").open("a") as file:
            file.write(text)


def tail(log):
    return "\n".join(log.read_text().splitlines()[-100:])
