"""Search spaces: what architectures there are to choose from."""
