"""What lies in output folders: written, found, and read as foreign input."""
