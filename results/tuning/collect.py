"""Takes finished tuning studies over into this folder: config, metrics and predictions of the held-out digits.

    python3 results/tuning/collect.py FOLDER_OF_STUDIES

For each study in which every column is finished: `<name>/config.json`; `<name>/metrics.jsonl`, the lines of all columns with
the column's name; `<name>/held-out.npz`, an array `[10000, 10]` of float16 probabilities for each column, and what
trained it. Test digits are never looked at. Needs numpy.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def trained_by(study, column):
    """The kind of the engine: from the column's record or, in a folder of format 1, from study.json."""
    record = column / "column.json"
    if record.exists():
        runs = json.loads(record.read_text())["runs"]
        kinds = [" ".join([r["by"]["engine"], r["by"].get("instruction_set", ""), r["by"]["precision"]]) for r in runs]
        return " and ".join(dict.fromkeys(kinds)), runs[-1]["by"]["commit"], runs[-1]["by"]["cpu"]
    manifest = json.loads((study / "study.json").read_text())
    return manifest["engine"], manifest["commit"], manifest["device"]


def is_done(study, column):
    record = "column.json" if json.loads((study / "study.json").read_text())["schema"] > 1 else "probabilities.npy"
    return (column / record).exists() and (column / "validation.npy").exists()


def main(folder):
    for study in sorted(path for path in Path(folder).iterdir() if (path / "study.json").exists()):
        config = json.loads((study / "study.json").read_text())["config"]
        columns = sorted((study / "columns").iterdir())
        n_columns = len(config["widths"]) * config["columns_per_width"]
        if len(columns) < n_columns or not all(is_done(study, column) for column in columns):
            continue
        out = HERE / study.name
        if out.exists():
            continue
        out.mkdir()
        (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        lines, arrays, kinds = [], {}, {}
        for column in columns:
            for line in (column / "metrics.jsonl").read_text().splitlines():
                lines.append(json.dumps({"column": column.name, **json.loads(line)}))
            arrays[column.name] = np.load(column / "validation.npy").astype(np.float16)
            kinds[column.name] = trained_by(study, column)
        (out / "metrics.jsonl").write_text("\n".join(lines) + "\n")
        arrays["trained_by"] = np.array(json.dumps(kinds))
        np.savez_compressed(out / "held-out.npz", **arrays)
        print(f"{study.name}: {n_columns} columns")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
