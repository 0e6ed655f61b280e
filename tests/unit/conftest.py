"""What holds for the unit tests, with their floors of coverage."""

from __future__ import annotations

import pytest
from hypothesis import is_hypothesis_test


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Laws run without the tracer: a hundred times through the same lines, it costs more than they do.

    So the floors are for what the examples reach, written down one by one, and no draw decides about them.
    """
    if config.pluginmanager.hasplugin("_cov"):
        for item in items:
            if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
                item.add_marker(pytest.mark.no_cover)
