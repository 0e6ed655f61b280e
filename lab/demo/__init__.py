"""``make demo``: the main job, played on real parts, with its figures."""
