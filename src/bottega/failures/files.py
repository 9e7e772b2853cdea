"""Files and folders: not there, not allowed, no room."""

from __future__ import annotations

import posixpath
import re

from bottega.failures.causes import Cause, Rule, rule, step
from bottega.failures.job import FailedJob, Said
from bottega.nearest import nearest

_DATA = re.compile(r"/input/data/(?P<channel>[^/]+)(?:/(?P<rest>.*))?$")
_MODEL = "/opt/ml/model"
_OWN_MACHINE = re.compile(r"^(?:[A-Za-z]:\\|/Users/|/home/|~|/root/|/content/|/kaggle/)")
_WRITABLE = "/opt/ml/model, /opt/ml/output/data, /opt/ml/checkpoints and /tmp"


def disk_full(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A write found no room."""
    path = found.groupdict().get("path")
    what = f" while {path} was written" if path else ""
    return Cause(
        "DiskFull",
        f"There was no space left on the disk{what}.",
        (
            step("See what is full, and make room.", "df -h", "shell"),
            step(
                "Write less: keep the last few checkpoints only, and remove the files of one epoch "
                "before those of the next.",
                "save_total_limit=2",
            ),
            step(
                "Read the data in FastFile mode, which makes no copy of it.",
                'TrainingInput(uri, input_mode="FastFile")',
            ),
        ),
    )


def not_permitted(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """The system refused to touch a file."""
    path = found.groupdict().get("path") or ""
    where = _DATA.search(path)
    if where is not None:
        sentence = f"The channel {where['channel']} cannot be written to, and {path} was to be."
        advice = [
            step(
                "Copy what is to be changed to a folder of the job's own.",
                f'shutil.copytree("{path}", "/tmp/data")',
            )
        ]
    elif path:
        sentence = f"The job may not read or write {path} as it tried to."
        advice = [step(f"Write to {_WRITABLE}; what is in the first three is kept.")]
        if not path.startswith("/opt/ml"):
            advice.append(
                step("Give data of this machine as a channel: a job sees its own files only.")
            )
    else:
        sentence = "The system did not permit what the job tried."
        advice = [step(f"Write to {_WRITABLE} only, and ask for no ports below 1024.")]
    if "bottega: cannot run" in said.text or path.endswith(".sh"):
        advice.insert(
            0,
            step(
                "Make the program executable, or name its interpreter.",
                f'ContainerEntrypoint=["/bin/bash", "{path}"]',
            ),
        )
    return Cause("PermissionDenied", sentence, tuple(advice))


def no_file(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A path that leads nowhere."""
    path = found["path"]
    if (where := _DATA.search(path)) is not None:
        return _no_data(job, path, where["channel"], where["rest"] or "")
    if path.startswith(_MODEL):
        return _no_model_folder(path)
    if path.startswith("s3://") or path.startswith("s3:/"):
        return Cause(
            "NoSuchFile",
            f"{path} was opened as a file of the machine; it is an object of the store.",
            (
                step(
                    "Give it as a channel and read the channel's folder.",
                    'estimator.fit({"train": "s3://..."})',
                ),
                step("Or read it with a library that knows s3://.", f'pandas.read_csv("{path}")'),
            ),
        )
    if _OWN_MACHINE.match(path):
        return Cause(
            "NoSuchFile",
            f"{path} is a path of somebody's own machine; the job does not see that folder.",
            (
                step(
                    "Give the data as a channel, and read the folder that its variable names.",
                    'path = os.path.join(os.environ["SM_CHANNEL_TRAIN"], '
                    f'"{posixpath.basename(path)}")',
                ),
            ),
        )
    files = job.code_files()
    near = nearest(posixpath.basename(path), [posixpath.basename(name) for name in files])
    known = f"; the code has {near}" if near else ""
    return Cause(
        "NoSuchFile",
        f"There is no file {path}{known}.",
        (
            step(
                "A relative path counts from /opt/ml/code: send the file along in source_dir, or "
                "read it from a channel.",
                'path = os.path.join(os.environ["SM_CHANNEL_TRAIN"], '
                f'"{posixpath.basename(path)}")',
            ),
            step("Print what is there.", 'print(os.listdir("/opt/ml/input/data"))'),
        ),
    )


def _no_data(job: FailedJob, path: str, channel: str, rest: str) -> Cause:
    channels = job.channels
    if channel not in channels:
        return no_channel(job, channel)
    return Cause(
        "NoSuchFile",
        f"The channel {channel} has no file {rest or path}; it is what lies under "
        f"{channels[channel]}.",
        (
            step(
                "See what the channel has: a key behind the prefix is the file's path, and a URI "
                "of one object gives a file of its name.",
                f'print(os.listdir(os.environ["SM_CHANNEL_{channel.upper()}"]))',
            ),
            step(
                "Read every file of the channel, whatever its name.",
                f'paths = glob.glob(os.environ["SM_CHANNEL_{channel.upper()}"] + "/**/*.csv", '
                "recursive=True)",
            ),
        ),
    )


def no_channel(job: FailedJob, channel: str) -> Cause:
    """A channel that the job was not given."""
    channels = sorted(job.channels)
    near = nearest(channel, channels) or (channels[0] if len(channels) == 1 else "")
    has = f"it has {', '.join(channels)}" if channels else "it has none"
    advice = [
        step("Start the job with this channel.", f'estimator.fit({{"{channel}": "s3://..."}})')
    ]
    if near:
        advice.append(
            step(
                f"Or read the channel that it has: {near}.",
                f'os.environ["SM_CHANNEL_{near.upper()}"]  # /opt/ml/input/data/{near}',
            )
        )
    return Cause("ChannelMissing", f"The job has no channel {channel!r}; {has}.", tuple(advice))


def _no_model_folder(path: str) -> Cause:
    folder = posixpath.dirname(path)
    return Cause(
        "ModelNotSaved",
        f"The model could not be saved or read: {path} is not there.",
        (
            step(
                "Make the folder before you write to it.", f'os.makedirs("{folder}", exist_ok=True)'
            ),
            step(
                "To go on from an earlier model, give its model.tar.gz as a channel: /opt/ml/model "
                "is empty when a job starts."
            ),
        ),
    )


def no_channel_variable(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """``os.environ["SM_CHANNEL_..."]`` of a channel that is not there."""
    name = found["name"]
    return no_channel(job, next((c for c in job.channels if c.upper() == name), name.lower()))


def unpicklable(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A model that pickle cannot write."""
    return Cause(
        "ModelNotSaved",
        f"The model cannot be pickled: {found[0].strip()}.",
        (
            step(
                "Use functions with a name, at the top of a module, where the model has lambdas.",
                "def squared(x):\n    return x * x",
            ),
            step(
                "Or save with the library's own format.",
                'model.save_model("/opt/ml/model/model.json")',
            ),
        ),
    )


def empty_channel(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A channel without anything to learn from."""
    name = found.groupdict().get("channel")
    uri = job.channels.get(name or "", "")
    what = f"The channel {name} has no data" if name else "The file that was read has no data"
    where = f" under {uri}" if uri else ""
    return Cause(
        "EmptyChannel",
        f"{what}{where}.",
        (
            step(
                "See what lies there, and how large it is.",
                f"aws s3 ls --recursive {uri or 's3://bucket/prefix'}",
                "shell",
            ),
            step(
                "With ShardedByS3Key give at least as many objects as instances, or replicate.",
                'TrainingInput(uri, distribution="FullyReplicated")',
            ),
        ),
    )


_PATH = r"['\"](?P<path>[^'\"]+)['\"]"

RULES: tuple[Rule, ...] = (
    rule(rf"No space left on device(?:: {_PATH})?|Disk quota exceeded|disk is full", disk_full),
    rule(r": (?:No space left on device|Disk quota exceeded)$", disk_full, tail=True),
    rule(rf"\[Errno (?:13|1|30)\] [\w -]+(?:: {_PATH})?", not_permitted),
    rule(r"^bottega: cannot run '(?P<path>[^']+)': Permission denied", not_permitted, tail=True),
    rule(r"KeyError: 'SM_CHANNEL_(?P<name>\w+)'", no_channel_variable),
    rule(
        r"Can't (?:get|pickle) (?:local object|attribute|<)[^\n]+|cannot pickle [^\n]+", unpicklable
    ),
    rule(rf"\[Errno 2\] No such file or directory: {_PATH}", no_file),
    rule(rf"\[Errno 2\] [^\n]*?{_PATH}", no_file),
    rule(r"[Ff]ile (?P<path>/opt/ml/\S+?) does not exist", no_file),
    rule(r"The channel (?P<channel>[\w.-]+) has no (?:data|images)\b", empty_channel),
    rule(r"No columns to parse from file", empty_channel, "EmptyDataError"),
    rule(r"^\S+ is empty\.", empty_channel),
)
