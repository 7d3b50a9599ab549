"""Independent references, and nothing else: what another library computes, which row is equal to which, loops
over a paper's equation. They do not know the package. What compares stands beside the tests that use it.
"""
