"""Templates of the mails."""
