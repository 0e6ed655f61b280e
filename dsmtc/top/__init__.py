"""``dsmtc top``: the fleet as a page. `board` decides what is shown, `page` shows it, `feed` asks."""
