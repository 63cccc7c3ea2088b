"""Where batches compute. Executors know nothing of jobs."""
