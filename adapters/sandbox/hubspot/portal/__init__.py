"""One portal in memory: what it holds, without any HTTP."""
