"""AWS: policies of all kinds, and their conditions."""
