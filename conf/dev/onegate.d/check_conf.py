"""Checks the Kore configuration in conf/ before a process meets it.

    check_conf.py CONF_FOLDER BUILD_FOLDER

Kore only prints what it does not know and goes on without it, so here every
line must be known, every handler must exist in the built modules, and what is
unsafe in this Kore must not be used. Each finding is one line; status 1.
"""
import pathlib
import re
import subprocess
import sys

KORE_SOURCE = pathlib.Path("/usr/share/kore/src/config.c")
PROCESSES = "auth", "payment", "transaction", "onegate"
# Why each is banned: docs/decisions and the notes in modules/web.
BANNED = {"accesslog", "redirect", "return", "restrict", "params", "validate",
          "validator", "authentication", "filemap", "certfile", "certkey",
          "http_media_type", "websocket_maxframe"}
REQUIRED = {"worker_set_affinity": "0", "http_hsts_enable": "0",
            "http_pretty_error": "no", "http_body_disk_offload": "0",
            "worker_death_policy": "terminate"}
SYMBOL = re.compile(r" [TtWw] (\w+)$")


def known_directives():
    return set(re.findall(r'^\t\{ "(\w+)",', KORE_SOURCE.read_text(), re.M))


def symbols(build):
    """Names that the built modules and their library define for others."""
    found = set()
    for library in sorted(build.glob("modules/**/*.so")):
        listed = subprocess.run(["nm", "-D", "--defined-only", library],
                                check=True, capture_output=True, text=True)
        for line in listed.stdout.splitlines():
            match = SYMBOL.search(line)
            if match:
                found.add(match.group(1))
    return found


def lines(folder, name, seen=()):
    """(place, words) of a file and of those it includes."""
    path = folder / name
    if name in seen:
        yield f"{name}", ["include", f"{name} includes itself"]
        return
    for number, text in enumerate(path.read_text().splitlines(), 1):
        place = f"conf/{name}:{number}"
        words = text.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "include" and len(words) == 2 \
                and (folder / words[1]).is_file():
            yield from lines(folder, words[1], (*seen, name))
        else:
            yield place, words


def check(folder, name, known, exported):
    """Findings of one process's configuration."""
    given, routes = {}, []
    for place, words in lines(folder, f"{name}.conf"):
        word = words[0]
        if word == "}" and len(words) == 1:
            if routes and routes[-1] != "^/.*$":
                yield f"{place}: the last route of a domain must be ^/.*$"
            routes = []
            continue
        given[word] = words[1] if len(words) > 1 else ""
        if word == "include":
            yield f"{place}: there is no file {words[-1]}"
        elif word not in known:
            yield f"{place}: Kore would ignore \"{word}\""
        elif word in BANNED:
            yield f"{place}: \"{word}\" is not safe in this Kore"
        if any(part.startswith("#") for part in words[1:]):
            yield f"{place}: \"#\" is no comment inside a line"
        if word == "tls" and words[1:] != ["no"]:
            yield f"{place}: Kore's own TLS does not work: bind tls_connect"
        if word == "bind" and words[3:] not in (["guard_connect"],
                                                ["tls_connect"]):
            yield f"{place}: bind needs guard_connect or tls_connect"
        if word == "route":
            if words[1] in routes:
                yield f"{place}: {words[1]} has a route already"
            routes.append(words[1])
            if words[1].startswith("^"):
                try:
                    re.compile(words[1])
                except re.error as bad:
                    yield f"{place}: {bad}"
                if not words[1].endswith("$"):
                    yield f"{place}: a pattern must end in $"
        called = {"route": 2, "load": 2, "bind": 3}.get(word)
        if called and words[called:called + 1] and \
                words[called] not in exported:
            yield f"{place}: no module has \"{words[called]}\""
    for word, value in REQUIRED.items():
        if given.get(word) != value:
            yield f"conf/{name}.conf: needs \"{word} {value}\""
    times = [int(given.get(f"http_{part}", 0)) for part in
             ("keepalive_time", "header_timeout", "body_timeout")]
    if not 0 < times[0] < times[1] < times[2]:
        yield (f"conf/{name}.conf: keepalive, header and body times must grow, "
               "or idle clients are answered 408")


def main():
    folder, build = map(pathlib.Path, sys.argv[1:])
    known, exported = known_directives(), symbols(build)
    found = {}
    for name in PROCESSES:
        for finding in check(folder, name, known, exported):
            found[finding] = True
    print("\n".join(found) if found else
          f"conf: {len(PROCESSES)} processes, nothing wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
