"""The installed adapters, ours and anybody's, found by their entry points."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from connector.errors import Problem, SettingsError
from connector.ports import AdapterPackage, AnyAdapterPackage

GROUP: Final = "afterword.adapters"
"""The entry-point group; the name within it is what `adapter` in [crm.NAME] says."""


class InstalledAdapters(Mapping[str, AnyAdapterPackage]):
    """The packages of adapters by name. Each is imported when it is asked for: one that is not used harms nobody."""

    def __init__(self, points: Mapping[str, EntryPoint]) -> None:
        self._points = points

    def __getitem__(self, name: str) -> AnyAdapterPackage:
        """Return an adapter's package. `SettingsError`: it cannot be imported, or was made for another version of the port."""
        point = self._points[name]
        try:
            package = point.load()
        except Exception as error:
            raise SettingsError([_unusable(point, f"cannot be imported: {error!r}.")]) from error
        if not isinstance(package, AdapterPackage):
            raise SettingsError([_unusable(point, "is no AdapterPackage.")])
        return package

    def __contains__(self, name: object) -> bool:
        return name in self._points

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._points))

    def __len__(self) -> int:
        return len(self._points)


def _unusable(point: EntryPoint, what: str) -> Problem:
    by = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
    remedy = "Install a version of it that was made for this version of Afterword, or remove it."
    return Problem(f"the adapter {point.name!r}{by} ({point.value})", what, remedy)


@cache
def installed_adapters() -> InstalledAdapters:
    """Return the installed adapters. To find them, the metadata of every installed package is read, so only once."""
    return InstalledAdapters({point.name: point for point in entry_points(group=GROUP)})
