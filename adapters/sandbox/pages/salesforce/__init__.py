"""The pages of the pretend Salesforce."""
