"""Recipes: the only place where model, method, data and trainer are wired together."""
