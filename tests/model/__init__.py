"""The engine, through its public door, held against MODEL.md, golden runs and the oracle."""
