"""Channels in FastFile and Pipe mode on their way to the hosts, and augmented manifests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.clock import SystemClock
from bottega.compute.runner import Program
from bottega.container import feeder
from bottega.features.training import channel_staging, pipe_input
from bottega.features.training.entities import KIND, JobFolders, TrainingJob
from bottega.features.training.launch import prepare_host, workload
from bottega.jobs.input_sources import (
    InputError,
    channel_objects,
    manifest_lines,
)
from bottega.jobs.staging import Cancelled
from bottega.storage.folder_objects import INLINE_BYTES, FolderObjectStore
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.requests import channel, training_job

LARGE = b"0123456789abcdef" * INLINE_BYTES


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[FolderObjectStore]:
    store = FolderObjectStore(tmp_path / "objects", SystemClock())
    store.create_bucket("data")
    yield store
    store.close()


def manifest(objects: FolderObjectStore, *lines: Any) -> None:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    objects.put("data", "m.manifest", text.encode())


def augmented(*attributes: str, **changes: Any) -> dict[str, Any]:
    return channel(
        "train",
        "s3://data/m.manifest",
        S3DataType="AugmentedManifestFile",
        AttributeNames=list(attributes),
        mode="Pipe",
        **changes,
    )


def parts(objects: FolderObjectStore, *attributes: str) -> list[list[str]]:
    source = augmented(*attributes)["DataSource"]["S3DataSource"]
    return [
        [part if isinstance(part, str) else part.key for part in line]
        for line in manifest_lines(objects, source)
    ]


# Augmented manifests


def test_an_augmented_manifest_gives_its_attributes_in_the_asked_order(
    objects: FolderObjectStore,
) -> None:
    objects.put("data", "a.jpg", b"a")
    objects.put("data", "b.jpg", b"b")
    manifest(
        objects,
        {"class": 1, "source-ref": "s3://data/a.jpg", "more": None},
        "",
        {"source-ref": "s3://data/b.jpg", "class": {"ä": [1, 2.5, "x"], "b": True}},
    )
    assert parts(objects, "source-ref", "class") == [
        ["a.jpg", "1"],
        ["b.jpg", '{"ä":[1,2.5,"x"],"b":true}'],
    ]
    assert parts(objects, "class") == [["1"], ['{"ä":[1,2.5,"x"],"b":true}']]


def test_text_of_a_manifest_is_json_that_can_be_written(objects: FolderObjectStore) -> None:
    manifest(objects, '{"source": "Größe \\ud83d\\ude00"}', '{"source": "half \\ud83d"}')
    assert parts(objects, "source") == [['"Größe 😀"'], ['"half \\ud83d"']]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 of the augmented manifest s3://data/m.manifest must be a JSON object"),
        ("[1]", "line 2 .* must be a JSON object"),
        ('{"source-ref": "s3://data/a.jpg", "class": NaN}', "line 2 .*NaN is no JSON"),
        ("[" * 100_000, "line 2 .* must be a JSON object"),
        ('{"source-ref": "s3://data/a.jpg"}', "line 2 .* has no attribute 'class'"),
        (
            '{"source-ref": "s3://data/none", "class": 1}',
            "line 2 .* s3://data/none, which does not",
        ),
        ('{"source-ref": "s3://nowhere/x", "class": 1}', "line 2 .* which does not exist"),
        ('{"source-ref": "a.jpg", "class": 1}', "line 2 .* 'a.jpg', which is no S3 URI"),
        ('{"source-ref": 7, "class": 1}', "line 2 .* 'source-ref' must be an S3 URI"),
    ],
)
def test_a_bad_line_is_refused_by_its_number(
    objects: FolderObjectStore, line: str, said: str
) -> None:
    objects.put("data", "a.jpg", b"a")
    manifest(objects, {"source-ref": "s3://data/a.jpg", "class": 0}, line)
    with pytest.raises(InputError, match=said):
        parts(objects, "source-ref", "class")


def test_an_empty_or_missing_manifest_is_refused(
    objects: FolderObjectStore, tmp_path: Path
) -> None:
    source = augmented("a")
    with pytest.raises(InputError, match="cannot be read"):
        channel_objects(objects, source)
    with pytest.raises(InputError, match="cannot be read"):
        pipe_input.stage_pipe(objects, source, [tmp_path / "p"], lambda: False, link=False)
    objects.put("data", "m.manifest", b"\n")
    with pytest.raises(InputError, match="has no lines"):
        channel_objects(objects, source)


# Pipe mode


def staged(
    objects: FolderObjectStore, folder: Path, source: dict[str, Any], *, link: bool = True
) -> int:
    return pipe_input.stage_pipe(objects, source, [folder], lambda: False, link=link)


def sent(folder: Path, epoch: int = 0, host: int = 0, hosts: int = 1) -> list[list[bytes | str]]:
    """What the feeder of a host would send."""
    lines = (folder / feeder.ENTRIES).read_text().splitlines()
    order = feeder.Feed(str(folder), "", host, hosts).order(epoch)
    return [
        [
            part if isinstance(part, str) else (folder / feeder.object_name(part)).read_bytes()
            for part in json.loads(lines[number])
        ]
        for number in order
    ]


def test_a_prefix_is_sent_in_key_order_whatever_its_keys_are(
    objects: FolderObjectStore, tmp_path: Path
) -> None:
    for key in ("set/../up", "set/a", "set/a/b", "set/", "set/z"):
        objects.put("data", key, key.encode())
    source = channel("train", "s3://data/set/", mode="Pipe")
    staged(objects, tmp_path / "p", source)
    assert sent(tmp_path / "p") == [[b"set/../up"], [b"set/a"], [b"set/a/b"], [b"set/z"]]
    uris = (tmp_path / "p" / feeder.URIS).read_text().splitlines()
    assert json.loads(uris[2]) == "s3://data/set/a/b"


def test_a_manifest_is_sent_in_its_own_order(objects: FolderObjectStore, tmp_path: Path) -> None:
    for name in "abc":
        objects.put("data", f"set/{name}", name.encode())
    objects.put("data", "m.json", json.dumps([{"prefix": "s3://data/set/"}, "c", "a"]).encode())
    source = channel("train", "s3://data/m.json", S3DataType="ManifestFile")
    staged(objects, tmp_path / "p", source)
    assert sent(tmp_path / "p") == [[b"c"], [b"a"]]


def test_an_object_that_several_lines_name_is_there_once(
    objects: FolderObjectStore, tmp_path: Path
) -> None:
    objects.put("data", "a.jpg", b"image")
    lines = [{"source-ref": "s3://data/a.jpg", "class": number} for number in range(3)]
    manifest(objects, *lines)
    assert staged(objects, tmp_path / "p", augmented("source-ref", "class")) == 5
    assert sent(tmp_path / "p") == [[b"image", "0"], [b"image", "1"], [b"image", "2"]]
    assert len(list((tmp_path / "p" / "objects").rglob("*"))) == 2


def test_the_plan_says_how_to_send(objects: FolderObjectStore, tmp_path: Path) -> None:
    objects.put("data", "set/a", b"a")
    plain = channel("train", "s3://data/set/")
    staged(objects, tmp_path / "1", plain)
    assert json.loads((tmp_path / "1" / feeder.PLAN).read_text()) == {
        "seed": None,
        "gzip": False,
        "recordio": False,
        "sharded": False,
    }
    sharded = {"S3DataDistributionType": "ShardedByS3Key"}
    whole = channel("train", "s3://data/set/", records=True, packed=True, seed=7, **sharded)
    staged(objects, tmp_path / "2", whole)
    assert json.loads((tmp_path / "2" / feeder.PLAN).read_text()) == {
        "seed": 7,
        "gzip": True,
        "recordio": True,
        "sharded": True,
    }


def test_hosts_share_the_lines_of_a_manifest(objects: FolderObjectStore, tmp_path: Path) -> None:
    manifest(objects, *({"n": number} for number in range(5)))
    source = augmented("n", S3DataDistributionType="ShardedByS3Key")
    staged(objects, tmp_path / "p", source)
    shares = [sent(tmp_path / "p", host=host, hosts=2) for host in range(2)]
    assert shares == [[["0"], ["2"], ["4"]], [["1"], ["3"]]]


def test_what_no_record_can_hold_is_refused_before_the_job_starts(
    objects: FolderObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeder, "LARGEST_RECORD", 3)
    objects.put("data", "set/a", b"1234")
    source = channel("train", "s3://data/set/", mode="Pipe")
    with pytest.raises(InputError, match="s3://data/set/a has more than the 3 bytes"):
        staged(objects, tmp_path / "p", source | {"RecordWrapperType": "RecordIO"})
    staged(objects, tmp_path / "p", source)


def test_staging_a_pipe_ends_when_the_job_is_stopped(
    objects: FolderObjectStore, tmp_path: Path
) -> None:
    objects.put("data", "set/a", b"a")
    source = channel("train", "s3://data/set/")
    with pytest.raises(Cancelled):
        pipe_input.stage_pipe(objects, source, [tmp_path / "p"], lambda: True, link=False)


# All channels of a job


def job_of(*channels: dict[str, Any], hosts: int = 2, mode: str = "File") -> TrainingJob:
    body = {
        "AlgorithmSpecification": {"TrainingImage": "xgboost", "TrainingInputMode": mode},
        "ResourceConfig": {"InstanceCount": hosts, "InstanceType": "ml.m5.large"},
        "InputDataConfig": list(channels),
    }
    return TrainingJob(Resource(KIND, "job", "arn", "InProgress", 0.0, 0.0, body))


@pytest.fixture
def folders(tmp_path: Path) -> JobFolders:
    (tmp_path / "job").mkdir()
    return JobFolders(tmp_path / "job")


def bring(objects: FolderObjectStore, job: TrainingJob, folders: JobFolders, *, shown: bool) -> int:
    return channel_staging.stage_channels(objects, job, folders, lambda: False, shown=shown)


def test_where_mounts_are_shown_only_file_mode_copies(
    objects: FolderObjectStore, folders: JobFolders
) -> None:
    """However large the data are, what has to be waited for does not grow with them."""
    for number in range(3):
        objects.put("data", f"set/{number}", LARGE)
    fast = channel("fast", "s3://data/set/", mode="FastFile")
    pipe = channel("pipe", "s3://data/set/", mode="Pipe")
    assert bring(objects, job_of(fast, pipe), folders, shown=True) == 0
    own = JobFolders(folders.root / "other")
    whole = channel("file", "s3://data/set/")
    assert bring(objects, job_of(whole), own, shown=True) == 3 * len(LARGE)


def test_each_host_sees_its_channels_read_only(
    objects: FolderObjectStore, folders: JobFolders
) -> None:
    objects.put("data", "set/a", LARGE)
    objects.put("data", "set/b", b"small")
    sharded = {"S3DataDistributionType": "ShardedByS3Key"}
    fast = channel("fast", "s3://data/set/", mode="FastFile", **sharded)
    job = job_of(fast, channel("pipe", "s3://data/set/"), mode="Pipe")
    bring(objects, job, folders, shown=True)
    seen = []
    for host in job.host_names:
        mounts = channel_staging.channel_mounts(job, folders, host)
        assert [(mount.target, mount.read_only) for mount in mounts] == [
            ("/opt/ml/input/data/fast", True),
            ("/opt/ml/input/.pipe/pipe", True),
        ]
        inputs = folders.host(host) / "input"
        assert (inputs / "data/fast").is_dir()
        assert not (inputs / "data/pipe").exists()
        seen.append([path.name for path in mounts[0].source.iterdir()])
        assert sent(mounts[1].source) == [[LARGE], [b"small"]]
    assert seen == [["a"], ["b"]]
    assert not list(folders.host("algo-1").rglob("a"))


@pytest.mark.parametrize("mode", ["FastFile", "Pipe"])
def test_where_no_mounts_are_shown_a_job_cannot_harm_an_object(
    objects: FolderObjectStore, folders: JobFolders, mode: str
) -> None:
    objects.put("data", "set/a", LARGE)
    job = job_of(channel("train", "s3://data/set/"), mode=mode)
    assert bring(objects, job, folders, shown=False) == len(LARGE)
    found = [
        path for path in folders.root.rglob("*") if path.is_file() and path.stat().st_size > 99
    ]
    assert len(found) == 2
    for path in found:
        assert path.is_relative_to(folders.host(path.relative_to(folders.root).parts[1]))
        path.write_bytes(b"harm")
    with objects.open("data", "set/a") as stream:
        assert stream.read() == LARGE
    if mode == "Pipe":
        for host in job.host_names:
            assert sent(folders.host(host) / "input/.pipe/train") == [[b"harm"]]


def test_what_was_staged_for_another_kind_of_runner_is_staged_anew(folders: JobFolders) -> None:
    assert not folders.is_staged(shown=True)
    folders.note_staged(shown=True)
    assert folders.is_staged(shown=True)
    assert not folders.is_staged(shown=False)
    folders.staged.write_text("")  # as a crash may leave it
    assert not folders.is_staged(shown=True)


# What hosts are told, and what they run


@pytest.fixture
def studio() -> Iterator[Studio]:
    opened = Studio.temporary(isolation="process", preload=False)
    opened.ports.objects.put(opened.ports.config.bucket, "data/a.csv", b"1,2\n")
    yield opened
    opened.close()


def stored(studio: Studio, *channels: dict[str, Any], **specification: Any) -> TrainingJob:
    """The job that a request becomes."""
    config = studio.ports.config
    request = training_job("job", config.bucket, config.role_arn, InputDataConfig=list(channels))
    request["AlgorithmSpecification"] |= {"TrainingInputMode": "Pipe", **specification}
    request["HyperParameters"] = {"num_round": "3"}
    studio.registry.call("sagemaker", "CreateTrainingJob", request, studio.owner("sdk"))
    return TrainingJob(studio.ports.store.get(KIND, "job"))


def test_hosts_are_told_the_mode_of_each_channel(studio: Studio, folders: JobFolders) -> None:
    uri = f"s3://{studio.ports.config.bucket}/data/"
    job = stored(
        studio,
        channel("train", uri, "text/csv", records=True),
        channel("validation", uri, "text/csv", mode="FastFile"),
    )
    prepare_host(studio.ports, job, folders, "algo-1")
    config = folders.host("algo-1") / "input/config/inputdataconfig.json"
    told = {"S3DistributionType": "FullyReplicated", "ContentType": "text/csv"}
    assert json.loads(config.read_text()) == {
        "train": {**told, "TrainingInputMode": "Pipe", "RecordWrapperType": "RecordIO"},
        "validation": {**told, "TrainingInputMode": "FastFile", "RecordWrapperType": "None"},
    }


@pytest.mark.parametrize("mode", ["Pipe", "FastFile"])
def test_an_entrypoint_is_begun_by_whoever_feeds_its_pipes(
    studio: Studio, folders: JobFolders, mode: str
) -> None:
    uri = f"s3://{studio.ports.config.bucket}/data/"
    entrypoint = {"ContainerEntrypoint": ["sh"], "ContainerArguments": ["-c", "true"]}
    job = stored(studio, channel("train", uri, mode=mode), **entrypoint)
    spec = workload(studio.ports, job, folders)
    assert spec.program == Program("bottega.container.entrypoint", ("sh", "-c", "true"))
    assert [mount.target for mount in spec.hosts[0].mounts] == ["/opt/ml"]


def test_a_bad_line_far_into_a_manifest_fails_the_job_by_its_number(
    studio: Studio, folders: JobFolders
) -> None:
    bucket = studio.ports.config.bucket
    lines = [json.dumps({"source": f"text {number}", "label": 1}) for number in range(150)]
    studio.ports.objects.put(bucket, "m", "\n".join([*lines, "oh no"]).encode())
    source = channel(
        "train",
        f"s3://{bucket}/m",
        S3DataType="AugmentedManifestFile",
        AttributeNames=["source", "label"],
    )
    job = stored(studio, source)
    with pytest.raises(InputError, match="line 151 of the augmented manifest"):
        bring(studio.ports.objects, job, folders, shown=True)


def findings(studio: Studio, *channels: dict[str, Any]) -> Any:
    """What CheckTrainingJob says of a job with these channels."""
    config = studio.ports.config
    request = training_job("job", config.bucket, config.role_arn, InputDataConfig=list(channels))
    request["HyperParameters"] = {"num_round": "3"}
    owner = studio.owner("sdk")
    return studio.registry.call("bottega", "CheckTrainingJob", {"Request": request}, owner)


def test_a_check_reads_an_augmented_manifest_to_its_end(studio: Studio) -> None:
    bucket = studio.ports.config.bucket
    lines = [json.dumps({"source-ref": f"s3://{bucket}/data/a.csv", "label": 1})] * 150
    kind = {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref", "label"]}
    source = channel("train", f"s3://{bucket}/m", mode="Pipe", **kind)
    studio.ports.objects.put(bucket, "m", "\n".join(lines).encode())
    answer = findings(studio, source)
    assert answer["Findings"] == []
    assert answer["InputBytes"] == 4
    studio.ports.objects.put(bucket, "m", "\n".join([*lines, "{}"]).encode())
    (found,) = findings(studio, source)["Findings"]
    assert found["Field"] == "InputDataConfig.train"
    assert "line 151 of the augmented manifest" in found["Message"]


def test_a_check_tells_of_each_channel_what_its_mode_does_not_take(studio: Studio) -> None:
    uri = f"s3://{studio.ports.config.bucket}/data/"
    told = findings(
        studio,
        channel("train", uri, "text/csv", mode="FastFile", packed=True),
        channel("validation", uri, "text/csv", mode="Pipe"),
        channel("test", uri, "text/csv", records=True),
    )["Findings"]
    fields = {found["Field"] for found in told if found["Severity"] == "Error"}
    assert fields == {"InputDataConfig.train", "InputDataConfig.test"}
