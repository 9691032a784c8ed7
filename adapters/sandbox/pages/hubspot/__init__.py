"""The pages of the pretend HubSpot."""
