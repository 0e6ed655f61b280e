"""The control plane: what is wanted, what is seen, and the steps that are missing between the two.

`plans`, `fleet`, `failed_nodes`, `placement` and `reconcile` decide and do not touch the world; `store`,
`authority`, `service` and `api` act.
"""
