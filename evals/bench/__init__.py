"""Measurements that depend on the machine, kept apart from everything that must repeat."""
