"""Runs a model server and the forge binary that uses it, and gives tests an official client."""

import json
import os
import re
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from amigo_sdk import AmigoClient, AmigoConfig

BINARY = os.environ["FORGE_BIN"]
MODEL = os.environ["FORGE_TEST_MODEL"]
PATIENCE = 120  # seconds that a program may take to start or stop

CONFIGURATION = """
[runtime]
turn_seconds = 900
model_call_seconds = 300

[[providers]]
name = "local"
kind = "openai-compatible"
base_url = "{base_url}/v1"
answer_format = "json-object"

[[models.model]]
name = "local_gemma"
provider = "local"
provider_model = "gemma-3-270m"
"""


@pytest.fixture(scope="session")
def model_server(tmp_path_factory):
    """The base URL of a server with the model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # One thread less than there are cores: threads that wait for each other do so busily.
    threads = max(1, (os.cpu_count() or 2) - 1)
    # The model was never taught turns, so any form of them will do that knows instructions.
    command = [sys.executable, "-m", "llama_cpp.server", "--model", MODEL, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--n_ctx", "4096", "--n_threads", str(threads), "--chat_format", "chatml"]
    log = tmp_path_factory.mktemp("model") / "server.log"
    with running(command, log) as process:
        base_url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE
        while not answers(f"{base_url}/v1/models"):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the model server did not start:\n{tail(log)}", pytrace=False)
            time.sleep(0.2)
        yield base_url


@pytest.fixture(scope="session")
def forge_log(tmp_path_factory):
    return tmp_path_factory.mktemp("forge") / "serve.log"


@pytest.fixture(scope="session")
def client(model_server, forge_log, tmp_path_factory):
    """A super administrator of an organization of a server that uses the model."""
    folder = tmp_path_factory.mktemp("data")
    store = ["--data-dir", str(folder)]
    created = subprocess.run(
        [BINARY, "init", *store, "--organization", "model-test", "--json"], capture_output=True, text=True, timeout=PATIENCE
    )
    assert created.returncode == 0, created.stderr
    (folder / "forge.toml").write_text(CONFIGURATION.format(base_url=model_server))
    command = [BINARY, "serve", *store, "--listen", "127.0.0.1:0", "--no-rate-limits"]
    with running(command, forge_log, stdout=subprocess.PIPE) as process:
        said_something, _, _ = select.select([process.stdout], [], [], PATIENCE)
        first_line = process.stdout.readline() if said_something else ""
        listening = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", first_line)
        assert listening, f"forge serve began with {first_line!r}:\n{tail(forge_log)}"
        config = AmigoConfig(base_url=listening[1], **json.loads(created.stdout))
        with AmigoClient(config=config) as client:
            yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed and "forge_log" in item.funcargs:
        report.sections.append(("forge serve", tail(item.funcargs["forge_log"])))
    return report


@contextmanager
def running(command, log, stdout=None):
    with log.open("w") as stderr, subprocess.Popen(command, stdout=stdout or stderr, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def tail(log):
    return "\n".join(Path(log).read_text().splitlines()[-60:])
