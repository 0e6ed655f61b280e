"""DSMTViewer: the page of the planner, at ``/view/``, and the feed that it lives from.

Rule of this room: it looks through the API's eyes. What a page shows and does goes through the same calls,
with the same token and rights, as what anybody else asks; nothing here changes anything.
"""

from planner.viewer.serving import VIEW, add_viewer

__all__ = ["VIEW", "add_viewer"]
