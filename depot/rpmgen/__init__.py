"""rpmgen: from an application's tarball to two packages that a deployment agent can install."""
