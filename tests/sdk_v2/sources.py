"""Folders of code that the journeys give to the framework estimators and models."""

from __future__ import annotations

import zipfile
from pathlib import Path

SKLEARN = """\
import argparse, json, os
import joblib, pandas
from sklearn.linear_model import Ridge
import scaling          # a file beside this one
import dependency       # a folder given as a dependency
import tiny_wheel       # a wheel named in requirements.txt

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--label", type=str)
    arguments = parser.parse_args()
    assert json.loads(os.environ["SM_HPS"]) == {"alpha": 0.5, "label": "rings"}
    table = pandas.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), header=None)
    model = Ridge(alpha=arguments.alpha).fit(scaling.scaled(table.iloc[:, 1:].to_numpy()), table[0])
    print(f"label={arguments.label} wheel={tiny_wheel.ANSWER} dependency={dependency.NAME}")
    print(f"r2={model.score(table.iloc[:, 1:].to_numpy(), table[0]):.4f};")
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))

if __name__ == "__main__":
    main()
"""
XGBOOST = """\
import argparse, os
import pandas, xgboost

def model_fn(model_dir):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(model_dir, "model.json"))
    return booster

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--num-round", type=int, default=5)
    arguments = parser.parse_args()
    table = pandas.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), header=None)
    data = xgboost.DMatrix(table.iloc[:, 1:].to_numpy(), label=table[0])
    booster = xgboost.train({"max_depth": 3}, data, arguments.num_round)
    booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"))
    print("rounds", booster.num_boosted_rounds())
"""
PYTORCH = """\
import os
import pandas, torch

def model_fn(model_dir):
    model = torch.nn.Linear(8, 1)
    model.load_state_dict(torch.load(os.path.join(model_dir, "model.pth"), weights_only=True))
    return model.eval()

def predict_fn(data, model):
    with torch.no_grad():
        return model(torch.as_tensor(data, dtype=torch.float32)).numpy()

if __name__ == "__main__":
    torch.manual_seed(0)
    table = pandas.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), header=None)
    rows = torch.tensor(table.iloc[:, 1:].to_numpy(), dtype=torch.float32)
    rings = torch.tensor(table[[0]].to_numpy(), dtype=torch.float32)
    model = torch.nn.Linear(8, 1)
    steps = torch.optim.Adam(model.parameters(), lr=0.1)
    for step in range(50):
        steps.zero_grad()
        loss = torch.nn.functional.mse_loss(model(rows), rings)
        loss.backward()
        steps.step()
    print(f"loss={loss.item():.4f};")
    torch.save(model.state_dict(), os.path.join(os.environ["SM_MODEL_DIR"], "model.pth"))
"""


def sklearn_source(folder: Path) -> Path:
    """A source folder with a module of its own and a wheel in its requirements."""
    folder.mkdir(parents=True)
    (folder / "train.py").write_text(SKLEARN)
    (folder / "scaling.py").write_text("def scaled(rows):\n    return rows\n")
    (folder / "requirements.txt").write_text("./tiny_wheel-1.0-py3-none-any.whl\n")
    wheel(folder, "tiny_wheel", "ANSWER = 42\n")
    return folder


def dependency(folder: Path) -> Path:
    """A folder that is given as a dependency: it is imported by its name."""
    package = folder / "dependency"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("NAME = 'beside'\n")
    return package


def script(folder: Path, text: str) -> Path:
    """A folder with nothing but ``train.py``."""
    folder.mkdir(parents=True)
    (folder / "train.py").write_text(text)
    return folder


def wheel(folder: Path, name: str, text: str) -> Path:
    """A wheel with one module."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": text,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    listed = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    made = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, content in {**files, f"{info}/RECORD": listed}.items():
            archive.writestr(path, content)
    return made
