"""What `bilancio bench` measures."""
