"""Azure's stand-in: Entra, Microsoft Graph, Resource Manager and blob storage at their real host names."""
