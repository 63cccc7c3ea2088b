"""Files made from the store, and jobs read from files."""
