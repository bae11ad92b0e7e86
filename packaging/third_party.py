#!/usr/bin/env python3
"""Prints the libraries that are linked into skchat, with the name of each, its licence, and its licence files."""

import hashlib
import json
import pathlib
import subprocess
import sys


def linked():
    """The packages in a build for this machine, without those that only tests and build scripts need."""
    target = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    host = next(line.split()[1] for line in target.splitlines() if line.startswith("host:"))
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, waiting = set(), [metadata["resolve"]["root"]]
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found.add(node)
        for dependency in nodes[node]["deps"]:
            is_in_program = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            # The names of emoji come from a build dependency (build.rs).
            if is_in_program or dependency["name"] == "emojis":
                waiting.append(dependency["pkg"])
    found.discard(metadata["resolve"]["root"])
    return sorted((packages[node] for node in found), key=lambda p: (p["name"], p["version"]))


def licence_files(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    names = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT")
    files = (file for file in folder.iterdir() if file.name.upper().startswith(names))
    return sorted(file for file in files if file.is_file())


def main():
    packages = linked()
    texts = {}
    print("These libraries are part of skchat. The source of each is at https://crates.io/crates/NAME/VERSION.\n")
    for package in packages:
        marks = []
        for file in licence_files(package):
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            mark = hashlib.sha256(text.encode()).hexdigest()[:8]
            texts.setdefault(mark, text)
            marks.append(mark)
        licence = package["license"] or "see its licence file"
        print(f"{package['name']} {package['version']}: {licence}", *(f"[{mark}]" for mark in marks))
    for mark, text in texts.items():
        print(f"\n{'-' * 78}\n[{mark}]\n\n{text}")
    if not packages:
        sys.exit("no libraries were found")


main()
