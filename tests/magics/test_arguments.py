"""The words after a magic's name."""

from __future__ import annotations

import pytest

from bottega.magics.arguments import HelpWanted, MagicParser, UsageRefused, pairs


@pytest.fixture
def parser() -> MagicParser:
    parser = MagicParser("%cook", "Cook something.")
    parser.add_argument("meal")
    parser.add_argument("--pan", type=int)
    return parser


def test_words_are_split_as_in_a_shell(parser):
    assert parser.parse_line("'fried rice' --pan 3").meal == "fried rice"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "the following arguments are required: meal"),
        ("rice --pam 3", "did you mean --pan?"),
        ("rice --pan big", "invalid int value: 'big'"),
        ("'rice", "No closing quotation"),
    ],
)
def test_a_wrong_word_is_refused_with_what_would_be_right(parser, line, said):
    with pytest.raises(UsageRefused) as refused:
        parser.parse_line(line)
    assert said in refused.value.message


def test_help_is_given(parser):
    with pytest.raises(HelpWanted, match="Cook something"):
        parser.parse_line("-h")


def test_a_name_cannot_come_twice():
    assert pairs([["a", "1"], ["b", "2"]]) == {"a": "1", "b": "2"}
    with pytest.raises(UsageRefused, match="'a' is given twice"):
        pairs([["a", "1"], ["a", "2"]])
