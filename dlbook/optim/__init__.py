"""Schedules, weight averaging and optimizers, one idea a file."""
