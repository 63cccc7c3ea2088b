"""How far an infection spreads, and what vaccination changes."""
