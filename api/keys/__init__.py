"""Access keys: what one allows, where they are kept, and which of them a server accepts."""
