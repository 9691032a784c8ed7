"""The pretend CRMs as places where people work, with one set of verbs for all of them: for stories that play in several at once."""
