"""GPUs that are not there, and losses that are no numbers any more."""

from __future__ import annotations

import re

from bottega.failures.causes import Cause, Rule, rule, step
from bottega.failures.job import FailedJob, Said


def no_gpu(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """CUDA was asked for where there is none."""
    loading = "torch.load" in said.text or "deserialize" in said.text
    advice = [
        step(
            "Use the GPU where there is one.",
            'device = "cuda" if torch.cuda.is_available() else "cpu"\nmodel.to(device)',
        ),
        step(
            "See what this machine has: the instance type of a job does not give it a GPU.",
            "bottega doctor",
            "shell",
        ),
    ]
    if loading:
        advice.insert(
            0,
            step(
                "Load the weights to where the job computes.",
                "torch.load(path, map_location=device)",
            ),
        )
    name = next((n for n, v in job.hyperparameters.items() if v in ("cuda", "gpu", "gpu_hist")), "")
    if name:
        advice.insert(0, step(f"Set {name} to cpu.", f'hyperparameters={{"{name}": "cpu"}}'))
    return Cause(
        "GpuNotAvailable",
        "The program asks for a GPU, and the machine that ran the job has none that it can use"
        f"{f' (its instance type is {job.instance})' if job.instance else ''}.",
        tuple(advice),
    )


def wrong_build(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A GPU that the library was not built for."""
    return Cause(
        "VersionConflict",
        f"The GPU and the library do not fit together: {found[0].strip()}.",
        (step("Install a build of the library for this GPU and driver.", "nvidia-smi", "shell"),),
    )


def not_a_number(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A training that diverged."""
    rate = next((n for n in job.hyperparameters if re.fullmatch(r"lr|eta|learning[_-]rate", n)), "")
    lower = (
        step(
            f"Set {rate} lower than {job.hyperparameters[rate]}, say to a tenth.",
            f'hyperparameters={{"{rate}": ...}}',
        )
        if rate
        else step(
            "Lower the learning rate to a tenth.", "optimizer = Adam(model.parameters(), lr=1e-4)"
        )
    )
    return Cause(
        "NaNLoss",
        "The training diverged: the loss is no number any more.",
        (
            lower,
            step(
                "Scale the features, and look for missing values among them.",
                "x = StandardScaler().fit_transform(x)\nassert numpy.isfinite(x).all()",
            ),
            step("Limit the gradients.", "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)"),
        ),
        "certain" if job.reason_class == "ClientError" else "likely",
    )


RULES: tuple[Rule, ...] = (
    rule(
        r"Found no NVIDIA driver|not compiled with CUDA enabled|No CUDA GPUs are available|"
        r"torch\.cuda\.is_available\(\) is False|CUDA driver version is insufficient|"
        r"no CUDA-capable device|Must have at least one (?:device|GPU)|"
        r"[Nn]o visible (?:GPU|CUDA)|XGBoost version not compiled with GPU support|"
        r"libcuda\.so\.1: cannot open shared object",
        no_gpu,
    ),
    rule(
        r"CUDA error: no kernel image is available[^\n]*|"
        r"is not compatible with the current PyTorch installation",
        wrong_build,
    ),
    rule(
        r"[Tt]raining diverged|loss is no finite number|"
        r"(?i:\bloss\b[^\n]{0,40}\b(?:nan|inf|infinite)\b)|(?i:\bnan\b[^\n]{0,20}\bloss\b)|"
        r"FloatingPointError: |(?i:\bnan (?:encountered|found|detected))",
        not_a_number,
    ),
)
