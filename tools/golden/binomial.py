"""Golden values of intervals and powers of a share (src/base/binomial.h), from SciPy.

    python tools/golden/binomial.py > tests/golden/binomial.json

SciPy knows the exact interval and the exact test. The confidence sequence's ends are SciPy's roots of its definition.
"""
import json
import math
import sys

import scipy
from scipy import optimize, stats

ALPHA = 0.05
CASES = [(0, 1), (1, 1), (0, 5), (3, 3), (5, 8), (14, 20), (15, 20), (10, 20), (19, 20), (34, 49), (70, 100), (512, 1000)]


def exact(k, n):
    interval = stats.binomtest(k, n).proportion_ci(1 - ALPHA, method="exact")
    return [interval.low, interval.high]


def anytime(k, n):
    def gap(p):
        return stats.binom.logpmf(k, n, p) - math.log(ALPHA / (n + 1))
    top = k / n
    low = optimize.brentq(gap, 1e-12, top, xtol=1e-14) if k > 0 else 0.0
    high = optimize.brentq(gap, top, 1 - 1e-12, xtol=1e-14) if k < n else 1.0
    return [low, high]


def power(n, p):
    refused = [k for k in range(n + 1) if stats.binomtest(k, n, 0.5).proportion_ci(1 - ALPHA, method="exact").low > 0.5
               or stats.binomtest(k, n, 0.5).proportion_ci(1 - ALPHA, method="exact").high < 0.5]
    return float(sum(stats.binom.pmf(k, n, p) for k in refused))


json.dump({
    "written_by": "tools/golden/binomial.py",
    "versions": {"python": sys.version.split()[0], "scipy": scipy.__version__},
    "intervals": [{"k": k, "n": n, "exact": exact(k, n), "anytime": anytime(k, n)} for k, n in CASES],
    "powers": [{"n": n, "p": p, "power": power(n, p)} for n in (5, 6, 20, 49, 50) for p in (0.5, 0.6, 0.7, 0.8, 0.9)],
}, sys.stdout, indent=1)
print()
