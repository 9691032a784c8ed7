"""Mappings that write elsewhere than the packaged one."""

from dataclasses import replace

from default_mappings import packaged
from lap_world import LapWorld

from mappings.loading import load

PACKAGED = packaged("salesforce")


def use(world: LapWorld, text: str) -> None:
    """Put another mapping in place."""
    endpoint = replace(world.installation.endpoints[0], mapping=load(text, "mappings/acme.toml"))
    world.installation = replace(world.installation, endpoints=[endpoint])


def line(target: str, name: str, text: str) -> str:
    """Return the packaged mapping with another line for one of our fields."""
    head, table, rest = PACKAGED.partition(f"[write.{target}]\n")
    lines = rest.split("\n")
    (place,) = [number for number, known in enumerate(lines) if known.startswith(f"{name} = ")][:1]
    lines[place] = f"{name} = {text}"
    return head + table + "\n".join(lines)
