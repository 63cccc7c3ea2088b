"""Notices to people: webhooks, mail, and whatever apprise reaches. Knows no jobs."""
