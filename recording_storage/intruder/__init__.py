"""What must be refused, tried for real: other principals, other ways, other places.

It runs as a program of its own, `python -m recording_storage.intruder`, and holds several credentials. One file
per provider.
"""
