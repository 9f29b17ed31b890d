"""The real Pulumi CLI in a sandbox: on a copy of a project, with a state of its own, and the stand-ins' providers.

A project's real state and stack files are never reached. The clouds are reached through the environment only, as by
any other program. Left out: installing the CLI.
"""
