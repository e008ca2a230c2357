"""Attacks on a release, measured."""
