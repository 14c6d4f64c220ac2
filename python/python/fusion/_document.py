"""What results and their parts have in common."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar, TypeVar

_Self = TypeVar("_Self", bound="Document")


class Document:
    """A JSON object whose keys are the fields of a frozen dataclass."""

    _parts: ClassVar[dict[str, Any]] = {}
    """The classes of fields that are objects, or sequences of objects."""

    _sparse: ClassVar[frozenset[str]] = frozenset()
    """The fields that are sequences, and keys of the document only if there is something in them."""

    @classmethod
    def _from_json(cls: type[_Self], text: str) -> _Self:
        return cls._from_dict(json.loads(text))

    @classmethod
    def _from_dict(cls: type[_Self], values: dict[str, Any]) -> _Self:
        known = {}
        for name in _fields(cls):
            value = values.get(name, []) if name in cls._sparse else values[name]
            part = cls._parts.get(name)
            if isinstance(value, list):
                value = tuple(part._from_dict(one) if part else one for one in value)
            elif part and value is not None:
                value = part._from_dict(value)
            known[name] = value
        return cls(**known)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, in dictionaries and lists of its own."""
        fields = {name: getattr(self, name) for name in _fields(type(self))}
        return {
            name: _plain(value)
            for name, value in fields.items()
            if value != () or name not in self._sparse
        }

    def to_json(self) -> str:
        """The JSON document as text, indented as ``fusion --json`` prints it."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"


def _fields(of: Any) -> list[str]:
    return [each.name for each in dataclasses.fields(of)]


def _plain(value: Any) -> Any:
    if isinstance(value, Document):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value
