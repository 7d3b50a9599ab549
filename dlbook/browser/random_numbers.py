"""The random numbers of random.js in Python, number for number: sfc32 (Chris Doty-Humphrey, PractRand).

>>> draw = Generator(0)
>>> [draw.next() for _ in range(2)], sorted(Generator(1).order(4))
([4216505632, 947923937], [0, 1, 2, 3])
"""

import math

_ALL = 0xFFFFFFFF  # 32 bits
_WARM = 15  # numbers thrown away: the first ones after a small seed resemble each other


class Generator:
    """Draw numbers from a seed, a whole number of 32 bits."""

    def __init__(self, seed: int) -> None:
        self.a, self.b, self.c, self.counter = 0, seed & _ALL, 0, 1
        for _ in range(_WARM):
            self.next()

    def next(self) -> int:
        """Return a whole number in [0, 2^32)."""
        made = (self.a + self.b + self.counter) & _ALL
        self.counter = (self.counter + 1) & _ALL
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & _ALL
        self.c = (((self.c << 21) | (self.c >> 11)) + made) & _ALL
        return made

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return self.next() / 2**32

    def normal(self) -> float:
        """Return a normal number of mean 0 and variance 1 (Box and Muller)."""
        size = math.sqrt(-2 * math.log(1 - self.uniform()))
        return size * math.cos(2 * math.pi * self.uniform())

    def order(self, n: int) -> list[int]:
        """Return 0 ... n - 1 in random order (Fisher and Yates)."""
        places = list(range(n))
        for i in range(n - 1, 0, -1):
            j = int(self.uniform() * (i + 1))
            places[i], places[j] = places[j], places[i]
        return places
