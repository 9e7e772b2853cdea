"""What CreateTransformJob refuses beyond the constraints of its shape, and with which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.transform.json_paths import InvalidPath, JsonPath
from bottega.features.transform.sources import input_objects
from bottega.features.transform.treatment import KINDS, kind_of
from bottega.jobs.input_sources import InputError
from bottega.jobs.output_places import check_bucket
from bottega.model_servers.plans import ModelPlan, check_data, plan_model
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing

MOST_PAYLOAD_MB = 100
_RESERVED_VARIABLES = "BOTTEGA_"


def check_request(context: Context, request: Mapping[str, Any]) -> ModelPlan:
    """Refuse a request that could not become a job that runs.

    Returns:
        What the model is made of.

    Raises:
        ValidationException: with what is wrong, where, and what to do.
    """
    ports = context.ports
    source, output = request["TransformInput"], request["TransformOutput"]
    _check_rate(request)
    _check_strategy(request, source.get("SplitType", "None"))
    _check_media_types(source, output)
    _check_processing(request, source, output)
    _check_capture(ports, request)
    for name, value in request.get("Environment", {}).items():
        if name.startswith(_RESERVED_VARIABLES):
            raise ValidationException(
                f"Environment: {name} is reserved; names that begin with {_RESERVED_VARIABLES} are "
                "set by bottega."
            )
        if "\0" in value:
            raise ValidationException(
                f"Environment: the value of {name} has a NUL in it, which no program can be given."
            )
    check_bucket(ports.objects, "TransformOutput.S3OutputPath", output["S3OutputPath"])
    model = context.call("sagemaker", "DescribeModel", {"ModelName": request["ModelName"]})
    plan = plan_model(ports.config, model, environment=request.get("Environment", {}))
    if plan.multi_model or plan.direct:
        raise ValidationException(
            f"ModelName: {request['ModelName']} answers requests that name a model or a container "
            "of it, which those of a transform job do not. Make a model of the one that is wanted."
        )
    check_data(ports.objects, plan)
    _check_input(ports, source["DataSource"]["S3DataSource"])
    return plan


def _check_rate(request: Mapping[str, Any]) -> None:
    payload, several = request.get("MaxPayloadInMB"), request.get("MaxConcurrentTransforms")
    if payload is not None and payload > MOST_PAYLOAD_MB:
        raise ValidationException(
            f"MaxPayloadInMB is {payload}; it must not be greater than {MOST_PAYLOAD_MB}."
        )
    product = (several or 1) * (6 if payload is None else payload)
    if product > MOST_PAYLOAD_MB:
        raise ValidationException(
            f"MaxConcurrentTransforms * MaxPayloadInMB is {several or 1} * "
            f"{6 if payload is None else payload} = {product}; it must not be greater than "
            f"{MOST_PAYLOAD_MB} MB. Lower one of them."
        )


def _check_strategy(request: Mapping[str, Any], split: str) -> None:
    if request.get("BatchStrategy") == "SingleRecord" and split == "None":
        raise ValidationException(
            "BatchStrategy SingleRecord needs TransformInput.SplitType Line, RecordIO or TFRecord: "
            "without one the whole object is the request."
        )


def _check_media_types(source: Mapping[str, Any], output: Mapping[str, Any]) -> None:
    for where, value in (
        ("TransformInput.ContentType", source.get("ContentType", "")),
        ("TransformOutput.Accept", output.get("Accept", "")),
    ):
        if not value.isprintable() or not value.isascii():
            raise ValidationException(f"{where} is {value!r}, which is no media type.")


def _check_processing(
    request: Mapping[str, Any], source: Mapping[str, Any], output: Mapping[str, Any]
) -> None:
    processing = request.get("DataProcessing", {})
    paths = {}
    for member in ("InputFilter", "OutputFilter"):
        try:
            paths[member] = JsonPath.parse(processing.get(member) or "$")
        except InvalidPath as error:
            raise ValidationException(f"DataProcessing.{member}: {error}.") from error
    join = processing.get("JoinSource", "None") == "Input"
    ids = bool(request.get("DataCaptureConfig", {}).get("GenerateInferenceId"))
    if not (join or ids) and all(path.whole for path in paths.values()):
        return
    what = "DataProcessing" if processing else "DataCaptureConfig.GenerateInferenceId"
    kind = kind_of(source.get("ContentType", ""))
    if kind is None:
        raise ValidationException(
            f"TransformInput.ContentType is {source.get('ContentType', '')!r}; {what} needs one of "
            f"{', '.join(KINDS)}."
        )
    if source.get("SplitType", "None") not in ("None", "Line"):
        raise ValidationException(
            f"TransformInput.SplitType is {source['SplitType']}; {what} needs None or Line."
        )
    accept = output.get("Accept")
    if accept and (kind_of(accept) == "csv", kind_of(accept) is None) != (kind == "csv", False):
        raise ValidationException(
            f"TransformOutput.Accept is {accept!r} and TransformInput.ContentType is "
            f"{source['ContentType']!r}; with {what} both must be CSV, or both JSON."
        )
    for member, path in paths.items():
        if kind == "csv" and not path.for_rows:
            raise ValidationException(
                f"DataProcessing.{member} is {path.text!r}; a row of CSV has numbered values only, "
                "such as $[0,2:]."
            )
    if join and source.get("SplitType", "None") == "Line" and output.get("AssembleWith") != "Line":
        raise ValidationException(
            "DataProcessing.JoinSource Input with TransformInput.SplitType Line needs "
            "TransformOutput.AssembleWith Line."
        )


def _check_capture(ports: Ports, request: Mapping[str, Any]) -> None:
    if capture := request.get("DataCaptureConfig"):
        check_bucket(
            ports.objects, "DataCaptureConfig.DestinationS3Uri", capture["DestinationS3Uri"]
        )


def _check_input(ports: Ports, source: Mapping[str, Any]) -> None:
    where = "TransformInput.DataSource.S3DataSource"
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise ValidationException(
            f"{where}.S3DataType {source['S3DataType']} is not compatible with transform jobs; use "
            "S3Prefix or ManifestFile."
        )
    try:
        bucket, prefix = s3_uris.split(source["S3Uri"])
    except ValidationException as error:
        raise ValidationException(f"{where}.S3Uri: {error.message}") from error
    try:
        if source["S3DataType"] == "ManifestFile":
            input_objects(ports.objects, source)
            return
        found = bool(ports.objects.page(bucket, prefix=prefix, limit=1).objects)
    except (BucketMissing, ObjectMissing):
        found = False
    except InputError as error:
        raise ValidationException(f"{where}: {error}") from error
    if not found:
        raise ValidationException(
            f'{where}.S3Uri: no S3 objects found under S3 URL "{source["S3Uri"]}". Please ensure '
            "that the bucket exists and that objects exist under that S3 prefix."
        )
