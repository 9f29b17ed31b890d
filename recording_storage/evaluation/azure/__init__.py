"""Azure: roles, where they are assigned, who is denied, and whose token a federated credential takes."""
