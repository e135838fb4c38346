"""The classroom's own pages: coming in, one's own page, and teaching. Who may reach them stands in `server.door`."""
