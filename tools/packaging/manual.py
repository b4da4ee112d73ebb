#!/usr/bin/env python3
"""Manual pages and bash completion, made of what the programs print for --help and of the comments in the sample configuration, so that they cannot drift.

manual.py EDGESPARSE EDGESPARSED CONFIGURATION VERSION DATE FOLDER
"""
import os
import re
import subprocess
import sys


def roff(text):
    """Text for roff: backslashes, hyphens and control characters at the beginning of a line made harmless."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def page(name, section, manual, version, date, parts):
    """parts: [(heading, [lines of roff])]"""
    lines = [f'.\\" Made by tools/packaging/manual.py', f'.TH {name.upper()} {section} {date} "EdgeSparse {version}" "{manual}"', ".nh", ".ad l"]
    for heading, body in parts:
        lines += [f".SH {heading}"] + body
    return "\n".join(lines) + "\n"


def verbatim(lines):
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    common = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [".nf"] + [roff(line[common:].rstrip()) for line in lines] + [".fi"]


def paragraphs(text):
    result = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        result += [".PP", roff(" ".join(paragraph.split()))]
    return result


def help_of(program, *words):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("EDGESPARSE")}
    environment.update(NO_COLOR="1", COLUMNS="400", LC_ALL="C.UTF-8")
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL).stdout


def sections(text):
    """A help text as {heading: lines}; what stands before the first heading has the heading ''."""
    result, heading = {"": []}, ""
    for line in text.splitlines():
        match = re.match(r"^([A-Z][A-Za-z ]+?):?\s*$", line)
        inline = re.match(r"^(Exit codes): (.*)$", line)
        if inline:
            heading = inline.group(1)
            result[heading] = [inline.group(2)]
        elif match:
            heading = match.group(1)
            result.setdefault(heading, [])
        else:
            result[heading].append(line)
    return result


def entries(lines):
    """Lines 'WORD  what it does', continued ones joined: [(word, text)]."""
    result = []
    for line in lines:
        match = re.match(r"^  (\S.*?)(?:\s{2,}(\S.*))?$", line)
        if match and not line.startswith("   "):
            result.append([match.group(1), match.group(2) or ""])
        elif line.strip() and result:
            result[-1][1] = (result[-1][1] + " " + line.strip()).strip()
    return result


def tagged(lines):
    result = []
    for word, text in entries(lines):
        result += [".TP", ".B " + roff(word), roff(text)]
    return result


def tool_page(program, version, date):
    """edgesparse(1), and for bash {command: [options]}."""
    root = sections(help_of(program))
    parts = [("NAME", ["edgesparse \\- " + roff(" ".join(root["Description"]).strip().rstrip("."))]),
             ("SYNOPSIS", [".B edgesparse", ".I COMMAND", "[options]"])]
    body, commands = [], {}
    for word, _ in entries(root["Commands"]):
        name = word.split()[0]
        text = sections(help_of(program, name))
        body += [".SS " + roff(word), *paragraphs(" ".join(text["Description"])), ".PP"]
        for heading in ("Arguments", "Options"):
            body += tagged(text.get(heading, []))
        if text.get("Examples"):
            body += [".PP", "Examples:", *verbatim(text["Examples"])]
        commands[name] = [option for line, _ in entries(text.get("Options", [])) for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", line.split("<")[0])]
    parts.append(("COMMANDS", body))
    parts.append(("OPTIONS", tagged(root["Options"])))
    parts.append(("EXIT STATUS", paragraphs(" ".join(root["Exit codes"]))))
    parts.append(("EXAMPLES", verbatim(root["Examples"])))
    parts.append(("SEE ALSO", [".BR edgesparsed (8)"]))
    return page("edgesparse", 1, "User Commands", version, date, parts), commands


def daemon_page(program, version, date):
    text = help_of(program)
    parts_of_help = sections(text)
    summary = " ".join(parts_of_help[""]).strip().removeprefix("edgesparsed:").strip().rstrip(".")
    options, rest = [], []
    for line in parts_of_help["Options"]:
        (rest if rest or (line and not line.startswith(" ")) else options).append(line)
    rest = " ".join(rest + parts_of_help.get("Exit codes", []))
    exits = " ".join(parts_of_help.get("Exit codes", []))
    order = rest.removesuffix(exits).strip()
    parts = [("NAME", ["edgesparsed \\- " + roff(summary)]),
             ("SYNOPSIS", [".B edgesparsed", "[options]"]),
             ("DESCRIPTION", paragraphs("""
One process: cameras in, results out. Each frame of a camera or video goes through a model, and what it sees is published by a broker of its own on loopback and a
Unix socket, and, where that is configured, by a bridge to a broker elsewhere, with a spool on disk. Health, metrics and a live page are served by HTTP.

As a systemd service it says when it is ready, feeds the watchdog only while every camera's threads get on, and reads the configuration again on reload.
""")),
             ("OPTIONS", tagged(options)),
             ("CONFIGURATION", paragraphs(order) + paragraphs("Every option is explained in edgesparsed.json(5).")),
             ("EXIT STATUS", paragraphs(exits)),
             ("FILES", [
                 ".TP", ".I /etc/edgesparse/edgesparse.json", "The configuration.",
                 ".TP", ".I /etc/edgesparse/conf.d/*.json", "Read after it, in order of name.",
                 ".TP", ".I /etc/credstore/mqtt.password", roff("The bridge's password for systemd to hand over, readable by root only."),
                 ".TP", ".I /etc/credstore/http.token", roff("The token that HTTP clients show, likewise."),
                 ".TP", ".I /var/lib/edgesparse", "Message numbers, results that wait for a broker elsewhere, what edgesparse tune measured.",
                 ".TP", ".I /run/edgesparse/mqtt.sock", roff("The broker's Unix socket, for members of the group edgesparse."),
                 ".TP", ".I /usr/share/edgesparse/models/street.esm", "The model used where none is configured.",
                 ".TP", ".I /usr/share/doc/edgesparse/examples", "Configurations for Raspberry Pi, Jetson and Kubernetes."]),
             ("EXAMPLES", verbatim(parts_of_help["Examples"])),
             ("SEE ALSO", [".BR edgesparsed.json (5),", ".BR edgesparse (1),", ".BR systemctl (1)"])]
    options_of_program = re.findall(r"(?m)(?<![\w-])--(?:config|check-config|version|help)\b", text)
    return page("edgesparsed", 8, "System Administration", version, date, parts), sorted(set(options_of_program))


def configuration(path):
    """[(key, default, explanation)] of the sample configuration, and its introduction."""
    introduction, result, comment, keys = [], [], [], []
    started = False
    for raw in open(path, encoding="utf-8"):
        line = raw.strip()
        if line.startswith("//"):
            (comment if started else introduction).append(line[2:].strip())
            continue
        match = re.match(r'^"([^"]+)":\s*(.*?),?\s*(//.*)?$', line)
        if line.startswith("{"):
            started = True
        elif match:
            name, value = match.group(1), match.group(2)
            opens = value == "{"
            if comment or not opens:
                result.append((":".join(keys + [name]), None if opens else value, " ".join(comment)))
            comment = []
            if opens:
                keys.append(name)
        elif line.startswith("}") and keys:
            keys.pop()
            comment = []
    return " ".join(introduction), result


def configuration_page(path, version, date):
    introduction, options = configuration(path)
    if len(options) < 30:
        sys.exit(f"manual.py: only {len(options)} options found in {path}")
    # The sample names a camera; it stands for any.
    body = []
    for key, value, text in options:
        body += [".TP", ".B " + roff(re.sub(r"^cameras:[^:]+", "cameras:NAME", key)), roff(text)]
        if value is not None:
            body += [".br", "Default:", roff(value)] if text else ["Default:", roff(value)]
    parts = [("NAME", ["edgesparsed.json \\- configuration of edgesparsed"]),
             ("SYNOPSIS", [".I /etc/edgesparse/edgesparse.json"]),
             ("DESCRIPTION", paragraphs(introduction) + paragraphs("Levels are separated by colons here, as on the command line.")),
             ("OPTIONS", body),
             ("SEE ALSO", [".BR edgesparsed (8)"])]
    return page("edgesparsed.json", 5, "File Formats", version, date, parts), sorted({re.sub(r"^cameras:[^:]+.*", "cameras:", key) for key, value, _ in options if value is not None or key.startswith("cameras")})


def completion(commands, daemon_options, keys):
    cases = "\n".join(f"        {name}) words='{' '.join(sorted(set(options)))}' ;;" for name, options in commands.items())
    return f"""# bash completion for edgesparse and edgesparsed; made by tools/packaging/manual.py

_edgesparse() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} words=
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        words='{' '.join(commands)} --help --version'
    elif [[ $current == -* ]]; then
        case ${{COMP_WORDS[1]}} in
{cases}
        esac
    else
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _edgesparse edgesparse

_edgesparsed() {{
    local current=${{COMP_WORDS[COMP_CWORD]}}
    COMPREPLY=()
    [[ $current == -* ]] || return
    mapfile -t COMPREPLY < <(compgen -W '{' '.join(daemon_options)} {' '.join('--' + key for key in keys)}' -- "$current")
    type -t __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
}}
complete -o default -F _edgesparsed edgesparsed
"""


def main():
    tool, daemon, sample, version, date, folder = sys.argv[1:]
    manual, commands = tool_page(tool, version, date)
    daemon_manual, daemon_options = daemon_page(daemon, version, date)
    configuration_manual, keys = configuration_page(sample, version, date)
    for name, text in (("edgesparse.1", manual), ("edgesparsed.8", daemon_manual), ("edgesparsed.json.5", configuration_manual),
                       ("edgesparse.bash", completion(commands, daemon_options, keys))):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


main()
