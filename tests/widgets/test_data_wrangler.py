"""A frame in the Data Wrangler: what a cell shows, and what comes back of it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import bottega
from bottega.errors import ClientFault
from bottega.sdk.session import Session
from bottega.widgets.data_wrangler import MIME, DataWrangler

IMPUTE = ("Handle missing", "Impute")


@pytest.fixture
def beers() -> pd.DataFrame:
    return pd.DataFrame({"ounces": [12.0, None, 16.0], "name": ["a<b", "b", None]})


def edited(wrangler: DataWrangler, studio: Session) -> None:
    """What the grid does when somebody adds a step."""
    flow = wrangler.flow.add(*IMPUTE, input_column=["ounces"])
    request = {"DraftId": wrangler.draft, "Flow": flow.text}
    studio.client.call("bottega", "PutDraftFlow", request)


def test_it_shows_a_grid_or_the_first_rows(studio: Session, beers: pd.DataFrame):
    shown = bottega.show(beers, "beers & more", studio)._repr_mimebundle_()
    bundle = shown[MIME]
    assert isinstance(bundle, dict)
    assert bundle.pop("draftId").startswith("beers-more-")
    assert bundle == {"title": "beers & more", "rows": 3, "columns": 2, "expression": None}
    assert "a&lt;b" in shown["text/html"]
    assert "beers &amp; more: 3 rows × 2 columns" in shown["text/html"]
    assert shown["text/plain"] == 'DataWrangler("beers & more", 3 rows × 2 columns)'


def test_steps_of_the_grid_come_back(studio: Session, beers: pd.DataFrame, tmp_path: Path):
    wrangler = bottega.DataWrangler(beers, "beers", studio)
    assert wrangler.result().equals(wrangler._frame.assign(name=beers["name"].astype("str")))
    edited(wrangler, studio)
    assert wrangler.flow.preview()["ounces"].tolist() == [12.0, 14.0, 16.0]
    assert wrangler.result()["ounces"].tolist() == [12.0, 14.0, 16.0]
    assert beers["ounces"].isna().sum() == 1
    wrangler.to_file(tmp_path / "beers.flow")
    document = json.loads((tmp_path / "beers.flow").read_text())
    assert document["nodes"][0]["type"] == "SOURCE"


def test_the_code_does_the_same(studio: Session, beers: pd.DataFrame):
    wrangler = bottega.DataWrangler(beers, "beers", studio)
    edited(wrangler, studio)
    scope: dict[str, object] = {"__name__": "elsewhere"}
    exec(wrangler.code, scope)
    prepare = scope["prepare_beers"]
    assert callable(prepare)
    assert prepare(beers)["ounces"].tolist() == [12.0, 14.0, 16.0]


def test_odd_frames(studio: Session):
    frame = pd.DataFrame(
        {1: pd.to_datetime(["2026-01-01 12:00+02:00"]), "kind": pd.Categorical(["x"])},
        index=pd.Index(["row"], name="key"),
    )
    wrangler = DataWrangler(frame, session=studio)
    found = wrangler.result()
    assert found.columns.tolist() == ["key", "1", "kind"]
    assert found["1"].tolist() == [pd.Timestamp("2026-01-01 10:00")]
    with pytest.raises(ClientFault, match="Two columns are called 'a'"):
        DataWrangler(pd.DataFrame([[1, 2]], columns=["a", "a"]), session=studio)
    with pytest.raises(ClientFault, match="list is no DataFrame"):
        DataWrangler([1], session=studio)  # type: ignore[arg-type]
