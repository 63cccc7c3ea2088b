"""The version of the model's numbers."""

ENGINE_VERSION = "kalecki-1"
"""Changes whenever any outcome of any run changes; stored with every job."""
