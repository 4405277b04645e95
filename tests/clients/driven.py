"""A person who uses a library that others wrote: a small program of ours, compiled when it is first
used, moved line by line."""

import atexit
import os
import shlex
import subprocess
import urllib.parse

import harness
from harness import HERE, Skip, equal, evidence, password, read, require, wait_until


def compiled(directory, source, compiler, modules, packages):
    """The program's path."""
    path = os.path.join(directory, os.path.splitext(source)[0])
    if os.path.exists(path):
        return path
    flags = subprocess.run([require("pkg-config"), "--cflags", "--libs", *modules],
                           capture_output=True, text=True, check=False)
    if flags.returncode:
        raise Skip(f"{packages} is not installed")
    done = subprocess.run(
        [require(compiler[0]), *compiler[1:], "-Wall", "-Wextra", os.path.join(HERE, source),
         "-o", path, *shlex.split(flags.stdout)],
        capture_output=True, text=True, check=False)
    equal((done.returncode, done.stderr), (0, ""), "the compiler")
    return path


class Driven:
    """What it says is kept as lists of words; each is waited for and taken once."""

    def __init__(self, server, address, program, *more, secret=None, ca=None,
                 wrap=None):
        self.address = address
        self.kind = os.path.basename(program)
        name = address.partition("@")[0]
        self.out = os.path.join(server.directory, f"{self.kind}-{name}-{len(evidence)}")
        self.taken = 0
        given = harness.environment(os.path.join(server.directory, "home"))
        command = [program, address, secret or password(name), str(server.port), ca or server.ca,
                   *more]
        if wrap:  # the command in another one
            command = wrap(command)
        with open(self.out, "wb") as out, open(self.out + ".log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out,
                                            stderr=log, env=given)
        atexit.register(self.kill)
        evidence.append((f"{self.kind} of {name}",
                         lambda: read(self.out + ".log") + read(self.out)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def said(self):
        """All its lines that are complete."""
        lines = read(self.out).split("\n")[:-1]
        return [[urllib.parse.unquote(word) for word in line.split(" ")] for line in lines]

    def do(self, *words):
        line = " ".join(urllib.parse.quote(word, safe="") for word in words) + "\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()

    def wait(self, *words, seconds=8):
        """The next line that begins with these words; what came before it is taken as well."""
        def found():
            for number, line in enumerate(self.said()[self.taken:]):
                if line[:len(words)] == list(words):
                    self.taken += number + 1
                    return line
            return None

        return wait_until(found, seconds, f"{self.kind} to say {' '.join(words)}")

    def leave(self):
        self.do("leave")
        self.wait("offline")
        equal(self.process.wait(8), 0, "how it ended")
