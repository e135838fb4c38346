"""Pages that need no server behind them: the gallery, its styles and pictures; the site builder comes to live here."""
