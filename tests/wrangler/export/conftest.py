"""Flows over small files, to be exported."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.sources.files import FileSources

_PEOPLE = """\
id,age,fare,member,name,city,day,moment,tags,sex,year,json
1,36,7.25,true,Ada,Rom,1815-12-10,2020-01-01 10:00:00,"[""a"",""b""]",f,2019,"{""a"":1,""b"":1}"
2,,71.2833,false,"Turing, Alan",London,1912-06-23,2020-01-01 11:30:00,"[""b""]",m,2020,"{""a"": 2}"
3,41,8.05,TRUE,Grace Hopper,New York,1906-12-09,2020-01-02 09:15:00,"[]",f,2020,{}
4,29,NA,,,Paris,,2020-01-02 12:00:00,,f,2021,
5,36,1e3,true,"say ""hi"" (you)",Zürich,1999-01-31,,"[""a""]",m,2021,"{""b"": ""é""}"
6,8,-0.5,false,  padded  ,,2000-02-29,2020-01-04 00:00:00,"[""é"",""b""]",m,2019,"{""a"": null}"
7,55,13,true,NA,London,2001-03-01,2020-01-05 23:59:59,"[""a""]",f,2020,"{""a"":3.5,""b"":""y""}"
8,62,26.55,true,Linus,Paris,2010-10-10,2020-01-06 06:00:00,"[""c""]",m,2021,"{""a"": 4, ""c"": [1]}"
"""
_CITIES = "city,country,id\nLondon,UK,1\nParis,FR,2\nZürich,CH,3\nLondon,CA,4\n"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ``people.csv`` and ``cities.csv`` lie."""
    made = tmp_path_factory.mktemp("flow")
    (made / "people.csv").write_text(_PEOPLE, encoding="utf-8")
    (made / "cities.csv").write_text(_CITIES, encoding="utf-8")
    return made


@pytest.fixture(scope="session")
def engine(folder: Path) -> Iterator[FlowEngine]:
    """Runs flows over the files of the folder."""
    with Database(threads=2, memory=1 << 30) as database:
        yield FlowEngine(database, FileSources(database, folder))


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pd.DataFrame]:
    """Runs the function of an exported module on the sources that the module reads itself."""
    monkeypatch.chdir(folder)

    def running(text: str, name: str) -> pd.DataFrame:
        scope: dict[str, Any] = {"__name__": "exported"}
        exec(compile(text, "<exported>", "exec"), scope)
        loads = [v for key, v in scope.items() if key == "load" or key.startswith("load_")]
        result = scope[name](*(load() for load in loads))
        assert isinstance(result, pd.DataFrame)
        return result

    return running


@pytest.fixture
def check_style(tmp_path: Path) -> Callable[[str], None]:
    """Holds exported code to the linter's rules, where the linter is installed."""

    def checking(text: str) -> None:
        ruff = shutil.which("ruff")
        if ruff is None:  # it is none of the tests' needs
            compile(text, "<exported>", "exec")
            return
        (tmp_path / "exported.py").write_text(text, encoding="utf-8")
        rules = ["--select", "E,F,W,I", "--line-length", "100"]
        found = subprocess.run(
            [ruff, "check", "--isolated", "--no-cache", *rules, str(tmp_path / "exported.py")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stdout + text

    return checking


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the clone."""
    root = Path(__file__).resolve().parents[3]
    found = Path(os.environ.get("BOTTEGA_TEST_DATA", root.parent / "shared" / "data"))
    if not found.is_dir():
        pytest.skip(f"the real data sets are not at {found}; set BOTTEGA_TEST_DATA")
    return found
