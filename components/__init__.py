"""Pulumi components that make customer-owned storage for recordings, and the pure rules that they follow."""
