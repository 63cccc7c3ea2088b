"""Tell people that a job has ended: what is said, who delivers it, and when it is given up."""
