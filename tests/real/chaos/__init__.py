"""Faults under load: a proxy that misbehaves, senders that count, and the check of every line."""
