"""The `recording-storage` command: everything around `pulumi up`. The Pulumi program doesn't need it."""
