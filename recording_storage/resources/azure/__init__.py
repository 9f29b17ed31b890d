"""What the packages `azure-native` and `azuread` have in common: who asks, and how it is asked."""
