"""What released versions wrote, for all later ones to read."""
