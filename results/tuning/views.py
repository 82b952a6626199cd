"""Prints what views change on the 10,000 held-out training digits, and draws the curve of their strength to docs/views.svg.

    python3 results/tuning/views.py

The figures are in views.json beside this file, which the example `views` of the crate `classifier` measures.
"""

import json
import math
import statistics
from pathlib import Path

HERE = Path(__file__).parent


def change(errors, plain):
    """The mean difference from the plain answer, one by one, with twice its standard error."""
    differences = [b - a for a, b in zip(plain, errors)]
    if not any(differences):
        return "–"
    error = 2 * statistics.stdev(differences) / math.sqrt(len(differences))
    return f"{statistics.mean(differences):+.1f} ± {error:.1f}"


def print_grid(rows, plain):
    """Mean errors of the columns, and what the committee of all of them makes, by number and strength of the views."""
    counts = sorted({row["views"] for row in rows})
    print("| strength | " + " | ".join(f"{count} views" for count in counts if count > 1) + " |")
    print("| ---: |" + " ---: |" * (len(counts) - 1))
    for strength in sorted({row["strength"] for row in rows}):
        of_strength = {row["views"]: row for row in rows if row["strength"] == strength}
        cells = [cell(of_strength[count], plain) for count in counts if count > 1]
        print(f"| {strength:.1f} | " + " | ".join(cells) + " |")


def cell(row, plain):
    return f"{statistics.mean(row['columns']):.1f} ({change(row['columns'], plain['columns'])}), {row['committees']['8'][0]}"


def print_sizes(rows, plain):
    sizes = [size for size in plain["committees"] if plain["committees"][size]]
    print("| views | strength | one column | " + " | ".join(f"of {size}" for size in sizes) + " |")
    print("| --- | ---: | ---: |" + " ---: |" * len(sizes))
    for row in [plain, *rows]:
        pairs = [(row["columns"], plain["columns"])] + [(row["committees"][size], plain["committees"][size]) for size in sizes]
        cells = [f"{statistics.mean(errors):.1f}" + (f" ({change(errors, before)})" if len(errors) > 1 and row is not plain else "") for errors, before in pairs]
        name, strength = ("none", "–") if row is plain else (f"16, {row['of']}", f"{row['strength']:.1f}")
        print(f"| {name} | {strength} | " + " | ".join(cells) + " |")


def print_widths(rows):
    plain = rows[0]
    print("| asked about | one column |")
    print("| --- | ---: |")
    for row in rows:
        print(f"| {row['of']} | {statistics.mean(row['columns']):.1f}" + ("" if row is plain else f" ({change(row['columns'], plain['columns'])})") + " |")


def draw(rows, plain, file):
    """The errors over the strength of 16 views, of columns and of their committee, as an SVG."""
    rows = [dict(plain, strength=0.0)] + [row for row in rows if row["views"] == 16]
    left, right, top, bottom, most = 60, 600, 20, 300, 60
    x = lambda strength: left + (right - left) * strength
    y = lambda errors: bottom - (bottom - top) * errors / most
    parts = []
    for errors in range(0, most + 1, 10):
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y(errors):.1f}" y2="{y(errors):.1f}" stroke="#8886" stroke-width="1"/>')
        parts.append(f'<text x="{left - 8}" y="{y(errors) + 4:.1f}" text-anchor="end">{errors}</text>')
    for row in rows[::2]:
        parts.append(f'<text x="{x(row["strength"]):.1f}" y="{bottom + 20}" text-anchor="middle">{row["strength"]:.1f}</text>')
    of_columns = lambda row: statistics.mean(row["columns"])
    of_committee = lambda row: row["committees"]["8"][0]
    for colour, label, errors in (("#d1632b", "mean of the columns", of_columns), ("#2b7bd1", "committee of eight", of_committee)):
        points = " ".join(f"{x(row['strength']):.1f},{y(errors(row)):.1f}" for row in rows)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{right}" y="{y(errors(rows[-1])) - 8:.1f}" text-anchor="end" fill="{colour}">{label}</text>')
    middle = (left + right) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 42}" text-anchor="middle">strength of 16 views (0: the digit alone)</text>')
    parts.append(f'<text x="{left}" y="{top - 6}">errors of 10,000 held-out digits</text>')
    style = 'font-family="sans-serif" font-size="13" fill="#888"'
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 350" {style}>\n' + "\n".join(parts) + "\n</svg>\n")


def main():
    rows = json.loads((HERE / "views.json").read_text())
    named = lambda *names: [row for row in rows if row["of"] in names]
    [plain], [plain_of_all] = named("digit"), named("digit, all")
    print_grid(named("grid"), plain)
    print()
    print_sizes(named("both parts", "elastic part", "affine part"), plain_of_all)
    print()
    print_widths([row for row in rows if "width" in row["of"]])
    draw(named("grid"), plain, HERE.parent.parent / "docs" / "views.svg")


if __name__ == "__main__":
    main()
