"""What the Makefile runs. Nothing here is installed with the package."""
