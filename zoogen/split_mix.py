"""SplitMix64: integers scattered over 64 bits, each by itself and reversibly.

Source:
    Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
"""

import numpy as np
from jaxtyping import UInt64

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: the step between the numbers that are scattered."""
FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def scattered(words: UInt64[np.ndarray, "*shape"] | np.uint64) -> UInt64[np.ndarray, "*shape"]:
    """Scatter integers over all 64 bits: the finaliser of SplitMix64."""
    bits = np.array(words, dtype=np.uint64)
    bits ^= bits >> np.uint64(30)
    bits *= FACTORS[0]
    bits ^= bits >> np.uint64(27)
    bits *= FACTORS[1]
    bits ^= bits >> np.uint64(31)
    return bits
