"""What can be asked of the planner about publishers and the signatures of packages."""

from __future__ import annotations

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice
from dsmtc.client.signed import PublishersShown, SignatureKept


class PublisherKeys(Caller):
    """Whose packages slices take, and who has signed which."""

    def publishers(self, slice_: str) -> PublishersShown:
        """Whose packages a slice takes."""
        return self.call("GET", of_slice(slice_, "publishers"), shape=PublishersShown)

    def add_publisher(self, slice_: str, name: str, key: str) -> PublishersShown:
        """Take packages of a publisher, and none from now on that no publisher has signed (pi, admin)."""
        target = of_slice(slice_, "publishers", name)
        return self.call("PUT", target, {"key": key}, shape=PublishersShown)

    def remove_publisher(self, slice_: str, name: str) -> PublishersShown:
        """Take no new packages of a publisher; what runs goes on (pi, admin)."""
        return self.call("DELETE", of_slice(slice_, "publishers", name), shape=PublishersShown)

    def take_any_package(self, slice_: str) -> PublishersShown:
        """Take any package again, signed or not (pi, admin)."""
        return self.call("DELETE", of_slice(slice_, "publishers"), shape=PublishersShown)

    def sign_package(self, slice_: str, filename: str, signature: str) -> SignatureKept:
        """Give a package that is in the depot a signature, as ``ssh-keygen -Y sign`` wrote it."""
        target = of_slice(slice_, "packages", filename, "signature")
        return self.call("PUT", target, {"signature": signature}, shape=SignatureKept)
