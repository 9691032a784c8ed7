"""Records of HubSpot: reading, writing, associations."""
