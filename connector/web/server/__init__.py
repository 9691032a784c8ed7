"""What stands between the network and the pages: the socket, limits, protection."""
