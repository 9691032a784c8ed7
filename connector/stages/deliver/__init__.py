"""`deliver`: invitations and reminders go out."""
