"""The operations on the tensors that a training has saved."""

from __future__ import annotations

from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.debugger.readers import DebugReaders, find_training
from bottega.registry import operation
from bottega.specs.generated.debugger import (
    GetTensorCoursesRequest,
    GetTensorCoursesResponse,
    ListTensorNamesRequest,
    ListTensorNamesResponse,
    TensorCourse,
    TensorDescription,
)

_POINTS = 600
_TENSORS = 20
_NAMES = 100


@operation("ListTensorNames", service="bottega")
def list_tensor_names(context: Context, request: ListTensorNamesRequest) -> ListTensorNamesResponse:
    """One page of names. A token is the number of the first tensor of the next page."""
    training = find_training(context, request["TrainingJobName"])
    start = _start(request.get("NextToken", ""))
    limit = request.get("MaxResults", _NAMES)
    found = DebugReaders.of(context).tensors(
        training,
        "names",
        collection=request.get("Collection"),
        regex=request.get("Regex"),
        start=start,
        limit=limit,
    )
    if found is None:
        return {"Tensors": [], "TensorCount": 0}
    answer: ListTensorNamesResponse = {
        "Tensors": [_described(one) for one in found["tensors"]],
        "TensorCount": found["total"],
    }
    if start + limit < found["total"]:
        answer["NextToken"] = str(start + limit)
    return answer


def _start(token: str) -> int:
    if not token:
        return 0
    if not token.isascii() or not token.isdigit():
        raise ValidationException(
            "NextToken is not one that ListTensorNames gave. Leave it out to begin with the first "
            "page."
        )
    return int(token)


def _described(one: dict[str, Any]) -> TensorDescription:
    shown: TensorDescription = {
        "Name": one["name"],
        "Collections": one["collections"],
        "Modes": one["modes"],
        "StepCount": one["steps"],
    }
    if one["first"] is not None:
        shown["FirstStep"], shown["LastStep"] = one["first"], one["last"]
    return shown


@operation("GetTensorCourses", service="bottega")
def get_tensor_courses(
    context: Context, request: GetTensorCoursesRequest
) -> GetTensorCoursesResponse:
    """The numbers of some tensors over the steps."""
    training = find_training(context, request["TrainingJobName"])
    found = DebugReaders.of(context).tensors(
        training,
        "courses",
        names=request.get("TensorNames"),
        collection=request.get("Collection"),
        regex=request.get("Regex"),
        mode=request.get("Mode"),
        statistic=request.get("Statistic", "value"),
        points=request.get("MaxPoints", _POINTS),
        tensors=request.get("MaxTensors", _TENSORS),
    )
    if found is None:
        return {"Courses": [], "TensorCount": 0}
    answer: GetTensorCoursesResponse = {
        "Courses": [_course(one) for one in found["courses"]],
        "TensorCount": found["tensors"],
    }
    if found["last_step"] is not None:
        answer["LastStep"] = found["last_step"]
    return answer


def _course(one: dict[str, Any]) -> TensorCourse:
    shown: TensorCourse = {
        "TensorName": one["name"],
        "Mode": one["mode"],
        "Steps": one["steps"],
        # What is no finite number comes as a text.
        "Values": [float(value) for value in one["values"]],
        "PointCount": one["count"],
    }
    if one["omitted"]:
        shown["Omitted"] = one["omitted"]
    return shown
