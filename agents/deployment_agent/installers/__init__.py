"""Installers of the deployment agent: one file a kind of package, chosen by the packages' first bytes."""
