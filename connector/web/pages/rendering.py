"""Rendering: the templates, and what each page needs."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse

from connector.domain.text_direction import isolated, without_turns
from connector.web.parts import WebParts


def page(template: str, *, parts: WebParts, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page. Every template knows the site and the path that we are reached under."""
    content = _templates().get_template(template).render(site=parts.site, prefix=parts.prefix, **values)
    return HTMLResponse(content, status_code=status)


def fragment(template: str, **values: object) -> Markup:
    """Return a part of a page, to be put into another template as it is."""
    return Markup(_templates().get_template(template).render(**values))  # noqa: S704 - every value in it was escaped


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("connector.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"isolated": isolated, "without_turns": without_turns}
    return templates
