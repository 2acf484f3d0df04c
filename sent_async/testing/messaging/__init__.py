"""Messages, sent and received, and their contacts."""
