"""Memory that ran out: the machine's, the GPU's, and programs that a signal ended."""

from __future__ import annotations

import re
import signal as signals

from bottega.failures.causes import Cause, Rule, Step, rule, step
from bottega.failures.job import FailedJob, Said

MUCH = 0.8
"""Beyond this part of the machine's memory a killed program had probably used it up."""

_READ_LESS = step(
    "Read less at a time, or with smaller types.",
    'for part in pandas.read_csv(path, chunksize=100_000, dtype="float32"):\n    ...',
)
_FEWER_JOBS = step(
    "Run fewer jobs at the same time: jobs share the memory of this machine, whatever their "
    "instance type says.",
    "bottega start --slots 1",
    "shell",
)
_SIGNALS = {
    signals.SIGSEGV: "it touched memory that is not its own",
    signals.SIGILL: "it was built for another kind of processor",
    signals.SIGABRT: "it gave itself up, which libraries of C and C++ do on an error",
    signals.SIGBUS: "a file or shared memory that it had mapped was not there any more",
    signals.SIGFPE: "it divided a whole number by zero",
    signals.SIGTERM: "somebody asked it to end",
}


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def _has(job: FailedJob) -> str:
    memory = job.machine.memory
    return f"; this machine has {size(memory)}" if memory else ""


def _used(job: FailedJob) -> str:
    peak = job.machine.peak_memory
    return f" It was seen to use {size(peak)}{_has(job)}." if peak else ""


def out_of_memory(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """An allocation was refused."""
    frame = said.error.own_frame if said.error else None
    where = f" in {frame.place}" if frame else ""
    groups = found.groupdict()
    if groups.get("shape"):
        asked = f"An array of shape {groups['shape']} needs {groups['wanted']}"
    elif groups.get("wanted"):
        wanted = groups["wanted"]
        asked = f"{size(int(wanted)) if wanted.isdigit() else wanted} of memory were asked for"
    else:
        asked = "More memory was asked for than there is"
    advice = [_READ_LESS, _FEWER_JOBS]
    if groups.get("shape"):
        advice.insert(
            0,
            step(
                "Look at the shape: it is often a product that nobody meant. Keep it sparse, or "
                "take fewer rows or columns.",
                "print(frame.shape, frame.memory_usage(deep=True).sum())",
            ),
        )
    return Cause("OutOfMemory", f"{asked}{where}{_has(job)}.", tuple(advice))


def gpu_out_of_memory(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """CUDA refused an allocation."""
    wanted = found.groupdict().get("wanted")
    asked = f"; {wanted} more were asked for" if wanted else ""
    batch = next((n for n in job.hyperparameters if "batch" in n.lower()), "")
    smaller = (
        f"Set {batch} lower than {job.hyperparameters[batch]}" if batch else "Use a smaller batch"
    )
    return Cause(
        "GpuOutOfMemory",
        f"The memory of the GPU ran out{asked}.",
        (
            step(
                f"{smaller}, and add up gradients over several batches.",
                "if step % 4 == 3:\n    optimizer.step()\n    optimizer.zero_grad()",
            ),
            step(
                "Compute in 16 bits.", 'with torch.autocast("cuda", dtype=torch.bfloat16):\n    ...'
            ),
            step(
                "See that no tensor of an earlier step is kept.",
                "losses.append(loss.item())  # not loss",
            ),
        ),
    )


def killed(job: FailedJob) -> Cause | None:
    """What a signal means that ended the program, where nobody said anything else."""
    if job.out_of_memory:
        return Cause(
            "OutOfMemory",
            f"The machine ran out of memory, so the program was killed.{_used(job)}",
            (_READ_LESS, _FEWER_JOBS, _replay()),
        )
    number = job.signal
    if number is None:
        return None
    if number == signals.SIGKILL:
        return _sigkill(job)
    try:
        known = signals.Signals(number)
    except ValueError:
        name, meaning = f"signal {number}", ""
    else:
        name, meaning = known.name, _SIGNALS.get(known, "")
    why = f": {meaning}" if meaning else ""
    advice = [_faulthandler(), _replay()]
    if number == signals.SIGILL:
        advice.insert(
            0, step("Install a build of the library for this processor, or an older one.")
        )
    if number == signals.SIGBUS:
        advice.insert(
            0, step("Let data loaders use no shared memory.", "DataLoader(data, num_workers=0)")
        )
    return Cause(
        "KilledBySignal",
        f"The program was ended by {name} (exit code {job.exit_code}){why}.",
        tuple(advice),
    )


def _sigkill(job: FailedJob) -> Cause:
    peak, memory = job.machine.peak_memory, job.machine.memory
    if peak and memory and peak > MUCH * memory:
        return Cause(
            "OutOfMemory",
            f"The program was killed, and memory was short: it used {size(peak)}{_has(job)}.",
            (_READ_LESS, _FEWER_JOBS),
            "likely",
        )
    return Cause(
        "KilledBySignal",
        "The program was ended by SIGKILL (exit code 137): something outside of it ended it, most "
        f"often for want of memory.{_used(job)}",
        (
            step("Look at the memory in the System tab at the time of the end."),
            _READ_LESS,
            step(
                "Look for whoever kills processes here: the kernel's log says so.",
                "dmesg | grep -i 'killed process'",
                "shell",
            ),
        ),
        "likely",
    )


def _faulthandler() -> Step:
    return step(
        "Have Python say in which line it was.",
        'Environment={"PYTHONFAULTHANDLER": "1"}',
    )


def _replay() -> Step:
    return step("Replay the job with a part of its data.")


RULES: tuple[Rule, ...] = (
    rule(
        r"CUDA out of memory\.(?:.*?Tried to allocate (?P<wanted>[\d.]+ \w+))?|"
        r"CUDA error: out of memory|cudaErrorMemoryAllocation",
        gpu_out_of_memory,
        flags=re.DOTALL,
    ),
    rule(
        r"Unable to allocate (?P<wanted>[\d.,]+ \w+) for an array with shape (?P<shape>\([^)]*\))",
        out_of_memory,
    ),
    rule(r"can't allocate memory: you tried to allocate (?P<wanted>\d+) bytes", out_of_memory),
    rule(
        r"alloc of size (?P<wanted>\d+) failed",
        out_of_memory,
    ),
    rule(r"^(?:[\w.]+\.)?\w*MemoryError\b", out_of_memory, "MemoryError", "_ArrayMemoryError"),
    rule(r"\bstd::bad_alloc\b|Cannot allocate memory", out_of_memory, tail=True),
)
