"""Makers of the packages. packaging/build.py calls them."""
