"""The stages by their names. A command line that only offers them imports no stage."""

from enum import StrEnum


class Stage(StrEnum):
    """The stages, in the order of the lap."""

    PULL = "pull"
    COLLECT = "collect"
    INVITE = "invite"
    DELIVER = "deliver"
    SCORE = "score"
    FOLLOW_UP = "follow_up"
    WRITE_BACK = "write_back"


ALL = tuple(Stage)
ASKING = (Stage.COLLECT, Stage.INVITE, Stage.DELIVER)
"""What asks customers."""
JUDGING = (Stage.SCORE, Stage.FOLLOW_UP)
"""What makes figures and follow-ups of their answers."""
AFTER_AN_ANSWER = (*JUDGING, Stage.WRITE_BACK)
"""What brings one answer to the CRM at once."""
