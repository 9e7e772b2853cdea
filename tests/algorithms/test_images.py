"""Which image names stand for which runtime."""

from __future__ import annotations

import pytest

from bottega.algorithms import images, registry
from bottega.algorithms.images import Image, UnsupportedImage, resolve

ECR = "dkr.ecr.us-west-2.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "name", "kind", "tag"),
    [
        (f"683313688378.{ECR}/sagemaker-xgboost:1.7-1", "xgboost", "both", "1.7-1"),
        (f"246618743249.{ECR}/sagemaker-xgboost:1.5-1", "xgboost", "both", "1.5-1"),
        (
            "12345678901" + f"2.{ECR}/sagemaker-scikit-learn:1.2-1-cpu-py3",
            "scikit-learn",
            "framework",
            "1.2-1-cpu-py3",
        ),
        (
            "174368400705.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:1.7-1",
            "xgboost",
            "both",
            "1.7-1",
        ),
        ("xgboost", "xgboost", "both", ""),
        ("xgboost:1.7-1", "xgboost", "both", "1.7-1"),
        ("scikit-learn", "scikit-learn", "framework", ""),
        ("sklearn", "scikit-learn", "framework", ""),
        ("python:3.11", "python", "framework", "3.11"),
        (f"236514542706.{ECR}/sagemaker-base-python-310", "python", "framework", ""),
        (f"683313688378.{ECR}/sagemaker-xgboost@sha256:ab", "xgboost", "both", "sha256:ab"),
    ],
)
def test_known_images(text: str, name: str, kind: str, tag: str) -> None:
    found = resolve(text)
    assert (found.name, found.kind, found.tag) == (name, kind, tag)
    assert found.script_mode


def test_the_first_generation_has_no_script_mode() -> None:
    found = resolve(f"433757028032.{ECR}/xgboost:latest")
    assert found == Image("xgboost", "algorithm", "latest", script_mode=False)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        (f"763104351884.{ECR}/tensorflow-training:2.16-cpu-py310", "deep learning"),
        (f"763104351884.{ECR}/huggingface-pytorch-inference:2", "deep learning"),
        (f"174872318107.{ECR}/knn:1", "knn is not available"),
        (f"111111111111.{ECR}/my-own:latest", "no runtime here stands for it"),
        ("ghcr.io/somebody/xgboost:1", "no runtime here stands for it"),
        ("my-own", "no runtime here stands for it"),
        ("", "no runtime here stands for it"),
    ],
)
def test_other_images_are_refused_with_what_runs_here(text: str, because: str) -> None:
    with pytest.raises(UnsupportedImage) as refusal:
        resolve(text)
    assert because in str(refusal.value)
    for name in images.names():
        assert name in str(refusal.value)


def test_every_algorithm_has_an_image() -> None:
    for name in registry.names():
        assert resolve(name).algorithm
        assert registry.algorithm(name).name == name
