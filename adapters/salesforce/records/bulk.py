"""Bulk API 2.0: jobs that Salesforce works at by itself, and the files of CSV that go in and come out."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

from adapters.salesforce.errors import not_data
from adapters.salesforce.http.client import SalesforceAnswer, SalesforceClient, expect_object
from connector.domain.quoting import quoted
from connector.errors import CrmError, CursorInvalid, NotPermitted, RecordRejected, SchemaChanged

COMPLETE: Final = "JobComplete"
_TERMINAL: Final = frozenset({COMPLETE, "Failed", "Aborted"})
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 30.0
_SLICE: Final = 5.0
"""Seconds after which whoever waits may look whether he is to stop."""
_PATIENCE: Final = timedelta(minutes=30)
_COUNT: Final = re.compile("[0-9]{1,12}")
_REFUSALS: Final = (RecordRejected, SchemaChanged, NotPermitted)

# A long text may hold 131,072 characters, which is as much as the module takes by itself, and a rich one more.
csv.field_size_limit(1 << 24)


class JobFailed(CrmError):
    """Salesforce did not carry out a job, or not so that it can be trusted: the same is to be done by single calls."""

    permanent = False


class BulkJob:
    """One job of a kind, ``query`` or ``ingest``."""

    def __init__(self, client: SalesforceClient, kind: str, body: dict[str, Any], *, what: str) -> None:
        """Create it. `JobFailed`: this cannot be done in bulk."""
        self._client = client
        self._call = f"{kind} {what} in bulk"
        self._where = client.where(self._call)
        try:
            answer = client.ask(f"jobs/{kind}", body, call=self._call)
        except _REFUSALS as error:
            raise JobFailed(error.what, where=self._where) from error
        self._path = f"jobs/{kind}/{expect_object(answer, self._where).get('id')}"

    def upload(self, content: BinaryIO) -> None:
        """Hand over what is to be written, and let the work begin. `JobFailed`: it is not taken."""
        try:
            self._client.upload(f"{self._path}/batches", content, call=self._call)
            self._client.change("PATCH", self._path, {"state": "UploadComplete"}, call=self._call)
        except _REFUSALS as error:
            raise JobFailed(error.what, where=self._where) from error

    def wait(self) -> Iterator[SalesforceAnswer]:
        """Yield every few seconds while Salesforce is at it, and at last its final state (`finished`).

        `JobFailed`: it takes too long.
        """
        until = self._client.clock.now() + _PATIENCE
        pause = _FIRST_WAIT
        while True:
            answer = self._state()
            yield answer
            if finished(answer):
                return
            if self._client.clock.now() >= until:
                self.abort()
                raise JobFailed("the job took too long.", where=self._where)
            yield from self._pass(pause, answer)
            pause = min(2 * pause, _LONGEST_WAIT)

    def abort(self) -> None:
        """Let Salesforce drop the job; it forgets it by itself, should that fail."""
        try:
            self._client.change("PATCH", self._path, {"state": "Aborted"}, call=self._call)
        except CrmError:
            # What led here is what is to be told.
            return

    def tables(self, name: str, parameters: str = "") -> Iterator["JobTable"]:
        """Yield the parts of one of the job's results, each as a table read from a file."""
        with TemporaryFile() as file:
            locator, seen = "", {"", "null"}
            while True:
                path = f"{self._path}/{name}?{parameters}{f'&locator={locator}' if locator else ''}".rstrip("?")
                answer = self._download(path, file)
                table = JobTable(file, answer, self._where)
                yield table
                table.let_go()
                locator = answer.data.get("Sforce-Locator", "null")
                if locator == "null":
                    return
                if locator in seen:
                    raise JobFailed("its results do not go on, though they are not done.", where=self._where)
                seen.add(locator)

    def _download(self, path: str, file: BinaryIO) -> SalesforceAnswer:
        try:
            return self._client.download(path, file, call=self._call)
        except (*_REFUSALS, CursorInvalid) as error:
            raise JobFailed(error.what, where=self._where) from error

    def failure(self, answer: SalesforceAnswer) -> JobFailed:
        """Return why the job did not end well."""
        message = quoted(str(answer.data.get("errorMessage") or "no reason was given."))
        return JobFailed(f"{answer.data.get('state')}: {message}", where=self._where)

    def _state(self) -> SalesforceAnswer:
        try:
            answer = self._client.read(self._path, call=self._call)
        except _REFUSALS as error:
            raise JobFailed(error.what, where=self._where) from error
        expect_object(answer, self._where)
        return answer

    def _pass(self, seconds: float, answer: SalesforceAnswer) -> Iterator[SalesforceAnswer]:
        while seconds > 0:
            self._client.clock.sleep(min(seconds, _SLICE))
            seconds -= _SLICE
            if seconds > 0:
                yield answer


class JobTable:
    """One part of a job's results. Its rows are read from the file as they are asked for."""

    def __init__(self, file: BinaryIO, answer: SalesforceAnswer, where: str) -> None:
        self.server_time = answer.server_time
        self._where = where
        self._expected = self._counted(answer.data.get("Sforce-NumberOfRecords"))
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self._reader = csv.reader(self._text)
        self.header = next(self._lines(), [])

    def rows(self) -> Iterator[list[str]]:
        """Yield each row. `Unavailable`: the answer was cut off."""
        count = 0
        for row in self._lines():
            if len(row) != len(self.header):
                raise not_data(self._where)
            count += 1
            yield row
        if self._expected is not None and count != self._expected:
            raise not_data(self._where)

    def _counted(self, count: str | None) -> int | None:
        if count is not None and not _COUNT.fullmatch(count):
            raise JobFailed("it does not say how many results there are.", where=self._where)
        return None if count is None else int(count)

    def _lines(self) -> Iterator[list[str]]:
        try:
            yield from self._reader
        except (csv.Error, UnicodeDecodeError) as error:
            raise JobFailed("its results are no table.", where=self._where) from error

    def let_go(self) -> None:
        """Leave the file to its owner."""
        self._text.detach()


def finished(answer: SalesforceAnswer) -> bool:
    """Tell whether a job's state is its last."""
    return answer.data.get("state") in _TERMINAL
