"""JSON lines whose faults are reported with file, line and field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.asking.asked import turn_from
from rag.errors import RagError, UsageError
from rag.store.files import describe_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rag.types import Turn


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object of a file, and where it stands.

    Attributes:
        path: the file.
        line: line number from 1.
        fields: the object.
    """

    path: Path
    line: int
    fields: Mapping[str, object]

    def error(self, problem: str) -> UsageError:
        """An error that names file and line."""
        return UsageError(f"{self.path}, line {self.line}: {problem}")

    def string(self, name: str, default: str | None = None) -> str:
        """A string field; a missing or null one is the default, or an error without one."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self.error(f'"{name}" must be a string')
        return value

    def text(self, name: str) -> str:
        """A required string that is not blank."""
        value = self.string(name, "")
        if not value.strip():
            raise self.error(f'"{name}" must be a string that is not empty')
        return value

    def identifier(self, name: str) -> str:
        """A non-empty id; some data sets write theirs as numbers."""
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value:
            raise self.error(f'"{name}" must be a string that is not empty')
        return value

    def boolean(self, name: str) -> bool:
        """A required true or false."""
        value = self.fields.get(name)
        if not isinstance(value, bool):
            raise self.error(f'"{name}" must be true or false')
        return value

    def sequence(self, name: str) -> list[object]:
        """A list field; empty if missing or null."""
        value = self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(f'"{name}" must be a list')
        return value

    def history(self) -> tuple[Turn, ...]:
        """The turns of "history"; empty if missing or null."""
        return tuple(self._turn(turn) for turn in self.sequence("history"))

    def _turn(self, turn: object) -> Turn:
        found = turn_from(turn)
        if found is None:
            raise self.error(
                'a turn of "history" must be {"role": "user" or "assistant", "content": a string}'
            )
        return found


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, without their ends, numbered from 1.

    Raises:
        UsageError: the file is missing, unreadable or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line.rstrip("\n")
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: {error.reason}") from error


def read_rows(path: Path) -> Iterator[Row]:
    """The objects of a file of JSON lines.

    Raises:
        UsageError: as `read_lines`, or a line is not a JSON object.
    """
    for number, line in read_lines(path):
        try:
            fields = json.loads(line)
        except json.JSONDecodeError as error:
            problem = f"{path}, line {number}: not JSON ({error.msg}, column {error.colno})"
            raise UsageError(problem) from None
        if not isinstance(fields, dict):
            raise UsageError(f"{path}, line {number}: not a JSON object")
        yield Row(path, number, fields)


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write one JSON object a line, UTF-8.

    Raises:
        RagError: the file cannot be written.
    """
    write_text(path, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """Write one piece of text after the other, UTF-8.

    Raises:
        RagError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
    except OSError as error:
        raise RagError(f"{path} cannot be written: {describe_error(error)}") from error
