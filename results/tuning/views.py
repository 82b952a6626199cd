"""Measures views on the 10,000 held-out training digits: how many of them, and how much distorted.

    python3 results/tuning/views.py MCDNN RESULTS TRAIN_DIGITS STUDY …

MCDNN is the program, RESULTS the folder with the tuning studies' results folders (their weights are not kept here), TRAIN_DIGITS
the folder with MNIST's raw training files. Each study is asked with 16 views at eleven strengths, then with 1 to 64 views at
two. What is measured goes to views.json beside this file; a run that is interrupted goes on. The table is printed, and the curve
of the strengths drawn to docs/views.svg.
"""

import json
import math
import statistics
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
N_HELD_OUT = 10_000
SETTINGS = [(16, tenth / 10) for tenth in range(1, 11)]
SETTINGS += [(count, strength) for strength in (0.3, 0.5) for count in (4, 8, 32, 64)]


def held_out(folder, into):
    """Writes the last training digits as IDX files of their own."""
    images = (folder / "train-images-idx3-ubyte").read_bytes()[-N_HELD_OUT * 784 :]
    labels = (folder / "train-labels-idx1-ubyte").read_bytes()[-N_HELD_OUT:]
    (into / "images").write_bytes(struct.pack(">4I", 0x803, N_HELD_OUT, 28, 28) + images)
    (into / "labels").write_bytes(struct.pack(">2I", 0x801, N_HELD_OUT) + labels)


def evaluate(program, study, digits, setting):
    """The errors of a study's columns and of their committee."""
    command = [program, "evaluate", "--json", "--study", study, "--images", digits / "images", "--labels", digits / "labels"]
    if setting:
        command += ["--views", str(setting[0]), "--view-strength", str(setting[1])]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["figures"]
    columns = {member["name"]: member["score"]["errors"] for member in figures["members"]}
    return {"columns": columns, "committee": figures["all"]["score"]["errors"]}


def print_table(measured):
    """A row for each setting: means over all studies' columns and committees, and what the views change, with 95 % intervals."""
    print("| views | strength | mean column | change, 95 % | mean committee of 4 | change, 95 % |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for setting in ["plain", *map(key, sorted(SETTINGS))]:
        if not all(setting in of_study for of_study in measured.values()):
            continue
        rows = [(of_study["plain"], of_study[setting]) for of_study in measured.values()]
        columns = [(plain["columns"][name], views["columns"][name]) for plain, views in rows for name in plain["columns"]]
        committees = [(plain["committee"], views["committee"]) for plain, views in rows]
        count, strength = (1, "–") if setting == "plain" else setting.split(" x ")
        cells = [text for pairs in (columns, committees) for text in (f"{statistics.mean(b for _, b in pairs):.1f}", change(pairs))]
        print(f"| {count} | {strength} | {' | '.join(cells)} |")


def change(pairs):
    """The mean of the differences, with twice its standard error: columns are paired with themselves."""
    differences = [views - plain for plain, views in pairs]
    if not any(differences):
        return "–"
    error = 2 * statistics.stdev(differences) / math.sqrt(len(differences))
    return f"{statistics.mean(differences):+.1f} ± {error:.1f}"


def draw(measured, file):
    """The errors over the strength, of columns and of committees, as an SVG."""
    strengths = [0.0] + [tenth / 10 for tenth in range(1, 11)]
    left, right, top, bottom, most = 60, 600, 20, 300, 60
    x = lambda strength: left + (right - left) * strength
    y = lambda errors: bottom - (bottom - top) * errors / most
    parts = []
    for errors in range(0, most + 1, 10):
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y(errors):.1f}" y2="{y(errors):.1f}" stroke="#8886" stroke-width="1"/>')
        parts.append(f'<text x="{left - 8}" y="{y(errors) + 4:.1f}" text-anchor="end">{errors}</text>')
    for strength in strengths[::2]:
        parts.append(f'<text x="{x(strength):.1f}" y="{bottom + 20}" text-anchor="middle">{strength:.1f}</text>')
    of_columns = lambda of_setting: statistics.mean(of_setting["columns"].values())
    of_committee = lambda of_setting: of_setting["committee"]
    for colour, label, errors in (("#d1632b", "mean of the columns", of_columns), ("#2b7bd1", "committees of four", of_committee)):
        names = ["plain"] + [key((16, strength)) for strength in strengths[1:]]
        means = [statistics.mean(errors(of_study[name]) for of_study in measured.values()) for name in names]
        points = " ".join(f"{x(strength):.1f},{y(mean):.1f}" for strength, mean in zip(strengths, means))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{right}" y="{y(means[-1]) - 8:.1f}" text-anchor="end" fill="{colour}">{label}</text>')
    middle = (left + right) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 42}" text-anchor="middle">strength of 16 views (0: the digit alone)</text>')
    parts.append(f'<text x="{left}" y="{top - 6}">errors of 10,000 held-out digits</text>')
    style = 'font-family="sans-serif" font-size="13" fill="#888"'
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 350" {style}>\n' + "\n".join(parts) + "\n</svg>\n")


def key(setting):
    return f"{setting[0]} x {setting[1]}"


def main(program, results, digits, studies):
    file = HERE / "views.json"
    measured = json.loads(file.read_text()) if file.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        held_out(Path(digits), Path(folder))
        for setting in [None, *SETTINGS]:
            for study in studies:
                of_study = measured.setdefault(study, {})
                name = key(setting) if setting else "plain"
                if name not in of_study:
                    of_study[name] = evaluate(program, Path(results) / study, Path(folder), setting)
                    file.write_text(json.dumps(measured, indent=1) + "\n")
    print_table(measured)
    draw(measured, HERE.parent.parent / "docs" / "views.svg")


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:4], sys.argv[4:])
