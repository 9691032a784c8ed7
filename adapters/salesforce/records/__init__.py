"""Records of Salesforce: reading and writing, one by one and in bulk."""
