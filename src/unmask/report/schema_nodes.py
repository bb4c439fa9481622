"""The pieces that a JSON Schema is made of; each says what its value means."""

from __future__ import annotations

from unmask.types import Finding

Node = dict[str, object]

_SHA256 = "^[0-9a-f]{64}$"


def record(description: str, properties: dict[str, Node]) -> Node:
    """An object with exactly these keys."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(items: Node, description: str) -> Node:
    """An array."""
    return {"type": "array", "description": description, "items": items}


def nullable(node: Node) -> Node:
    """The value or null."""
    return {"anyOf": [node, {"type": "null"}]}


def text(description: str) -> Node:
    """A string."""
    return {"type": "string", "description": description}


def sha256(description: str) -> Node:
    """A hash in hexadecimal."""
    return {"type": "string", "pattern": _SHA256, "description": f"SHA-256 {description}"}


def number(description: str) -> Node:
    """Any number."""
    return {"type": "number", "description": description}


def seconds(description: str) -> Node:
    """A length of time."""
    return {"type": "number", "minimum": 0, "description": f"{description}, in seconds"}


def share(description: str) -> Node:
    """A number from 0 to 1."""
    return {"type": "number", "minimum": 0, "maximum": 1, "description": f"0 to 1: {description}"}


def count(description: str) -> Node:
    """A whole number from 0."""
    return {"type": "integer", "minimum": 0, "description": description}


def flag(description: str) -> Node:
    """True or false."""
    return {"type": "boolean", "description": f"true: {description}"}


def point(description: str) -> Node:
    """X and y."""
    return {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
        "description": description,
    }


def finding(description: str) -> Node:
    """One of the four answers."""
    return {
        "enum": [finding.value for finding in Finding],
        "description": f"{description}; never proof that a video is genuine",
    }


def pair(description: str) -> Node:
    """Two numbers."""
    return {
        **list_of({"type": "number"}, description),
        "minItems": 2,
        "maxItems": 2,
    }
