"""Packages that are missing, of another version, or could not be installed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from bottega.failures.causes import Cause, Explain, Rule, rule, step
from bottega.failures.job import FailedJob, Said

PACKAGES: Mapping[str, str] = {
    "PIL": "Pillow",
    "Crypto": "pycryptodome",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "google.protobuf": "protobuf",
    "imblearn": "imbalanced-learn",
    "jwt": "PyJWT",
    "Levenshtein": "python-Levenshtein",
    "MySQLdb": "mysqlclient",
    "psycopg2": "psycopg2-binary",
    "pytorch_lightning": "pytorch-lightning",
    "sentence_transformers": "sentence-transformers",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "umap": "umap-learn",
    "yaml": "PyYAML",
}
"""What to install for a module that is not called like its package."""

OWN = frozenset(
    (
        *("utils", "util", "helpers", "helper", "common", "config", "configs", "settings"),
        *("model", "models", "modeling", "networks", "network", "layers", "losses", "metrics"),
        *("data", "dataset", "datasets", "dataloader", "loader", "transforms", "constants"),
        *("src", "source", "lib", "preprocess", "preprocessing", "features", "train_utils"),
        *("training", "evaluate", "evaluation"),
    )
)
"""What people call modules of their own."""

CHANGES: tuple[tuple[str, str, str, str], ...] = (
    (
        r"OneHotEncoder.*unexpected keyword argument 'sparse'",
        "scikit-learn",
        "OneHotEncoder's sparse is called sparse_output since scikit-learn 1.2",
        "OneHotEncoder(sparse_output=False)",
    ),
    (
        r"fit\(\) got an unexpected keyword argument '(?:early_stopping_rounds|eval_metric)'",
        "xgboost",
        "since XGBoost 2.1 early_stopping_rounds and eval_metric are given to the model, not to "
        "fit",
        'XGBClassifier(early_stopping_rounds=10, eval_metric="auc")',
    ),
    (
        r"'DataFrame' object has no attribute 'append'",
        "pandas",
        "DataFrame.append is gone since pandas 2.0",
        "frame = pandas.concat([frame, rows])",
    ),
    (
        r"'DataFrame' object has no attribute 'iteritems'",
        "pandas",
        "DataFrame.iteritems is gone since pandas 2.0",
        "frame.items()",
    ),
    (
        r"module 'numpy' has no attribute '(?:int|float|bool|object|str|complex)'",
        "numpy",
        "numpy.int, numpy.float and their like are gone since NumPy 1.24",
        "int, float, bool  # Python's own",
    ),
    (
        r"cannot import name 'joblib' from 'sklearn\.externals'|"
        r"No module named 'sklearn\.externals",
        "scikit-learn",
        "sklearn.externals.joblib is gone since scikit-learn 0.23",
        "import joblib",
    ),
    (
        r"'(?:Count|Tfidf)Vectorizer' object has no attribute 'get_feature_names'",
        "scikit-learn",
        "get_feature_names is called get_feature_names_out since scikit-learn 1.2",
        "vectorizer.get_feature_names_out()",
    ),
)
"""Changes of libraries that many scripts break on: words, package, what changed, how it is now."""


def package_of(module: str) -> str:
    """What to install for a module."""
    if module in PACKAGES:
        return PACKAGES[module]
    root = module.partition(".")[0]
    return PACKAGES.get(root, root.replace("_", "-"))


def no_module(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """An import of what is not there."""
    module = found["module"]
    root = module.partition(".")[0]
    files = job.code_files()
    if where := _own_place(root, files):
        return _own_module(job, module, where)
    if root in OWN or module.startswith("."):
        return _own_not_sent(job, module, files)
    package = package_of(module)
    has_list = "requirements.txt" in files
    return Cause(
        "PackageMissing",
        f"The module {module!r} is not installed where the job ran; it is part of the package "
        f"{package}.",
        (
            step(
                "Add it to the requirements.txt of the code."
                if has_list
                else "Send a requirements.txt along in source_dir, with this line.",
                package,
                "text",
            ),
            step(
                "Or, for all jobs: install it where bottega runs.",
                f"pip install {package}",
                "shell",
            ),
            step(
                f"If {root} is a module of your own, send its file along: everything in source_dir "
                "comes to the job.",
                'Estimator(entry_point="train.py", source_dir="src")',
            ),
        ),
        "certain" if package in PACKAGES.values() or module in PACKAGES else "likely",
    )


def _own_place(root: str, files: Sequence[str]) -> str:
    """Where a module of the user's own is in the code, though Python does not look there."""
    for name in files:
        parts = name.split("/")
        if root in parts[:-1] or parts[-1] == f"{root}.py":
            return name
    return ""


def _own_module(job: FailedJob, module: str, where: str) -> Cause:
    folder = posixpath.dirname(where)
    root = module.partition(".")[0]
    parts = folder.split("/") if folder else []
    inside = parts[: parts.index(root)] if root in parts else parts
    place = "/".join(inside)
    if not place:
        return Cause(
            "ImportOfOwnModule",
            f"The code has {where}, but no {module!r} can be imported from it.",
            (
                step("Look at what the code has, and at the spelling."),
                step(
                    "A folder without Python files of its own needs an __init__.py.",
                    f"touch {root}/__init__.py",
                    "shell",
                ),
            ),
            "likely",
        )
    return Cause(
        "ImportOfOwnModule",
        f"The module {module!r} is in the code as {where}, and Python does not look into {place}/.",
        (
            step(
                "Name the folder when you import it.",
                f"from {place.replace('/', '.')} import {root}",
            ),
            step(
                "Or let Python look there.",
                f'import sys\nsys.path.insert(0, "/opt/ml/code/{place}")',
            ),
        ),
    )


def _own_not_sent(job: FailedJob, module: str, files: Sequence[str]) -> Cause:
    names = ", ".join(sorted(files)[:6])
    has = f"; the job's code has {names}" if names else ""
    return Cause(
        "ImportOfOwnModule",
        f"The module {module!r} looks like one of your own, and it did not come to the job{has}.",
        (
            step(
                "Send the folder that has it along: everything in source_dir comes to the job, "
                "entry_point alone is one file.",
                f'Estimator(entry_point="{job.script or "train.py"}", source_dir="src")',
            ),
            step("If it is a package, add it to a requirements.txt in source_dir."),
        ),
        "likely",
    )


def no_name(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """A module that is there, without the name that is asked of it."""
    module, name = found["module"], found["name"]
    root = module.partition(".")[0]
    if "partially initialized" in said.text:
        return Cause(
            "ImportOfOwnModule",
            f"{module} and another module import one another, so {name!r} is not there yet.",
            (step("Import inside of the function that needs it, or move it to a third module."),),
        )
    if "/opt/ml/code" in said.text or _own_place(root, job.code_files()):
        return Cause(
            "ImportOfOwnModule",
            f"Your module {module} has no {name!r}.",
            (step(f"Look whether {name} is spelled so, and whether its file came along."),),
        )
    package = package_of(module)
    return Cause(
        "VersionConflict",
        f"The installed version of {package} has no {name!r} in {module}: the code was written for "
        "another one.",
        (
            step(
                "Ask for the version that the code was written for, in the requirements.txt.",
                f"{package}==<version>",
                "text",
            ),
            step(
                "See which version the job had.",
                f'from importlib.metadata import version\nprint(version("{package}"))',
            ),
        ),
    )


def binary(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Packages that were built for another version of NumPy, or of the C library."""
    return Cause(
        "VersionConflict",
        f"Two packages were built for different versions: {found[0].strip()}.",
        (
            step(
                "Leave the version of numpy open in the requirements.txt, or ask for packages of "
                "the same time."
            ),
            step(
                "Name no version of what the job has already: see what that is.",
                "pip list",
                "shell",
            ),
        ),
    )


def changed(package: str, what: str, code: str) -> Explain:
    """The explanation of a change that is known."""

    def explain(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
        return Cause(
            "VersionConflict",
            f"The code was written for another version of {package}: {what}.",
            (
                step("Write it as it is now.", code),
                step(
                    "Or ask for the older version in the requirements.txt.",
                    f"{package}<newer",
                    "text",
                ),
            ),
        )

    return explain


def no_distribution(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """pip found no package, or no such version of it."""
    wanted = (found["wanted"] or "").strip()
    name = re.split(r"[<>=!~;\[ (]", wanted)[0]
    versions = found.groupdict().get("versions") or ""
    if versions and versions != "none":
        newest = versions.split(",")[-1].strip()
        return Cause(
            "RequirementsFailed",
            f"There is no version of {name} as the requirements.txt asks for it ({wanted}).",
            (
                step(
                    f"Ask for one that there is; the newest is {newest}.",
                    f"{name}=={newest}",
                    "text",
                ),
            ),
        )
    return Cause(
        "RequirementsFailed",
        f"pip found no package {name!r} that it could install ({wanted}).",
        (
            step(
                "Look at the spelling in the requirements.txt: packages are often not called like "
                "their modules."
            ),
            step(
                "See whether this machine reaches the package index, and has one for its Python.",
                f"pip download --no-deps {wanted}",
                "shell",
            ),
        ),
    )


def conflict(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Requirements that exclude one another."""
    return Cause(
        "VersionConflict",
        f"The packages of the requirements.txt exclude one another: {found[0].strip()}",
        (
            step(
                "Leave out the versions of all packages but those that the code needs as they are."
            ),
            step(
                "Let pip say what it can agree on.",
                "pip install --dry-run -r requirements.txt",
                "shell",
            ),
        ),
    )


def not_installed(job: FailedJob) -> Cause | None:
    """Installing failed in a way that no rule knows."""
    if job.program_error not in ("InstallRequirementsError", "InstallModuleError"):
        return None
    what = "requirements.txt" if job.program_error == "InstallRequirementsError" else "project"
    last = job.message.splitlines()[-1] if job.message else "pip said nothing"
    return Cause(
        "RequirementsFailed",
        f"The {what} of the code could not be installed: {last}",
        (
            step(
                "Try it here, with the same Python.",
                "pip install --dry-run -r requirements.txt",
                "shell",
            ),
            step("Prefer packages with wheels: building from source needs compilers."),
        ),
        evidence=job.where(last),
    )


RULES: tuple[Rule, ...] = (
    *(rule(words, changed(package, what, code)) for words, package, what, code in CHANGES),
    rule(r"No module named '(?P<module>[\w.]+)'", no_module, "ModuleNotFoundError", "ImportError"),
    rule(r"No module named (?P<module>[\w./]+)$", no_module, tail=True),
    rule(
        r"cannot import name '(?P<name>\w+)' from "
        r"(?:partially initialized module )?'(?P<module>[\w.]+)'",
        no_name,
        "ImportError",
    ),
    rule(
        r"numpy\.dtype size changed[^\n]*|numpy\.core\.multiarray failed to import|"
        r"A module that was compiled using NumPy 1\.x[^\n]*|undefined symbol: \S+|"
        r"version `GLIBC\w*_[\d.]+' not found",
        binary,
    ),
    rule(
        r"Could not find a version that satisfies the requirement (?P<wanted>[^\n]+?) "
        r"\(from versions: (?P<versions>[^)]*)\)",
        no_distribution,
    ),
    rule(r"No matching distribution found for (?P<wanted>[^\n]+)", no_distribution),
    rule(
        r"Cannot install [^\n]+ because these package versions have conflicting dependencies[^\n]*",
        conflict,
    ),
    rule(r"ResolutionImpossible[^\n]*", conflict),
)
