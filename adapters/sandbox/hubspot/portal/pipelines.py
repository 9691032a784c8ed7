"""Pipelines and their stages; whether a stage closes a record is said by its metadata, all of it text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.sandbox.hubspot.errors import HubSpotError, not_found
from adapters.sandbox.hubspot.portal.property_values import iso

Metadata = Mapping[str, str]
_FIRST_ID = 150_000_001


@dataclass
class PortalStage:
    """One stage; its id is not its label."""

    id: str
    label: str
    order: int
    metadata: Metadata
    created: int
    updated: int
    archived: int | None = None

    @property
    def closes(self) -> bool:
        """Whether records in it are closed; stages made in old days tell the state of tickets alone."""
        return self.metadata.get("isClosed") == "true" or self.metadata.get("ticketState") == "CLOSED"

    @property
    def won(self) -> bool:
        """Whether deals in it are won."""
        return self.closes and float(self.metadata.get("probability", "0")) == 1.0

    def as_json(self) -> dict[str, Any]:
        """The stage on the wire."""
        answer = _common_json(self) | {
            "metadata": dict(self.metadata),
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }
        return answer | ({"archivedAt": iso(self.archived)} if self.archived is not None else {})


@dataclass
class Pipeline:
    """A sequence of stages."""

    id: str
    label: str
    order: int
    created: int
    updated: int
    archived: int | None = None
    stages: dict[str, PortalStage] = field(default_factory=dict)

    def live(self) -> list[PortalStage]:
        """The stages in use, in their order."""
        return sorted(
            (stage for stage in self.stages.values() if stage.archived is None), key=lambda stage: stage.order
        )

    def stage(self, stage_id: str) -> PortalStage:
        """A stage; raises HubSpotError (404)."""
        stage = self.stages.get(stage_id)
        if stage is None or stage.archived is not None:
            raise not_found()
        return stage

    def as_json(self) -> dict[str, Any]:
        """The pipeline on the wire."""
        answer = _common_json(self) | {"stages": [stage.as_json() for stage in self.live()]}
        return answer | ({"archivedAt": iso(self.archived)} if self.archived is not None else {})


def _common_json(entry: PortalStage | Pipeline) -> dict[str, Any]:
    return {
        "id": entry.id,
        "label": entry.label,
        "displayOrder": entry.order,
        "createdAt": iso(entry.created),
        "updatedAt": iso(entry.updated),
        "archived": entry.archived is not None,
    }


_TICKET_STAGES = (("1", "New"), ("2", "Waiting on contact"), ("3", "Waiting on us"), ("4", "Closed"))
_DEAL_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)


class PortalPipelines:
    """The pipelines of deals and tickets."""

    def __init__(self, at: int) -> None:
        self._held: dict[str, dict[str, Pipeline]] = {"tickets": {}, "deals": {}}
        self._next = _FIRST_ID
        tickets = [(key, label, _ticket_metadata(closed=key == "4")) for key, label in _TICKET_STAGES]
        self.add("tickets", "Support Pipeline", tickets, at, pipeline_id="0")
        deals = [
            (key, label, {"isClosed": str(key.startswith("closed")).lower(), "probability": chance})
            for key, label, chance in _DEAL_STAGES
        ]
        self.add("deals", "Sales Pipeline", deals, at, pipeline_id="default")

    def of(self, object_name: str) -> list[Pipeline]:
        """The pipelines of an object in use, in their order; raises HubSpotError for objects without any."""
        return sorted(
            (pipeline for pipeline in self._all(object_name).values() if pipeline.archived is None), key=_order
        )

    def get(self, object_name: str, pipeline_id: str) -> Pipeline:
        """A pipeline; raises HubSpotError (404)."""
        pipeline = self._all(object_name).get(pipeline_id)
        if pipeline is None or pipeline.archived is not None:
            raise not_found()
        return pipeline

    def of_stage(self, object_name: str, stage_id: str | None) -> tuple[Pipeline, PortalStage] | None:
        """The stage with an id, in whichever pipeline."""
        for pipeline in self._all(object_name).values():
            if stage_id in pipeline.stages:
                return pipeline, pipeline.stages[stage_id]
        return None

    def add(
        self,
        object_name: str,
        label: str,
        stages: Sequence[tuple[str | None, str, Metadata]],
        at: int,
        *,
        pipeline_id: str | None = None,
        order: int | None = None,
    ) -> Pipeline:
        """Makes a pipeline of stages (id or None, label, metadata); raises HubSpotError when the id or label is taken."""
        present = self._all(object_name)
        if pipeline_id in present or any(
            pipeline.label == label and pipeline.archived is None for pipeline in present.values()
        ):
            words = f"A pipeline with the label '{label}' already exists."
            raise HubSpotError(words, status=409, category="OBJECT_ALREADY_EXISTS")
        key = pipeline_id or self._id()
        pipeline = Pipeline(key, label, len(present) if order is None else order, at, at)
        for stage_id, stage_label, metadata in stages:
            self.add_stage(object_name, pipeline, stage_label, metadata, at=at, stage_id=stage_id)
        present[key] = pipeline
        return pipeline

    def add_stage(
        self,
        object_name: str,
        pipeline: Pipeline,
        label: str,
        metadata: Metadata,
        *,
        at: int,
        stage_id: str | None = None,
        order: int | None = None,
    ) -> PortalStage:
        """Adds a stage; raises HubSpotError when its metadata lack what the object needs."""
        check_metadata(object_name, metadata)
        key = stage_id or self._id()
        place = len(pipeline.stages) if order is None else order
        pipeline.stages[key] = PortalStage(key, label, place, dict(metadata), at, at)
        return pipeline.stages[key]

    def archive(self, object_name: str, pipeline_id: str, at: int) -> None:
        """Archives a pipeline."""
        self.get(object_name, pipeline_id).archived = at

    def _all(self, object_name: str) -> dict[str, Pipeline]:
        if object_name not in self._held:
            raise HubSpotError(f"Object type {object_name} does not have pipelines")
        return self._held[object_name]

    def _id(self) -> str:
        self._next += 1
        return str(self._next - 1)


def check_metadata(object_name: str, metadata: Metadata) -> None:
    """Raises HubSpotError when the metadata of a stage lack what the object needs."""
    if object_name == "tickets" and metadata.get("ticketState") not in {"OPEN", "CLOSED"}:
        raise HubSpotError("Stage metadata is missing: ticketState must be one of [OPEN, CLOSED]")
    if object_name == "deals":
        text = metadata.get("probability", "")
        if not text.replace(".", "", 1).isdecimal() or not 0 <= float(text) <= 1:
            raise HubSpotError("Stage metadata is missing: probability must be between 0.0 and 1.0")


def _ticket_metadata(*, closed: bool) -> Metadata:
    return {"ticketState": "CLOSED" if closed else "OPEN", "isClosed": str(closed).lower()}


def _order(pipeline: Pipeline) -> tuple[int, str]:
    return pipeline.order, pipeline.id
