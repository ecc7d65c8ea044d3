#!/usr/bin/python3
"""Makes one table of what the benchmarks noted, A beside B.

table.py ROWS JSON SVG

ROWS has a line for each comparison (lib.sh, row): what it is, the name and the
value of A, those of B, the unit, and where there is a target `at-most` or
`at-least` and the ratio. Prints the table, and writes it as JSON and as a
picture. No figure makes it fail.
"""

import html
import json
import os
import platform
import sys

WIDTH, LEFT, BAR = 760, 16, 420
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.what { font-weight: 600 }
.small { font-size: 12px; fill: #57606a }
.a { fill: #2f7ed8 } .b { fill: #9aa4ae }
.yes { fill: #1a7f37 } .no { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 }
  .a { fill: #4493f8 } .b { fill: #656c76 }
  .yes { fill: #3fb950 } .no { fill: #f0883e }
}
"""


def parse(line):
    what, a, a_value, b, b_value, unit, *target = line.split("\t")
    row = {"what": what, "a": {"name": a, "value": float(a_value)},
           "b": {"name": b, "value": float(b_value)}, "unit": unit,
           "ratio": None, "target": None, "reached": None}
    if row["b"]["value"] > 0:
        row["ratio"] = round(row["a"]["value"] / row["b"]["value"], 3)
    if target:
        how, limit = target[0], float(target[1])
        row["target"] = {"ratio": how, "limit": limit}
        if row["ratio"] is not None:
            row["reached"] = row["ratio"] <= limit if how == "at-most" \
                else row["ratio"] >= limit
    return row


def read(path):
    """What lacks a figure was not measured, and is said on standard error."""
    rows = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            try:
                rows.append(parse(line.rstrip("\n")))
            except ValueError:
                print(f"not measured: {line.split(chr(9))[0]}",
                      file=sys.stderr)
    return rows


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def shown(side, unit):
    value = number(side["value"])
    return f"{side['name']}: {value}{'' if unit[:1] == '/' else ' '}{unit}"


def ratio(row):
    return "" if row["ratio"] is None else f"{row['ratio']:.2f}"


def target(row):
    if row["target"] is None:
        return ""
    text = f"{row['target']['ratio'].replace('-', ' ')} " \
        f"{row['target']['limit']:g}"
    return text + ("" if row["reached"] else ", not reached")


def machine():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"system": f"{platform.system()} {platform.release()}",
            "cpus": os.cpu_count(), "cpu": model, "uid": os.getuid()}


def markdown(rows):
    yield "| what | A | B | A / B | to reach |"
    yield "|---|---|---|--:|---|"
    for row in rows:
        yield f"| {row['what']} | {shown(row['a'], row['unit'])} | " \
            f"{shown(row['b'], row['unit'])} | {ratio(row)} | {target(row)} |"


def bar(row, side, y):
    most = max(row["a"]["value"], row["b"]["value"], 1e-9)
    length = max(1, round(BAR * row[side]["value"] / most))
    label = html.escape(shown(row[side], row["unit"]))
    return f'<rect class="{side}" x="{LEFT}" y="{y}" width="{length}" ' \
        f'height="12" rx="2"/>\n<text class="small" ' \
        f'x="{LEFT + length + 6}" y="{y + 10}">{label}</text>'


def picture(rows, where):
    height = 48 + 62 * len(rows)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" ' \
        f'height="{height}" viewBox="0 0 {WIDTH} {height}">'
    yield f"<style>{STYLE}</style>"
    title = f"{where['system']}, {where['cpus']} x {where['cpu']}"
    yield f'<text class="small" x="{LEFT}" y="24">{html.escape(title)}</text>'
    for i, row in enumerate(rows):
        y = 54 + 62 * i
        kind = {True: "yes", False: "no", None: "small"}[row["reached"]]
        result = ratio(row)
        if row["target"] is not None:
            result += f" ({target(row)})"
        yield f'<text class="what" x="{LEFT}" y="{y}">' \
            f"{html.escape(row['what'])}</text>"
        yield f'<text class="{kind}" x="{WIDTH - LEFT}" y="{y}" ' \
            f'text-anchor="end">{html.escape(result)}</text>'
        yield bar(row, "a", y + 7)
        yield bar(row, "b", y + 22)
    yield "</svg>"


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    rows, where = read(sys.argv[1]), machine()
    print("\n## A beside B\n")
    print("\n".join(markdown(rows)))
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        json.dump({"machine": where, "rows": rows}, out, indent=1)
        out.write("\n")
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        out.write("\n".join(picture(rows, where)) + "\n")


if __name__ == "__main__":
    main()
