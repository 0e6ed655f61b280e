"""What a container manager tells about each sliver's container, one field an event, value in the pairs.

Sizes are in units of 1,024 bytes, as in the contract of 2005; an empty value is not known.
"""

from __future__ import annotations

from typing import Final

CONTAINER_STATUS: Final = "org.dsmt.container"
INSTALLED_AT: Final = "sliver-installed-at"
MEMORY_QUOTA: Final = "mem-quota"
MEMORY_USE: Final = "mem-use"
DISK_QUOTA: Final = "disk-quota"
DISK_USE: Final = "disk-use"
CPU_USE: Final = "cpu-use"
ENFORCED: Final = "limits-enforced"
FIELDS: Final = (INSTALLED_AT, MEMORY_QUOTA, MEMORY_USE, DISK_QUOTA, DISK_USE, CPU_USE, ENFORCED)

KIB: Final = 1024
# What has not changed is said again after so many seconds.
PERIOD_S: Final = 600.0
