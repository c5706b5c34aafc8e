#!/usr/bin/env python3
"""Reduces an OpenAPI 3.1 document to its machine-readable contract.

The tests hold Forge to the public Classic API: paths, parameters, status codes, types and
constraints. The document's prose is not ours to carry around and would bury real changes in the
diff, so it is dropped. The output is deterministic and keeps the order of the source.
"""

import argparse
import json
import re
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

ORIGIN = {
    "document": "classic-core.json",
    "note": "Public Classic API contract, OpenAPI 3.1, 2026-07, stripped of prose",
}
TITLE = "Classic API"

# Keywords that only speak to people.
PROSE = {"description", "summary", "title", "example", "examples", "externalDocs"}

# Keywords whose value is an object from freely chosen names to further objects. A name in there may
# be spelled like a keyword (a property called "description") and is never one.
NAME_MAPS = {
    "$defs", "callbacks", "content", "dependentSchemas", "encoding", "headers", "links", "mapping",
    "parameters", "pathItems", "paths", "patternProperties", "properties", "requestBodies", "responses",
    "schemas", "securitySchemes", "webhooks",
}  # fmt: skip

# Keywords whose value is data, to be kept as it is.
DATA = {"const", "default", "dependentRequired", "enum", "required", "security", "tags"}

# Enums longer than this that occur more than once become a component of their own, named here by the
# property that carries them. They would be 99 percent of the document otherwise.
LONG_ENUM = 50
ENUM_NAMES = {
    "default_spoken_language": "LanguageCode",
    "preferred_language": "LanguageCode",
    "timezone": "TimeZoneName",
}

# The standard library renamed these between Python versions; the output must not depend on that.
REASONS = {
    413: "Content Too Large",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


class ContractError(Exception):
    """The document has something this script was not written for."""


def strip(node: Any) -> Any:
    """Returns a copy of an OpenAPI or JSON Schema object without its prose."""
    if isinstance(node, list):
        return [strip(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if key in PROSE or (key == "default" and is_prose(value)):
            continue
        if key in DATA:
            kept[key] = value
        elif key in NAME_MAPS and isinstance(value, dict):
            kept[key] = {name: strip(item) for name, item in value.items()}
        else:
            kept[key] = strip(value)
        if key == "responses" and isinstance(value, dict):
            kept[key] = {status: with_reason(status, item) for status, item in kept[key].items()}
            limit = re.search(r"(\d+) requests per minute", value.get("429", {}).get("description", ""))
            if limit:
                # A number that stands only in the prose.
                kept["x-requests-per-minute"] = int(limit.group(1))
    return kept


def is_prose(value: Any) -> bool:
    """Tells a text of several lines or many words, however deep, from an ordinary value."""
    if isinstance(value, dict):
        return any(is_prose(item) for item in value.values())
    if isinstance(value, list):
        return any(is_prose(item) for item in value)
    return isinstance(value, str) and ("\n" in value or len(value.split()) > 4)


def refuse_prose(node: Any, path: str = "#") -> None:
    """Fails on prose in a place that `strip` does not know."""
    if isinstance(node, dict):
        for key, value in node.items():
            refuse_prose(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            refuse_prose(value, f"{path}/{index}")
    elif is_prose(node) and not path.endswith("/description"):
        raise ContractError(f"prose left at {path}")


def with_reason(status: str, response: dict[str, Any]) -> dict[str, Any]:
    """Gives a response the description that OpenAPI demands: the reason phrase of its status."""
    if "$ref" in response:
        return response
    if status.isdigit():
        reason = REASONS.get(int(status)) or HTTPStatus(int(status)).phrase
    else:
        reason = "Response"
    return {"description": reason, **response}


def share_long_enums(document: dict[str, Any]) -> None:
    """Moves every long enum that occurs more than once into the components, in place."""
    found: dict[str, list[tuple[Any, Any, str]]] = {}

    def visit(node: Any, parent: Any, place: Any, owner: str) -> None:
        if isinstance(node, dict):
            if len(node.get("enum", ())) > LONG_ENUM:
                found.setdefault(json.dumps(node, sort_keys=True), []).append((parent, place, owner))
            for key, value in node.items():
                if key == "properties" and isinstance(value, dict):
                    for name, item in value.items():
                        visit(item, value, name, name)
                elif key not in DATA:
                    visit(value, node, key, owner)
        elif isinstance(node, list):
            for index, value in enumerate(node):
                visit(value, node, index, owner)

    visit(document["paths"], document, "paths", "")
    visit(document["components"], document, "components", "")

    schemas = document["components"]["schemas"]
    for places in found.values():
        if len(places) < 2:
            continue
        names = {ENUM_NAMES.get(owner) for _, _, owner in places}
        name = names.pop()
        if names or name is None or name in schemas:
            owners = ", ".join(sorted({owner for _, _, owner in places}))
            raise ContractError(f"a long enum needs one free name in ENUM_NAMES; it is used by: {owners}")
        parent, place, _ = places[0]
        schemas[name] = parent[place]
        for parent, place, _ in places:
            parent[place] = {"$ref": f"#/components/schemas/{name}"}


def strip_document(source: dict[str, Any]) -> dict[str, Any]:
    """Returns the contract of a whole OpenAPI document."""
    if not str(source.get("openapi", "")).startswith("3.1."):
        raise ContractError("not an OpenAPI 3.1 document")
    replaced = ("openapi", "info", "servers", "tags")
    contract = {key: value for key, value in strip(source).items() if key not in replaced}
    refuse_prose(contract)
    share_long_enums(contract)
    info = {"title": TITLE, "version": source["info"]["version"]}
    return {"openapi": source["openapi"], "info": info, "x-origin": ORIGIN, **contract}


def render(document: dict[str, Any]) -> str:
    """Writes JSON with an indent of one; a long enum takes a single line."""
    lines: list[str] = []

    def with_markers(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: with_markers(value) for key, value in node.items()}
        if isinstance(node, list):
            if len(node) > LONG_ENUM and all(isinstance(item, str) for item in node):
                lines.append(json.dumps(node, ensure_ascii=False))
                return f"@@line {len(lines) - 1}@@"
            return [with_markers(item) for item in node]
        return node

    text = json.dumps(with_markers(document), indent=1, ensure_ascii=False)
    for number, line in enumerate(lines):
        text = text.replace(f'"@@line {number}@@"', line)
    return text + "\n"


def main() -> int:
    """Reads the document named on the command line and writes its contract."""
    parser = argparse.ArgumentParser(description="Strip an OpenAPI 3.1 document of its prose.")
    parser.add_argument("document", type=Path, help="the OpenAPI document, JSON")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write here instead of stdout")
    arguments = parser.parse_args()
    try:
        text = render(strip_document(json.loads(arguments.document.read_text(encoding="utf-8"))))
    except (OSError, ValueError, ContractError) as error:
        print(f"strip_contract: {arguments.document}: {error}", file=sys.stderr)
        return 1
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
