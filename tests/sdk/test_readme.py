"""The Python program of the README, run as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def program():
    block = README.read_text().split("<!-- test: python -->")[1].split("```")[1]
    return block.split("<<'PYTHON'\n")[1].split("PYTHON\n")[0]


def test_the_readmes_program_pins_preview_of_every_service(organization, service_id):
    values = ("base_url", "organization_id", "user_id", "api_key_id", "api_key")
    credentials = {f"FORGE_{value.upper()}": getattr(organization, value) for value in values}
    command = [sys.executable, "-c", program()]
    done = subprocess.run(command, env=os.environ | credentials, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "['edge', 'preview', 'release']" in done.stdout
