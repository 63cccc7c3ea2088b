"""Where chunks compute. Executors know nothing of jobs."""
