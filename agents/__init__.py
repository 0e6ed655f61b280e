"""What runs on a node: the container manager, the sliver's tiny init, and the deployment agent."""
