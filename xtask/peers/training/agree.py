#!/usr/bin/env python3
"""Reads what contenders print with --check, a line each, and fails unless their losses agree with the first line's."""

import json
import sys

# bf16 has 8 bits; f32 differs by the order of its sums alone.
TOLERANCES = {"fp32": 1e-3, "bf16": 2e-2}

reference, failed = None, False
for line in sys.stdin:
    check = json.loads(line)
    reference = reference or check
    error = max(abs(ours - theirs) for ours, theirs in zip(check["losses"], reference["losses"], strict=True))
    agrees = error <= TOLERANCES[check["precision"]]  # not for a NaN
    failed |= not agrees
    print(f"{check['name']}: losses differ from {reference['name']}'s by at most {error:.1e}", end="")
    print("" if agrees else f", more than {TOLERANCES[check['precision']]:.0e}")
if reference is None or failed:
    sys.exit("error: the contenders do not train the same" if failed else "error: no losses on stdin")
