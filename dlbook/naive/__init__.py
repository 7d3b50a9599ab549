"""Slow and plain forms of the papers' equations: read them in the chapters; the tests compare the package
with them.

Each file treats one subject, imports torch and math alone, and is imported by no other part of the package.
"""
