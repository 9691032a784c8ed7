"""Before the stages: reaching a CRM, and whether anything may be written to it."""
