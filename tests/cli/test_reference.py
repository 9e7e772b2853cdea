"""The pages about the commands tell the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bottega.cli.main import cli
from bottega.cli.reference import PAGE, command_names, reference_page

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/users/*.md"), *ROOT.glob("docs/operators/*.md")]
)


def test_the_page_in_the_tree_is_the_generated_one():
    assert (ROOT / PAGE).read_text() == reference_page(), "run scripts/generate"


@pytest.mark.parametrize("command", command_names())
def test_a_guide_mentions_each_command(command: str):
    written = "\n".join(guide.read_text() for guide in GUIDES)
    assert re.search(rf"{command}\b", written), f"no guide says what {command} is for"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_the_guides_mention_no_command_or_option_that_is_not_there(guide: Path):
    known = command_names()
    blocks = re.findall(r"```bash\n(.*?)```", guide.read_text(), re.S)
    lines = "\n".join(blocks).replace("&&", "\n").replace("$(", "\n").splitlines()
    used = [line.strip() for line in lines if line.strip().startswith("bottega ")]
    for line in used:
        command = next((name for name in known if line.startswith(name)), None)
        assert command is not None, line
        help_text = CliRunner().invoke(cli, [*command.split()[1:], "--help"]).output
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", line.partition("#")[0]):
            assert option in help_text, f"{option} in: {line}"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_links_lead_somewhere(guide: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", guide.read_text()):
        assert (guide.parent / target).exists(), target
