"""Time series and date/time: operations on rows that have a moment in time."""

from __future__ import annotations

from bottega.wrangler.transforms.time_series.arrays import GroupSeries, StandardizeLength
from bottega.wrangler.transforms.time_series.calendar import (
    DatetimeDifference,
    TruncateDatetime,
)
from bottega.wrangler.transforms.time_series.datetime_range import DatetimeRange
from bottega.wrangler.transforms.time_series.featurize import FeaturizeDatetime
from bottega.wrangler.transforms.time_series.lag import LagFeatures
from bottega.wrangler.transforms.time_series.missing import HandleMissing
from bottega.wrangler.transforms.time_series.resample import Resample
from bottega.wrangler.transforms.time_series.rolling import ExtractFeatures, RollingWindowFeatures
from bottega.wrangler.transforms.time_series.validate import ValidateTimestamps

__all__ = [
    "DatetimeDifference",
    "DatetimeRange",
    "ExtractFeatures",
    "FeaturizeDatetime",
    "GroupSeries",
    "HandleMissing",
    "LagFeatures",
    "Resample",
    "RollingWindowFeatures",
    "StandardizeLength",
    "TruncateDatetime",
    "ValidateTimestamps",
]
