"""Fixtures that tests of several folders share, and the types of what they give out. tests/conftest.py names them all.

Whatever tests run, all of these are imported, so that none of them may import a library that takes long.
"""
