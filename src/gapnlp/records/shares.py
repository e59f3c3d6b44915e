"""The interval of a share, for every module that estimates shares."""

from __future__ import annotations

from math import sqrt


def wilson(share: float, effective: float, quantile: float) -> tuple[float, float]:
    """Score interval of a share worth `effective` independent observations (Wilson 1927).

    Keeps inside [0, 1] and has a width even at 0 and 1, where a bootstrap's interval shrinks to nothing. With an
    effective sample size it suits clustered data (Korn and Graubard 1998; Franco, Little, Louis and Slud 2019).
    """
    z2 = quantile * quantile / effective
    centre = (share + z2 / 2) / (1 + z2)
    half = quantile * sqrt(share * (1 - share) / effective + z2 / (4 * effective)) / (1 + z2)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
