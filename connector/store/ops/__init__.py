"""What keeps the machinery going: connections, leases, laps, calls, tokens, sign-ins."""
