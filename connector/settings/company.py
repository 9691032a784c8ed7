"""The tables about the company that runs Afterword: where and when its people work, and who is told what."""

from typing import Annotated
from zoneinfo import ZoneInfo

from connector.domain.config.table import Table
from connector.domain.working_time import Window, WorkingTime
from connector.settings import value_readers
from connector.settings.fields import Address, Day, Text, reads
from connector.settings.value_readers import WeeklyTime


class Company(Table):
    """[company]: who we are, for mails, tasks, sentences and times."""

    name: Text | None = None
    language: Annotated[str, reads(value_readers.language)] = "en"
    """Of tasks, sentences and labels on records, and where a customer's is not known: a tag that there is wording for."""
    timezone: Annotated[ZoneInfo, reads(value_readers.time_zone)] = ZoneInfo("UTC")
    working_hours: Annotated[Window, reads(value_readers.working_hours)] = Window()
    holidays: tuple[Day, ...] = ()

    @property
    def working_time(self) -> WorkingTime:
        """When our people are there."""
        return WorkingTime(self.timezone, self.working_hours, frozenset(self.holidays))


class Admin(Table):
    """[admin]"""

    email: Address | None = None
    """Hears when something stands still."""


class Reports(Table):
    """[reports]"""

    weekly: Annotated[WeeklyTime | None, reads(value_readers.weekly)] = None
    """When managers get the week's report; None: they get none."""
