"""The routes of our own REST interface and of the pages; other wire formats have packages of their own."""
