"""The process that carries a job out."""
