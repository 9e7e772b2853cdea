"""The courses of a job's metrics, read from its log."""

from __future__ import annotations

from bottega.algorithms.images import resolve
from bottega.algorithms.registry import algorithm
from bottega.context import Context
from bottega.features.training.entities import TrainingJob
from bottega.features.training.job_log import job_logs
from bottega.features.training.jobs import find_job
from bottega.features.training.rules import script_mode
from bottega.registry import operation
from bottega.specs.generated.training import (
    GetTrainingJobMetricsRequest,
    GetTrainingJobMetricsResponse,
    MetricCourse,
    MetricDirection,
)

_POINTS = 1000


@operation("GetTrainingJobMetrics", service="bottega")
def get_training_job_metrics(
    context: Context, request: GetTrainingJobMetricsRequest
) -> GetTrainingJobMetricsResponse:
    """Every metric of one job; only what was written since the last call is read for it."""
    job = find_job(context, request["TrainingJobName"])
    log = job_logs(context.ports).reading(job)
    log.advance()
    directions = _directions(job)
    courses: list[MetricCourse] = []
    for name, (count, points) in log.courses(request.get("MaxPoints", _POINTS)).items():
        course: MetricCourse = {
            "Name": name,
            "Steps": list(points.steps),
            "Times": list(points.times),
            "Values": list(points.values),
            "Points": count,
        }
        if name in directions:
            course["Direction"] = directions[name]
        courses.append(course)
    answer: GetTrainingJobMetricsResponse = {"Metrics": courses}
    if (objective := log.objective()) is not None:
        answer["ObjectiveMetric"] = objective.metric
    return answer


def _directions(job: TrainingJob) -> dict[str, MetricDirection]:
    """Which way is better, for the metrics of a built-in algorithm."""
    image = resolve(job.image)
    if script_mode(image, job.body):
        return {}
    return {metric.name: metric.direction for metric in algorithm(image.name).metric_definitions}
