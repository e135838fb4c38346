"""The server: notebooks for one person at their own machine; the classroom comes to live here."""
