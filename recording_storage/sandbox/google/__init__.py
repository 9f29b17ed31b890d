"""The stand-in for Google Cloud: identity federation, service accounts, projects, Cloud Storage and its keys."""
