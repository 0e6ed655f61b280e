"""How answers look: values become lines and tables (pure), and these become text or a terminal's."""
