"""Bulk API 2.0: jobs that read or write many records as CSV, worked on while they are polled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapters.sandbox.salesforce import bulk_csv
from adapters.sandbox.salesforce.calls import SalesforceCall
from adapters.sandbox.salesforce.errors import RequestError, RowError, SalesforceError, not_found
from adapters.sandbox.salesforce.org.field_values import moment_of
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType
from adapters.sandbox.salesforce.query import QueryRun, Result
from adapters.sandbox.salesforce.rows import as_row_error
from adapters.sandbox.salesforce.soql import parse
from adapters.sandbox.salesforce.write_calls import deserialise, external_field
from adapters.sandbox.web import Response, json_response

INGEST_OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
JOB_LIFE = timedelta(days=7)
DEFAULT_RESULTS = 50_000
MOST_BYTES = 150 * 1024 * 1024
_TERMINAL = frozenset({"JobComplete", "Failed", "Aborted"})
_CSV = "text/csv;charset=UTF-8"


@dataclass
class PretendBulkJob:
    """One job. `polls` counts how often it must still be asked for before it is done."""

    job_id: str
    kind: str
    operation: str
    object: str
    version: str
    created_at: str
    by: str
    delimiter: str
    line_ending: str
    external_id: str | None = None
    query: str | None = None
    state: str = "Open"
    error: str | None = None
    polls: int = 0
    content: bytes | None = None
    header: list[str] = field(default_factory=list)
    successes: list[list[str]] = field(default_factory=list)
    failures: list[list[str]] = field(default_factory=list)
    result: Result | None = None

    def as_json(self) -> dict[str, Any]:
        """The job as the API shows it."""
        shown = {
            "id": self.job_id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.by,
            "createdDate": self.created_at,
            "systemModstamp": self.created_at,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
            "jobType": "V2Ingest" if self.kind == "ingest" else "V2Query",
            "numberRecordsProcessed": self._processed(),
        }
        if self.kind == "ingest":
            shown["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.job_id}/batches"
            shown["numberRecordsFailed"] = len(self.failures)
            shown["externalIdFieldName"] = self.external_id
        return shown | ({"errorMessage": self.error} if self.error else {})

    def _processed(self) -> int:
        return len(self.result.rows) if self.result else len(self.successes) + len(self.failures)


@dataclass
class Jobs:
    """The jobs of one org. `polls` is how often a new job shows as unfinished before it is done."""

    by_id: dict[str, PretendBulkJob] = field(default_factory=dict)
    polls: int = 0


def route(call: SalesforceCall, kind: str, rest: Sequence[str]) -> Response:
    """Everything under jobs/query and jobs/ingest."""
    _forget_old(call)
    match (call.request.method, *rest):
        case ("POST",):
            return _create_query(call) if kind == "query" else _create_ingest(call)
        case ("GET",):
            jobs = [job.as_json() for job in call.org.jobs.by_id.values() if job.kind == kind]
            return json_response({"done": True, "records": jobs, "nextRecordsUrl": None})
        case (_, job_id, *more):
            return _of_job(call, _job_of(call, kind, job_id), more)
    raise not_found()


def _of_job(call: SalesforceCall, job: PretendBulkJob, rest: Sequence[str]) -> Response:
    match (call.request.method, *[part.lower() for part in rest]):
        case ("GET",):
            _work(call, job)
            return json_response(job.as_json())
        case ("PATCH",):
            return _move(call, job)
        case ("DELETE",):
            return _delete(call, job)
        case ("PUT", "batches") if job.kind == "ingest":
            return _upload(call, job)
        case ("GET", "results") if job.kind == "query":
            return _results(call, job)
        case ("GET", "successfulresults" | "failedresults" | "unprocessedrecords" as name) if job.kind == "ingest":
            return _outcomes(call, job, name)
    raise not_found()


def _create_ingest(call: SalesforceCall) -> Response:
    body = call.json_object()
    operation, name = body.get("operation"), str(body.get("object"))
    object_type = call.org.schema.find(name)
    if operation not in INGEST_OPERATIONS:
        raise RequestError("INVALIDJOB", f"InvalidJob : Invalid operation: {operation}")
    if object_type is None or not call.org.readable(object_type, call.access):
        raise RequestError("INVALIDJOB", f"InvalidJob : Unable to find object: {name}")
    if operation == "upsert":
        external_field(call, object_type, str(body.get("externalIdFieldName")))
    job = _new(call, "ingest", str(operation), body, object_type.name)
    job.external_id = body.get("externalIdFieldName")
    return json_response(job.as_json())


def _create_query(call: SalesforceCall) -> Response:
    body = call.json_object()
    text, operation = str(body.get("query", "")), body.get("operation")
    if operation not in {"query", "queryAll"}:
        raise RequestError("INVALIDJOB", f"InvalidJob : Invalid operation: {operation}")
    result = _search(call, text, str(operation))
    job = _new(call, "query", str(operation), body, result.object.name)
    job.query, job.state = text, "UploadComplete"
    return json_response(job.as_json())


def _search(call: SalesforceCall, text: str, operation: str) -> Result:
    """The answer to a query, refused where this API reads less than the other does."""
    try:
        query = parse(text)
        if query.aggregates or query.offset or any(item.children for item in query.items):
            raise RequestError("API_ERROR", "Unsupported SOQL: aggregates, OFFSET and subqueries are not available")
        result = QueryRun(call.org, call.access, deleted=operation == "queryAll", version=call.version).answer(query)
    except SalesforceError as error:
        raise RequestError("API_ERROR", error.message) from None
    if any(column.spec.type == "address" for column in result.columns):
        raise RequestError("API_ERROR", "Selecting compound data not supported in Bulk Query")
    return result


def _new(call: SalesforceCall, kind: str, operation: str, body: dict[str, Any], name: str) -> PretendBulkJob:
    job = PretendBulkJob(
        call.org.ids.next("750"),
        kind,
        operation,
        name,
        call.version,
        call.org.now(),
        call.session.user_id,
        delimiter=body.get("columnDelimiter", "COMMA"),
        line_ending=body.get("lineEnding", "LF"),
        polls=call.org.jobs.polls,
    )
    if job.delimiter not in bulk_csv.DELIMITERS or job.line_ending not in bulk_csv.LINE_ENDINGS:
        raise RequestError("INVALIDJOB", "InvalidJob : Unknown columnDelimiter or lineEnding")
    call.org.jobs.by_id[job.job_id] = job
    call.note.kind, call.note.sobject = "read" if kind == "query" else "write", name
    return job


def _job_of(call: SalesforceCall, kind: str, job_id: str) -> PretendBulkJob:
    job = call.org.jobs.by_id.get(job_id)
    if job is None or job.kind != kind:
        raise not_found()
    if job.version != call.version:
        words = f"The job was made with API version {job.version} and cannot be read with {call.version}"
        raise RequestError("INVALIDVERSION", words, status=409)
    call.note.sobject = job.object
    return job


def _forget_old(call: SalesforceCall) -> None:
    limit = call.org.clock.now() - JOB_LIFE
    jobs = call.org.jobs.by_id
    for job_id in [job.job_id for job in jobs.values() if moment_of(job.created_at) < limit]:
        del jobs[job_id]


def _upload(call: SalesforceCall, job: PretendBulkJob) -> Response:
    call.note.kind = "write"
    if job.content is not None:
        raise RequestError(
            "INVALIDJOBSTATE", f"Found multiple contents for job: <{job.job_id}>, only one PUT is allowed"
        )
    if job.state != "Open":
        raise RequestError("INVALIDJOBSTATE", f"Job is not in a state to accept data: {job.state}")
    if call.request.content_type != "text/csv":
        raise RequestError("UNSUPPORTED_MEDIA_TYPE", "Content-Type must be text/csv", status=415)
    if len(call.request.body) > MOST_BYTES:
        raise RequestError("INVALIDJOB", "Uploaded data is larger than 150 MB")
    job.content = call.request.body
    return Response(201)


def _move(call: SalesforceCall, job: PretendBulkJob) -> Response:
    wanted = call.json_object().get("state")
    call.note.kind = "write" if job.kind == "ingest" else "read"
    if wanted == "Aborted" and job.state not in _TERMINAL:
        job.state = "Aborted"
    elif wanted == "UploadComplete" and job.kind == "ingest" and job.state == "Open":
        job.state = "UploadComplete"
    else:
        raise RequestError("INVALIDJOBSTATE", f"Job cannot be moved from {job.state} to {wanted}")
    return json_response(job.as_json())


def _delete(call: SalesforceCall, job: PretendBulkJob) -> Response:
    if job.state not in _TERMINAL:
        raise RequestError("INVALIDJOBSTATE", f"Job is not in a state that can be deleted: {job.state}")
    del call.org.jobs.by_id[job.job_id]
    return Response(204)


def _work(call: SalesforceCall, job: PretendBulkJob) -> None:
    """Moves a job on, one step for each time it is asked for."""
    if job.state not in {"UploadComplete", "InProgress"}:
        return
    if job.polls:
        job.polls, job.state = job.polls - 1, "InProgress"
        return
    if job.kind == "query":
        job.result = _search(call, job.query or "", job.operation)
        job.state = "JobComplete"
        return
    try:
        _ingest(call, job)
        job.state = "JobComplete"
    except bulk_csv.UnreadableUpload as problem:
        job.state, job.error = "Failed", str(problem)


def _ingest(call: SalesforceCall, job: PretendBulkJob) -> None:
    object_type = call.org.object(job.object)
    table = bulk_csv.read(job.content or b"", job.delimiter, job.line_ending)
    job.header = table.header
    names = [_column(call, object_type, name) for name in table.header]
    work = _operations(call, object_type, job)[job.operation]
    call.note.rows = len(table.rows)
    with call.org.commit(object_type.name):
        # The results come in another order than the upload, as the vendor warns.
        for cells in reversed(table.rows):
            try:
                with call.org.store.transaction():
                    record_id, created = work(_record(names, cells))
                job.successes.append([record_id, str(created).lower(), *cells])
            except SalesforceError as error:
                job.failures.append(["", bulk_csv.error_text(as_row_error(error)), *cells])


def _column(call: SalesforceCall, object_type: OrgObjectType, name: str) -> tuple[str, Field]:
    """What a column holds: a field, or a key of a parent as `Lookup.Key`; unknown or hidden ones fail the job."""
    lookup_name, _, key = name.partition(".")
    owner = object_type
    if key:
        lookup = object_type.by_relationship(lookup_name)
        if lookup is None or not call.access.sees(object_type.name, lookup):
            raise bulk_csv.UnreadableUpload(f"InvalidBatch : Field name not found : {name}")
        owner = call.org.schema.objects[lookup.refers_to[-1]]
    spec = owner.find(key or lookup_name)
    if spec is None or not call.access.sees(owner.name, spec):
        raise bulk_csv.UnreadableUpload(f"InvalidBatch : Field name not found : {name}")
    return (lookup_name if key else "", spec)


def _record(columns: list[tuple[str, Field]], cells: list[str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for (lookup, spec), cell in zip(columns, cells, strict=True):
        if cell == "":
            continue
        value = bulk_csv.typed(spec, cell)
        if lookup:
            record[lookup] = None if value is None else {spec.name: value}
        else:
            record[spec.name] = value
    return record


def _operations(
    call: SalesforceCall, object_type: OrgObjectType, job: PretendBulkJob
) -> dict[str, Callable[[dict[str, Any]], tuple[str, bool]]]:
    records = call.org.records

    def insert(record: dict[str, Any]) -> tuple[str, bool]:
        return records.insert(object_type, deserialise(call, object_type, record), call.writer), True

    def update(record: dict[str, Any]) -> tuple[str, bool]:
        return records.update(object_type, _id(record), deserialise(call, object_type, record), call.writer), False

    def upsert(record: dict[str, Any]) -> tuple[str, bool]:
        spec = external_field(call, object_type, job.external_id or "Id")
        key = record.pop(spec.name, None)
        if key is None:
            raise RowError("MISSING_ARGUMENT", f"{spec.name} not specified", [])
        return records.upsert(object_type, (spec, key), deserialise(call, object_type, record), call.writer)

    def delete(record: dict[str, Any]) -> tuple[str, bool]:
        record_id = _id(record)
        records.delete(object_type, record_id, call.writer)
        if job.operation == "hardDelete":
            records.purge(object_type, record_id, call.writer)
        return record_id, False

    return {"insert": insert, "update": update, "upsert": upsert, "delete": delete, "hardDelete": delete}


def _id(record: dict[str, Any]) -> str:
    record_id = record.pop("Id", None)
    if not record_id:
        raise RowError("MISSING_ARGUMENT", "Id not specified in an update call", [])
    return str(record_id)


def _outcomes(call: SalesforceCall, job: PretendBulkJob, name: str) -> Response:
    if job.state not in _TERMINAL:
        raise RequestError("INVALIDJOBSTATE", f"Job is not finished: {job.state}")
    if name == "unprocessedrecords":
        rows, header = [], job.header
        if job.state in {"Failed", "Aborted"} and job.content:
            return Response(200, job.content, {"Content-Type": _CSV})
    else:
        successful = name == "successfulresults"
        rows = job.successes if successful else job.failures
        header = ["sf__Id", "sf__Created" if successful else "sf__Error", *job.header]
    call.read(job.object, len(rows))
    return Response(200, bulk_csv.write(header, rows, job.delimiter, job.line_ending), {"Content-Type": _CSV})


def _results(call: SalesforceCall, job: PretendBulkJob) -> Response:
    if job.result is None:
        raise RequestError("INVALIDJOBSTATE", f"Job is not finished: {job.state}")
    query = call.request.query
    most = int(query.get("maxRecords", DEFAULT_RESULTS))
    start = bulk_csv.position(query.get("locator", ""))
    rows = job.result.rows[start : start + most]
    call.read(job.object, len(rows))
    columns = job.result.columns
    table = ([bulk_csv.cell(column.spec, column.get(row)) for column in columns] for row in rows)
    body = bulk_csv.write([".".join(column.path) for column in columns], table, job.delimiter, job.line_ending)
    end = start + len(rows)
    locator = bulk_csv.locator(end) if end < len(job.result.rows) else "null"
    headers = {"Content-Type": _CSV, "Sforce-NumberOfRecords": str(len(rows)), "Sforce-Locator": locator}
    return Response(200, body, headers)
