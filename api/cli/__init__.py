"""The `cewen` command line, a module for a command or a few; `commands` mounts them all."""
