#!/usr/bin/env python3
"""Judges an appliance test: the board's own lines, and what the subscriber outside received.

judge.py RESULTS OUTSIDE TABLE SECONDS PACKAGE FINISHED
"""
import json
import re
import sys

# Numbers are reserved in blocks, so that none is given twice after a crash (Pipelines/SequenceStore.cs).
BLOCK = 100_000


def outside(path, acknowledged):
    """[(verdict, name, detail)] about the results that arrived."""
    seqs, order, damaged = {}, {}, 0
    for line in open(path, encoding="utf-8", errors="replace"):
        try:
            _, topic, payload = line.rstrip("\n").split(" ", 2)
            number = json.loads(payload)["seq"]
        except (ValueError, KeyError):
            damaged += 1
            continue
        camera = topic.split("/")[3]
        order.setdefault(camera, []).append(number)
        seqs.setdefault(camera, set()).add(number)
    lines = [("ok" if seqs and not damaged else "FAIL", "outside: results received", f"{sum(map(len, seqs.values()))} of {', '.join(sorted(seqs)) or 'no camera'}; {damaged} damaged")]
    for camera, numbers in sorted(seqs.items()):
        ordered = sorted(numbers)
        gaps = [(a, b) for a, b in zip(ordered, ordered[1:]) if b != a + 1]
        # After a crash numbering goes on behind a reserved block; that is no loss. Every other gap is.
        lost = [(a, b) for a, b in gaps if b - a < BLOCK // 2]
        duplicates = len(order[camera]) - len(numbers)
        lines.append(("FAIL" if lost else "ok", f"outside: camera {camera} without gaps",
                      f"{len(numbers)} results, {len(lost)} gaps{' ' + str(lost[:3]) if lost else ''}, {len(gaps) - len(lost)} restarts after a crash, {duplicates} came twice with the same seq"))
    for camera, number in acknowledged:
        arrived = number in seqs.get(camera, ())
        lines.append(("ok" if arrived else "FAIL", "outside: acknowledged before kill -9", f"result {number} of {camera} {'arrived' if arrived else 'is lost'}"))
    return lines


def main():
    results, received, table, seconds, package, finished = sys.argv[1:]
    rows, acknowledged = [], []
    for line in open(results, encoding="utf-8", errors="replace"):
        match = re.match(r"^(ok|FAIL|skip) (\d+) (.*?): (.*)$", line.rstrip("\n"))
        if match:
            # Names hold a colon of their own: "camera: online: after 3 s".
            verdict, at, group, rest = match.groups()
            name, _, detail = rest.partition(": ")
            rows.append((verdict, at, f"{group}: {name}", detail))
        elif line.startswith("acknowledged "):
            _, camera, number = line.split()
            if number.isdigit():
                acknowledged.append((camera, int(number)))
    for verdict, name, detail in outside(received, acknowledged):
        rows.append((verdict, "", name, detail))
        print(f"  {verdict} {name}: {detail}")
    if finished != "yes":
        rows.append(("FAIL", "", "run: came to its end", "the board did not finish in time"))
    passed, failed, skipped = (sum(row[0] == word for row in rows) for word in ("ok", "FAIL", "skip"))
    with open(table, "w", encoding="utf-8") as file:
        file.write(f"""# Appliance test

`make appliance-test` on a virtual board: Debian 12 in qemu-system-x86_64 without hardware help (TCG), the kernel's `vivid` cameras, Debian's mosquitto with TLS as the broker
elsewhere, a subscriber with a persistent session outside the board. {package}, {seconds} s in all: {passed} passed, {failed} failed, {skipped} skipped.
Seconds are those since the board's boot; a processor that is emulated is some twenty times slower than a real one.

| check | | at s | found |
| --- | --- | ---: | --- |
""")
        for verdict, at, name, detail in rows:
            file.write(f"| {name} | {verdict} | {at} | {detail.replace('|', '/')[:160]} |\n")
    for row in rows:
        if row[0] == "FAIL":
            print(f"  FAIL {row[2]}: {row[3]}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(0 if failed == 0 and passed > 0 else 1)


main()
