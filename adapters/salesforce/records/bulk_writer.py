"""Changing many records in bulk: one file of CSV goes in, and each row's fate is looked up by its id."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

from adapters.salesforce.http.client import SalesforceAnswer, SalesforceClient
from adapters.salesforce.records import soql
from adapters.salesforce.records.bulk import COMPLETE, BulkJob, JobFailed, finished
from adapters.salesforce.records.writer import BATCH, SalesforceWriter
from adapters.salesforce.refusals import TooMuchAtOnce, refusal
from connector.errors import Bug, CrmError, Unavailable, raises_own_errors
from connector.ports import Write, WriteResult

LEAST: Final = 2_500
"""From how many records on a job needs fewer calls than batches do; measured, see the decision on bulk."""
MOST: Final = 5_000
"""Records in one job. Salesforce takes far more; each that waits for its result is kept in memory, some 10 KB."""
_NULL: Final = "#N/A"
_Fates = dict[str, WriteResult]


@raises_own_errors
class SalesforceBulkWriter:
    """Changes records by ingest jobs. What a job leaves undone, or finds locked, is sent by batches."""

    least = LEAST
    most = MOST

    def __init__(self, client: SalesforceClient, writer: SalesforceWriter) -> None:
        self.connection = client.connection
        self._client = client
        self._writer = writer

    def write(self, writes: Sequence[Write], stopping: Callable[[], bool]) -> list[WriteResult]:
        """See `connector.ports.BulkWriter`."""
        _check(writes)
        suited = {soql.id18(write.id): write for write in writes if write.id and _fits(write)}
        fates = self._by_job(suited, stopping) if suited else {}
        left = [write for write in writes if write.key not in fates]
        for start in range(0, len(left), BATCH):
            fates |= self._by_batch(left[start : start + BATCH], known=bool(fates), stopping=stopping)
        results = [fates[write.key] for write in writes]
        self._writer.name_survivors(results)
        return results

    def _by_batch(self, writes: Sequence[Write], *, known: bool, stopping: Callable[[], bool]) -> _Fates:
        try:
            if stopping():
                raise Unavailable("the lap was stopped before it was sent.", where=self._where(writes), not_sent=True)
            return {result.write.key: result for result in self._writer.write(writes)}
        except CrmError as error:
            if not known:
                raise
            return {write.key: WriteResult(write, "refused", write.id, error) for write in writes}

    def _by_job(self, writes: Mapping[str, Write], stopping: Callable[[], bool]) -> _Fates:
        """Return the fates that a job has decided; the others are for batches."""
        object_name = next(iter(writes.values())).object
        body = {"object": object_name, "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
        try:
            job = BulkJob(self._client, "ingest", body, what=object_name)
            with TemporaryFile() as file:
                _fill(file, writes)
                job.upload(file)
            return self._fates(job, self._ended(job, stopping, self._where(list(writes.values()))), writes)
        except JobFailed:
            return {}

    def _ended(self, job: BulkJob, stopping: Callable[[], bool], where: str) -> SalesforceAnswer:
        """Wait for the end of a job. Whoever must stop leaves it to Salesforce: writing the same again changes nothing."""
        for answer in job.wait():
            if finished(answer):
                break
            if stopping():
                what = "the lap was stopped while Salesforce was still writing."
                raise Unavailable(what, where=where, remedy="The next lap looks at what is left.")
        return answer

    def _fates(self, job: BulkJob, end: SalesforceAnswer, writes: Mapping[str, Write]) -> _Fates:
        """Look up each record by its id: results come in another order than the upload, and refused rows have no id but ours."""
        fates: _Fates = {}
        failed = int(end.data.get("numberRecordsFailed") or 0)
        if int(end.data.get("numberRecordsProcessed") or 0) > failed:
            for row in _rows(job, "successfulResults"):
                record_id = soql.known_id(row["sf__Id"])
                write = writes.get(soql.id18(record_id)) if record_id else None
                if write is not None:
                    fates[write.key] = WriteResult(write, "updated", write.id)
        if failed or end.data["state"] != COMPLETE:
            for row in _rows(job, "failedResults"):
                write = writes.get(row.get("Id", ""))
                if write is not None and _is_final(error := self._error(write, row["sf__Error"])):
                    fates[write.key] = WriteResult(write, "refused", write.id, error)
        return fates

    def _error(self, write: Write, text: str) -> CrmError:
        """Return what a failed row's text means: code, words and fields, parted by colons."""
        code, _, rest = text.partition(":")
        words, _, fields = rest.rpartition(":")
        row = {"statusCode": code, "message": words, "fields": fields.removesuffix("--").split()}
        where = self._client.where(f"write {write.object} {write.key}")
        return refusal(write, row, where=where, now=self._client.clock.now())

    def _where(self, writes: Sequence[Write]) -> str:
        return self._client.where(f"write {writes[0].object} in bulk")


def _check(writes: Sequence[Write]) -> None:
    if len(writes) > MOST:
        raise Bug(f"{len(writes)} writes in one job; {MOST} are the most")
    if len({write.object for write in writes}) > 1:
        raise Bug("writes on several objects in one job")
    ids = {soql.id18(write.id) for write in writes if write.id}
    if len(ids) < len(writes) or len({write.key for write in writes}) < len(writes):
        raise Bug("a job takes changes alone, each of another record")


def _is_final(error: CrmError) -> bool:
    """Tell whether a job's refusal stands. What may go well in the next moment, or with fewer in one go, is for batches."""
    return error.permanent and not isinstance(error, TooMuchAtOnce)


def _fits(write: Write) -> bool:
    """Tell whether a file can say it: text that reads as "empty this" cannot be told from that."""
    return _NULL not in write.fields.values()


def _fill(file: BinaryIO, writes: Mapping[str, Write]) -> None:
    names = sorted({name for write in writes.values() for name in write.fields})
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["Id", *names])
    for record_id, write in writes.items():
        table.writerow([record_id, *(_cell(write.fields[name]) if name in write.fields else "" for name in names)])
    text.flush()
    text.detach()


def _cell(value: Any) -> str:
    """Return a value as a cell; an empty cell would leave its field alone, so emptying has a word of its own."""
    if value is None or value == "":
        return _NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    # A line that ends otherwise than the file's own lines might be taken for the end of the row.
    return str(value).replace("\r\n", "\n").replace("\r", "\n")


def _rows(job: BulkJob, name: str) -> Iterator[dict[str, str]]:
    for table in job.tables(name):
        for row in table.rows():
            yield dict(zip(table.header, row, strict=True))
