"""In which language somebody is asked whose own is not known."""

import pytest
from asking import survey, world

from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t


@pytest.mark.parametrize(
    ("contact", "of_survey", "company", "asked"),
    [
        (None, None, "fi", "fi"),
        (None, "sv", "fi", "sv"),
        ("en-GB", "sv", "fi", "en"),
        ("fr", "sv", "fi", "fr"),
        ("ja", None, "fi", "fi"),  # there is no wording for it
    ],
)
def test_whose_language_is_not_known_is_asked_in_that_of_the_survey_or_the_company(
    store: Store, contact: str | None, of_survey: str | None, company: str, asked: str
) -> None:
    here = world(store)
    here.language = company
    here.surveys = {"after-case": survey(**({"language": of_survey} if of_survey else {}))}
    here.person("pekka", language=contact)
    here.case("c1", contacts=("pekka",))
    invite.run(here.context())
    assert [(row.email, row.language) for row in here.rows(t.invitation)] == [("pekka@oy.example", asked)]
