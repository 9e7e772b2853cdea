"""What happens to records on their way: filtered before the model, joined and filtered after it.

Without DataProcessing, answers go to the output as they are. With it, every record has its own
answer, and every answer a line of its own.

CSV keeps its text: cells are cut out and put together as they were written, quotes included. JSON
that is only joined keeps its text, too; what a filter has chosen is written anew.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bottega.features.transform.json_paths import JsonPath, NothingThere
from bottega.features.transform.splitting import Batch

Kind = Literal["csv", "jsonlines", "json"]
KINDS: Mapping[str, Kind] = {
    "text/csv": "csv",
    "application/jsonlines": "jsonlines",
    "application/x-jsonlines": "jsonlines",
    "application/json": "json",
}
"""Media type to the kind of records that DataProcessing can work on."""
OUTPUT, INPUT = "SageMakerOutput", "SageMakerInput"
INFERENCE_ID, INFERENCE_TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
_QUOTED_CELL = re.compile(r'\s*"(?:[^"]|"")*"[^,]*|[^,]*')


class Unfit(Exception):
    """A record or an answer cannot be worked on. The message says which and why."""


def kind_of(media_type: str) -> Kind | None:
    """The kind of records of a media type, whatever its parameters."""
    return KINDS.get(media_type.partition(";")[0].strip().lower())


@dataclass(frozen=True)
class Treatment:
    """What a job does with every batch.

    Attributes:
        kind: of records; None where they are not looked into.
        lines: whether the input is split into lines.
        single: whether a batch is one record.
        assemble: AssembleWith is Line.
        join: JoinSource is Input.
        ids: every output record gets an id and a time.
        clock: seconds since the epoch.
    """

    kind: Kind | None
    lines: bool
    single: bool
    assemble: bool
    input_filter: JsonPath
    output_filter: JsonPath
    join: bool
    ids: bool
    clock: Callable[[], float]

    @property
    def by_record(self) -> bool:
        """Whether records are worked on one by one."""
        return self.join or self.ids or not (self.input_filter.whole and self.output_filter.whole)

    def body(self, batch: Batch) -> bytes:
        """What the model gets for a batch.

        Raises:
            Unfit: the input filter finds nothing in a record, or it is no such record.
        """
        if self.input_filter.whole:
            return batch.body
        chosen = [
            self._chosen(self.input_filter, record, self._place(batch, number))
            for number, record in enumerate(self._records(batch.body))
        ]
        ended = "\n" if batch.body.endswith(b"\n") else ""
        return ("\n".join(chosen) + ended).encode()

    def output(self, batch: Batch, answer: bytes) -> bytes:
        """What the object's output gets for a batch.

        Raises:
            Unfit: the answer does not have one record for each of the batch, or a filter finds
                nothing.
        """
        if not self.by_record:
            return self._assembled(batch, answer)
        records = self._records(batch.body)
        answers = self._answers(batch, answer, len(records))
        lines = [
            self._treated(record, found, self._place(batch, number))
            for number, (record, found) in enumerate(zip(records, answers, strict=True))
        ]
        if not self.lines and self.kind == "json" and not self.assemble:
            return lines[0].encode()
        return "".join(f"{line}\n" for line in lines).encode()

    def _assembled(self, batch: Batch, answer: bytes) -> bytes:
        if not self.assemble:
            return answer
        if self.lines:
            found = answer.count(b"\n") + (not answer.endswith(b"\n")) if answer else 0
            if found != batch.records and self.single and self.kind in ("json", "jsonlines"):
                document = _document(answer)
                answer, found = (answer, found) if document is None else (document, 1)
            self._check_count(batch, found, batch.records)
        return answer if answer.endswith(b"\n") else answer + b"\n"

    def _check_count(self, batch: Batch, found: int, wanted: int) -> None:
        if found != wanted:
            raise Unfit(
                f"the model answered {_range(batch)} with {found} lines instead of {wanted}. There "
                "must be one line for each; have the model answer so, or set BatchStrategy "
                "SingleRecord"
            )

    def _records(self, body: bytes) -> list[str]:
        text = _text(body, "the input")
        if self.kind == "json" and not self.lines:
            return [text]
        return [line for line in _text_lines(text) if line]

    def _answers(self, batch: Batch, answer: bytes, wanted: int) -> list[str]:
        text = _text(answer, "the model's answer")
        if self.kind == "json" and (not self.lines or self.single):
            return [_compact(text, f"the model's answer to {_range(batch)}")]
        lines = _text_lines(text)
        self._check_count(batch, len(lines), wanted)
        return lines

    def _place(self, batch: Batch, number: int) -> str:
        if batch.last - batch.first + 1 == batch.records:
            return f"line {batch.first + number}"
        return f"record {number + 1} of {_range(batch)}"

    def _chosen(self, path: JsonPath, record: str, place: str) -> str:
        try:
            if self.kind == "csv":
                return ",".join(path.select_cells(cells_of(record)))
            return _dumps(path.select(_loads(record, place)))
        except NothingThere as error:
            raise Unfit(f"{place}: {error}") from error

    def _treated(self, record: str, answer: str, place: str) -> str:
        if self.kind == "csv":
            line = f"{record},{answer}" if self.join else answer
            if not self.output_filter.whole:
                line = self._chosen(self.output_filter, line, place)
            return f"{line},{uuid.uuid4()},{self._time()}" if self.ids else line
        line = _joined(record, answer, place) if self.join else answer
        if not self.output_filter.whole:
            line = self._chosen(self.output_filter, line, place)
        elif not self.join:
            line = _compact(line, f"the model's answer to {place}")
        return self._with_id(line) if self.ids else line

    def _with_id(self, line: str) -> str:
        value = json.loads(line)
        whole = value if isinstance(value, dict) else {OUTPUT: value}
        return _dumps(whole | {INFERENCE_ID: str(uuid.uuid4()), INFERENCE_TIME: self._time()})

    def _time(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cells_of(line: str) -> list[str]:
    """The cells of a line of CSV as they were written, with their quotes."""
    if '"' not in line:
        return line.split(",")
    cells = []
    place = 0
    while True:
        match = _QUOTED_CELL.match(line, place)
        assert match is not None  # the second alternative takes anything
        cells.append(match[0])
        place = match.end()
        if place >= len(line):
            return cells
        place += 1  # the comma


def _joined(record: str, answer: str, place: str) -> str:
    value = _loads(record, place)
    answer = _compact(answer, f"the model's answer to {place}")
    if not isinstance(value, dict):
        return f'{{"{INPUT}":{_one_line(record, value)},"{OUTPUT}":{answer}}}'
    if OUTPUT in value:
        return _dumps(value | {OUTPUT: json.loads(answer)})
    start = _one_line(record, value)[:-1].rstrip()
    return f'{start}{"," if value else ""}"{OUTPUT}":{answer}}}'


def _one_line(text: str, value: Any) -> str:
    """A JSON text that has no line breaks."""
    text = text.strip()
    return _dumps(value) if "\n" in text or "\r" in text else text


def _document(answer: bytes) -> bytes | None:
    """One JSON document without its line breaks; None for anything else."""
    try:
        return _dumps(json.loads(answer)).encode()
    except (ValueError, RecursionError):
        return None


def _compact(text: str, what: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"{what} is no JSON ({error})") from error
    return _one_line(text, value)


def _loads(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"{place} is no JSON ({error})") from error


def _dumps(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate, which was escaped
        return json.dumps(value, separators=(",", ":"))
    return text


def _text(body: bytes, what: str) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Unfit(f"{what} is not in UTF-8 ({error})") from error


def _text_lines(text: str) -> list[str]:
    """Lines without their ends; a final line end begins no further line."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line[:-1] if line.endswith("\r") else line for line in lines]


def _range(batch: Batch) -> str:
    if batch.first == batch.last:
        return f"line {batch.first}"
    return f"lines {batch.first} to {batch.last}"
