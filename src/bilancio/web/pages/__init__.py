"""What the pages show, one file for each question."""
