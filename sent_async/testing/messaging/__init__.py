"""Messages, sent and received, and the contacts that they are exchanged with."""
