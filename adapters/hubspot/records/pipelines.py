"""Pipelines: what a stage says of the records that are in it. Labels may be in any language; the stage's own data decides."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, NamedTuple

from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import pipelines
from connector.ports import ReadTimes

_KEPT_AS: Final = "pipelines"
_LASTS: Final = timedelta(hours=1)
_ASK_AGAIN: Final = timedelta(minutes=1)
"""For a stage that is not known: somebody may just have made it."""


class PipelineStage(NamedTuple):
    """What is known of a stage."""

    closed: bool
    won: bool


Stages = Mapping[tuple[str, str], PipelineStage]
"""By (pipeline, stage): the ids of stages are not promised to be unique over pipelines."""


class Pipelines:
    """Reads pipelines, at most hourly."""

    def __init__(self, client: HubSpotClient, read_times: ReadTimes) -> None:
        self._client = client
        self._read_times = read_times
        self._lock = Lock()
        self._known: dict[str, tuple[datetime, Stages]] = {}

    def stage(self, object_name: str, pipeline: str | None, stage: str | None) -> PipelineStage | None:
        """Return what a stage says; None when the record has none, or it is unknown."""
        if not stage:
            return None
        stage_data = _find(self._stages(object_name, _LASTS), pipeline, stage)
        return stage_data or _find(self._stages(object_name, _ASK_AGAIN), pipeline, stage)

    def _stages(self, object_name: str, lasts: timedelta) -> Stages:
        with self._lock:
            now = self._client.clock.now()
            known = self._known.get(object_name)
            if known is None or now - known[0] >= lasts:
                known = self._kept(object_name, now - lasts) or (now, self._read(object_name))
                self._known[object_name] = known
            return known[1]

    def _kept(self, object_name: str, since: datetime) -> tuple[datetime, Stages] | None:
        """Return what another process has read after `since`."""
        kept = self._read_times.last(object_name, _KEPT_AS)
        if kept is None or kept[0] <= since:
            return None
        try:
            return kept[0], {
                (pipeline, name): PipelineStage(*values) for pipeline, name, *values in json.loads(kept[1])
            }
        except (ValueError, TypeError):  # another version has kept it: it is read anew
            return None

    def _read(self, object_name: str) -> Stages:
        rows = self._client.read_list(pipelines(object_name), call=f"pipelines of {object_name}").rows
        stages = {
            (str(row["id"]), str(stage["id"])): _stage(stage.get("metadata") or {})
            for row in rows
            for stage in row.get("stages") or ()
        }
        text = json.dumps([[*key, *stage] for key, stage in stages.items()])
        self._read_times.note(object_name, _KEPT_AS, self._client.clock.now(), text)
        return stages


def _find(stages: Stages, pipeline: str | None, stage: str) -> PipelineStage | None:
    if pipeline:
        return stages.get((pipeline, stage))
    return next((stage_data for (_, name), stage_data in stages.items() if name == stage), None)


def _stage(metadata: Mapping[str, Any]) -> PipelineStage:
    """Read a stage's metadata, all of it text. Older stages lack ``isClosed``; then their other words tell."""
    probability = _number(metadata.get("probability"))
    if "isClosed" in metadata:
        closed = str(metadata["isClosed"]).lower() == "true"
    else:
        closed = str(metadata.get("ticketState")).upper() == "CLOSED" or probability in (0.0, 1.0)
    return PipelineStage(closed, closed and probability == 1.0)


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
