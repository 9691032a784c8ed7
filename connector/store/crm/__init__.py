"""What was read from the CRMs: records, how far reading has come, merges and comparisons."""
