"""`python -m api.openapi`."""

from api.openapi.file import main

main()
