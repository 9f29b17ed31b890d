"""The stand-in of the recording service: the vendors' ordinary clients, a stack's outputs, its own credential.

It runs as a program of its own, `python -m recording_storage.recorder`, and knows nothing of the sandbox: the same
code would write to a real cloud. One file per provider.
"""
