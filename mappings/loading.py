"""Reading a mapping file. Everything that is wrong with it is reported at once."""

from pathlib import Path

from pydantic import ValidationError

from connector.domain.config.problems import FileProblems
from connector.domain.config.toml_text import read_toml, read_toml_file
from connector.errors import SettingsError
from mappings.binding import MappingFile
from mappings.fields import placed
from mappings.spec import Spec


def load(source: Path | str, name: str = "", *, default: str | None = None) -> MappingFile:
    """Return a mapping from a file, or from text. `name` stands in messages; it is the path when left out.

    `default`: the text of the adapter's default mapping. It says who is a user of the firm's own where the file, an older copy,
    does not. `SettingsError` carries every problem of the file.
    """
    name = name or (str(source) if isinstance(source, Path) else "mapping")
    if isinstance(source, Path):
        values = read_toml_file(source, name, absent="Name an existing file, or run `afterword init`.")
    else:
        values = read_toml(source, name)
    try:
        spec = Spec.model_validate(placed(values))
    except ValidationError as error:
        raise SettingsError(FileProblems(name, values).of(error)) from None
    if spec.owner.standard is None and default is not None:
        spec = _with_standard(spec, load(default).spec)
    return MappingFile(name, spec)


def _with_standard(spec: Spec, default: Spec) -> Spec:
    """Without it, partners and customers who have a login would be taken for colleagues."""
    if spec.owner.object != default.owner.object:
        return spec
    owner = spec.owner.model_copy(update={"standard": default.owner.standard})
    return spec.model_copy(update={"owner": owner})
