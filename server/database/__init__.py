"""Where the classroom keeps what must outlive the process: one SQLite file, or PostgreSQL."""
