"""One org in memory: what it holds, without any HTTP."""
