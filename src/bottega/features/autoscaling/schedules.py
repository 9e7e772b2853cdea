"""Schedules of scheduled actions: ``at(...)``, ``rate(...)`` and ``cron(...)``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bottega.errors import ValidationException

_FORM = re.compile(r"(at|rate|cron)\((.*)\)")
_RATE = re.compile(r"([1-9]\d{0,8}) (minute|minutes|hour|hours|day|days)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_DAYS = re.compile(r"(?<![#\d])[0-9]+(?![\d])")
_YEARS_AHEAD = 10


def next_time(
    schedule: str,
    zone: str,
    after: float,
    *,
    anchor: float,
    start: float | None = None,
    end: float | None = None,
) -> float | None:
    """When a schedule is next due; None when it never is again.

    Args:
        zone: of ``at`` and ``cron``; an IANA name.
        after: the moment it is due after, in seconds since the epoch.
        anchor: when a rate begins to count, where there is no ``start``.
        start, end: nothing is due before and after them.

    Raises:
        ValidationException: the schedule or the zone makes no sense.
    """
    form = _FORM.fullmatch(schedule.strip())
    if form is None:
        raise _wrong(schedule, "it must be at(...), rate(...) or cron(...)")
    kind, text = form[1], form[2].strip()
    earliest = after if start is None else max(after, start - 1e-3)
    if kind == "at":
        due = _at(schedule, text, _zone(zone))
        found = due if due > earliest else None
    elif kind == "rate":
        found = _rate(schedule, text, start if start is not None else anchor, earliest)
    else:
        found = _cron(schedule, text, _zone(zone), earliest)
    return None if found is None or (end is not None and found > end) else found


def _at(schedule: str, text: str, zone: ZoneInfo) -> float:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).timestamp()
    except ValueError as error:
        raise _wrong(schedule, "at takes a time such as at(2027-03-01T08:00:00)") from error


def _rate(schedule: str, text: str, anchor: float, earliest: float) -> float:
    form = _RATE.fullmatch(text)
    if form is None or (form[1] == "1") == form[2].endswith("s"):
        raise _wrong(schedule, "rate takes a number and its unit, such as rate(5 minutes)")
    seconds = int(form[1]) * _SECONDS[form[2].rstrip("s")]
    passed = max(0, int((earliest - anchor) // seconds) + 1)
    return anchor + passed * seconds


def _cron(schedule: str, text: str, zone: ZoneInfo, earliest: float) -> float | None:
    from croniter import (  # type: ignore[import-untyped]
        CroniterBadDateError,
        CroniterError,
        croniter,
    )

    fields = text.split()
    if len(fields) != 6:
        raise _wrong(schedule, "cron takes minutes, hours, day of month, month, day of week, year")
    minute, hour, day, month, weekday, year = fields
    if "?" not in (day, weekday) and "*" not in (day, weekday):
        raise _wrong(schedule, "of day of month and day of week one must be ?")
    if year != "*" and not re.fullmatch(r"[0-9,/*-]+", year):
        raise _wrong(schedule, "the year must be a number, a list or a range")
    weekday = _week_from_sunday_as_0(schedule, weekday)
    expression = " ".join((minute, hour, day, month, weekday, "0", year))
    begin = datetime.fromtimestamp(earliest, UTC).astimezone(zone)
    try:
        found: datetime = croniter(
            expression, begin, ret_type=datetime, max_years_between_matches=_YEARS_AHEAD
        ).get_next()
    except CroniterBadDateError:
        return None
    except (CroniterError, ValueError) as error:
        raise _wrong(schedule, str(error)) from error
    limit = begin + timedelta(days=366 * _YEARS_AHEAD)
    return found.timestamp() if found < limit else None


def _week_from_sunday_as_0(schedule: str, weekday: str) -> str:
    """AWS counts the days of the week from SUN as 1."""
    if weekday.upper().endswith("L") and weekday[:-1]:
        weekday = f"L{weekday[:-1]}"
    every, slash, step = weekday.partition("/")

    def less(found: re.Match[str]) -> str:
        day = int(found[0])
        if not 1 <= day <= 7:
            raise _wrong(schedule, f"the day of the week is {day}; days go from 1 (SUN) to 7 (SAT)")
        return str(day - 1)

    return _DAYS.sub(less, every) + slash + step


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationException(
            f"Timezone is {name!r}, which is no IANA time zone; give one such as Europe/Zurich."
        ) from error


def _wrong(schedule: str, why: str) -> ValidationException:
    return ValidationException(f"Schedule is {schedule!r}: {why}.")
