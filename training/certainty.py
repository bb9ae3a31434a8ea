"""How certain a measured share or difference is."""

import math


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share. Source: Wilson 1927; Brown, Cai, DasGupta 2001 recommend it for small counts."""
    if count == 0:
        return 0.0, 1.0
    p, n = hits / count, count
    middle, half = (p + z * z / 2 / n), z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def sign_test(gained: int, lost: int) -> float:
    """Two-sided, exact: how probable a split as uneven is where either was as likely."""
    n = gained + lost
    tail = sum(math.comb(n, k) for k in range(min(gained, lost) + 1)) / 2**n
    return min(1.0, 2 * tail)
