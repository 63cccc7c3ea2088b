"""Tables, statistics and pictures of results."""
