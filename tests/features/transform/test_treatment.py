"""Records are filtered and joined one by one; the count of answers is checked."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.features.transform.json_paths import JsonPath
from bottega.features.transform.splitting import Batch
from bottega.features.transform.treatment import Treatment, Unfit, cells_of


def treatment(
    kind: Any = None, *, before: str = "$", after: str = "$", **changes: Any
) -> Treatment:
    settings: dict[str, Any] = {
        "lines": True,
        "single": False,
        "assemble": True,
        "join": False,
        "ids": False,
        "clock": lambda: 0.0,
    }
    return Treatment(
        kind=kind,
        input_filter=JsonPath.parse(before),
        output_filter=JsonPath.parse(after),
        **{**settings, **changes},
    )


def batch(*lines: str, first: int = 1) -> Batch:
    body = "".join(f"{line}\n" for line in lines).encode()
    return Batch(body, len(body), first, first + len(lines) - 1, len(lines))


def test_answers_pass_as_they_are() -> None:
    plain = treatment(lines=False, assemble=False)
    assert plain.output(batch("a", "b"), b"\x00\xff") == b"\x00\xff"
    assert plain.body(batch("a")) == b"a\n"


def test_assembling_ends_every_answer_with_a_line_end() -> None:
    assert treatment().output(batch("a", "b"), b"1\n2") == b"1\n2\n"
    assert treatment().output(batch("a", "b"), b"1\n2\n") == b"1\n2\n"
    assert treatment(lines=False).output(batch("a"), b"\xff\x00") == b"\xff\x00\n"


@pytest.mark.parametrize("answer", [b"1\n", b"", b"1\n2\n3\n", b"1\n\n2\n"])
def test_another_number_of_lines_is_refused(answer: bytes) -> None:
    with pytest.raises(Unfit, match=r"lines 5 to 6 with \d lines instead of 2"):
        treatment().output(batch("a", "b", first=5), answer)


def test_a_document_of_a_single_record_becomes_one_line() -> None:
    single = treatment("json", single=True)
    assert single.output(batch("{}"), b'{\n "a": 1\n}\n') == b'{"a":1}\n'
    with pytest.raises(Unfit):
        treatment("csv", single=True).output(batch("1"), b"1\n2\n")


def test_csv_is_filtered_and_joined() -> None:
    both = treatment("csv", before="$[1:]", after="$[0,-1]", join=True)
    given = batch("id1,2,3", 'id2,"a,b",4')
    assert both.body(given) == b'2,3\n"a,b",4\n'
    assert both.output(given, b"0.5\n0.7\n") == b"id1,0.5\nid2,0.7\n"


def test_csv_keeps_its_text_when_it_is_joined() -> None:
    joined = treatment("csv", join=True)
    assert joined.output(batch('1,"say ""x""", 3'), b"9\r\n") == b'1,"say ""x""", 3,9\n'


def test_json_lines_are_joined() -> None:
    joined = treatment("jsonlines", join=True)
    given = batch('{"a": 1.10}', "[1,2]", "{}", '{"SageMakerOutput":3}')
    answers = b'{"score": 0.50}\n1\nnull\n"x"\n'
    assert joined.output(given, answers).decode().splitlines() == [
        '{"a": 1.10,"SageMakerOutput":{"score": 0.50}}',
        '{"SageMakerInput":[1,2],"SageMakerOutput":1}',
        '{"SageMakerOutput":null}',
        '{"SageMakerOutput":"x"}',
    ]


def test_json_lines_are_filtered() -> None:
    both = treatment("jsonlines", before="$.features", after="$['id','SageMakerOutput']", join=True)
    given = batch('{"id":1,"features":[1,2]}', '{"id":2,"features":[3,4]}')
    assert both.body(given) == b"[1,2]\n[3,4]\n"
    assert both.output(given, b"10\n20\n").decode().splitlines() == [
        '{"id":1,"SageMakerOutput":10}',
        '{"id":2,"SageMakerOutput":20}',
    ]


def test_a_whole_document_is_one_record() -> None:
    whole = treatment("json", join=True, lines=False, single=True, assemble=False)
    given = Batch(b'{\n"a": [1,\n2]}', 14, 1, 1, 1)
    assert json.loads(whole.output(given, b"[5,\n6]")) == {"a": [1, 2], "SageMakerOutput": [5, 6]}


def test_records_get_ids_and_times() -> None:
    line = treatment("csv", ids=True).output(batch("1"), b"0.5\n").decode().strip()
    value, identifier, time = line.split(",")
    assert (value, len(identifier), time) == ("0.5", 36, "1970-01-01T00:00:00Z")
    record = json.loads(treatment("jsonlines", ids=True).output(batch("1"), b'{"p":1}\n'))
    assert record.keys() == {"p", "SageMakerInferenceId", "SageMakerInferenceTime"}
    record = json.loads(treatment("jsonlines", ids=True).output(batch("1"), b"3\n"))
    assert record["SageMakerOutput"] == 3


@pytest.mark.parametrize(
    ("kind", "options", "line", "answer", "words"),
    [
        ("csv", {"before": "$[5]"}, "1,2", b"", r"line 3: \$\[5\]: there is no \[5\]"),
        ("csv", {"after": "$[5]"}, "1,2", b"1\n", r"line 3: \$\[5\]"),
        ("jsonlines", {"before": "$.a"}, "{", b"", "line 3 is no JSON"),
        ("jsonlines", {"before": "$.a"}, "{}", b"", "line 3: .*no 'a'"),
        ("jsonlines", {"join": True}, "{}", b"x\n", "answer to line 3 is no JSON"),
        ("csv", {"join": True}, "1", b"\xff\n", "answer is not in UTF-8"),
    ],
)
def test_what_does_not_fit_is_named(
    kind: str, options: dict[str, Any], line: str, answer: bytes, words: str
) -> None:
    def through() -> bytes:
        made, given = treatment(kind, **options), batch(line, first=3)
        made.body(given)
        return made.output(given, answer)

    with pytest.raises(Unfit, match=words):
        through()


CELL = st.text(st.sampled_from('ab", 1'), max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.lists(CELL, min_size=1, max_size=6))
def test_cells_are_those_of_a_reader_of_csv(cells: list[str]) -> None:
    line = ",".join(
        '"{}"'.format(cell.replace('"', '""')) if set(cell) & set('",') else cell for cell in cells
    )
    found = cells_of(line)
    assert ",".join(found) == line
    assert [next(csv.reader([cell]), [""]) or [""] for cell in found] == [[cell] for cell in cells]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELL.filter(lambda c: '"' not in c and "," not in c), min_size=1,
                         max_size=4), min_size=1, max_size=20))  # fmt: skip
def test_every_line_has_its_answer_beside_it(rows: list[list[str]]) -> None:
    lines = [",".join(["x", *row]) for row in rows]
    answers = "".join(f"{n}\n" for n in range(len(lines))).encode()
    joined = treatment("csv", join=True).output(batch(*lines), answers).decode()
    assert joined == "".join(f"{line},{n}\n" for n, line in enumerate(lines))
