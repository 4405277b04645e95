"""What the client tests share: a kith of one's own on free loopback ports, cases that report
passed, FAILED or skipped, and a terminal (tmux) for clients that want one.
KITH names the server's program; the default is build/kith of this tree."""

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
KITH = os.path.abspath(os.environ.get("KITH", os.path.join(ROOT, "build", "kith")))
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
TEXTS = (
    "plain",
    "<&>'\" &amp; ]]> <b>not a tag</b>",
    "grüße 日本語 👋🏽 👨‍👩‍👧 \U0001f9d1\u200d\U0001f680",
)
TAIL_LINES = 40
TAIL_COLUMNS = 400

evidence = []  # (name, function that gives text): printed when a case fails
servers = []  # started: each must live until it is stopped, a case that loses one has failed
failed_count = 0


class Skip(Exception):
    """The case cannot run here; its text says what is missing."""


class Failure(Exception):
    """The case ran and something was not as it must be."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def require(program):
    path = shutil.which(program)
    if not path:
        raise Skip(f"{program} is not installed")
    return path


def wait_until(question, seconds, what):
    """Asks until the answer is true and returns it."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s in vain for {what}")
        time.sleep(0.03)


def tail(text):
    return "\n".join(line[:TAIL_COLUMNS] for line in text.splitlines()[-TAIL_LINES:])


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o600)  # sendxmpp refuses what others may read
    return path


def report_failure(name, error):
    global failed_count
    failed_count += 1
    print(f"FAILED {name}: {error}")
    for title, text in evidence:
        print(f"--- {title}\n{tail(text())}")
    print("---", flush=True)


def end():
    sys.exit(1 if failed_count else 0)


@contextlib.contextmanager
def case(name, needed=False):
    """Reports how its body went; a needed one that did not pass ends the script."""
    passed = False
    kept = len(evidence)
    started = time.monotonic()
    try:
        yield
        for server in servers:
            check(server.lives(), f"kith is no more: {server.process.returncode}")
        passed = True
        print(f"passed {name} ({time.monotonic() - started:.1f} s)", flush=True)
    except Skip as reason:
        print(f"skipped {name}: {reason}", flush=True)
    except Failure as error:
        report_failure(name, error)
    except SystemExit:
        report_failure(name, "the time limit of the script")
        raise
    except Exception as error:
        traceback.print_exc(limit=-3, file=sys.stdout)
        report_failure(name, repr(error))
    finally:
        del evidence[kept:]
    for server in servers:
        server.revive()
    if needed and not passed:
        end()


def free_ports(count):
    """Held open together, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Server:
    """A kith with its own directory. Settings overwrite lines of its configuration."""

    def __init__(self, **settings):
        self.directory = tempfile.mkdtemp(prefix="kith-clients-")
        self.data = os.path.join(self.directory, "data")
        self.config = os.path.join(self.directory, "kith.conf")
        self.log = os.path.join(self.directory, "stderr")
        self.ca = os.path.join(self.data, "ca.pem")
        self.process = None
        atexit.register(self.close)
        self.port, self.tls_port = free_ports(2)
        self.settings = {
            "domain": "localhost",
            "data": self.data,
            "listen": f"127.0.0.1:{self.port}",
            "listen_tls": f"127.0.0.1:{self.tls_port}",
        }
        self.configure(**settings)
        self.evidence = ("the server's standard error", lambda: read(self.log))
        evidence.append(self.evidence)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.evidence in evidence:
            evidence.remove(self.evidence)
        self.close()

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def configure(self, **settings):
        self.settings.update(settings)
        write(self.config, "".join(f"{key} = {value}\n" for key, value in self.settings.items()))

    def spawn(self):
        """Starts it and does not wait; returns where in the log it begins."""
        begin = len(read(self.log))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [KITH, "--config", self.config, "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        return begin

    def start(self, seconds=10):
        begin = self.spawn()

        def listening():
            if self.process.poll() is not None:
                raise Failure(f"kith ended with {self.process.returncode} before it listened")
            return "kith: listening" in read(self.log)[begin:]

        wait_until(listening, seconds, "the line 'kith: listening'")
        servers.append(self)

    def lives(self):
        return self.process.poll() is None

    def revive(self):
        """So that the next case can be tested; the last one has failed."""
        if not self.lives():
            servers.remove(self)
            print(f"--- kith ended with {self.process.returncode}, started again", flush=True)
            self.start()

    def start_refused(self, seconds=5):
        """For a start that must fail: the exit status and what was said."""
        begin = self.spawn()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"kith still runs after {seconds} s, it should have refused") from None
        return status, read(self.log)[begin:]

    def stop(self, seconds=5):
        """SIGTERM; returns the exit status."""
        servers.remove(self)
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"kith still runs {seconds} s after SIGTERM") from None

    def kill(self):
        if self in servers:
            servers.remove(self)
        if self.process and self.lives():
            self.process.kill()
            self.process.wait()

    def kept(self):
        """All bytes of all files of its data."""
        parts = []
        for directory, _, names in os.walk(self.data):
            for path in (os.path.join(directory, name) for name in names):
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        parts.append(file.read())
        return b"\n".join(parts)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def command(self, *words, entry=""):
        """A command of kith; entry is its standard input."""
        return subprocess.run(
            [KITH, "--config", self.config, *words],
            input=entry, text=True, capture_output=True, timeout=10, check=False,
        )

    def user(self, verb, *names, password=None):
        """A user command that must succeed; returns what it printed."""
        entry = "" if password is None else password + "\n"
        done = self.command("user", verb, *names, entry=entry)
        said = (done.stdout + done.stderr).strip()
        equal(done.returncode, 0, f"kith user {verb} {' '.join(names)} ({said})")
        return done.stdout

    def people(self, *names):
        """Accounts whose password is made from their name."""
        for name in names:
            self.user("add", name, password=password(name))


def refused(server, sentence, *words, code=1):
    done = server.command(*words)
    equal(done.stdout, "", f"what kith {' '.join(words)} printed")
    equal(done.stderr, f"kith: {sentence}\n", f"what kith {' '.join(words)} said")
    equal(done.returncode, code, f"the exit code of kith {' '.join(words)}")


def password(name):
    return f"secret of {name}"


def stranger_ca(directory):
    """A CA that signed nothing: who trusts only it must refuse every server."""
    path = os.path.join(directory, "stranger.pem")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "7", "-subj", "/CN=stranger", "-keyout", path + ".key", "-out", path)
    return path


def openssl(*words):
    require("openssl")
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    equal(done.returncode, 0, f"openssl {words[0]} ({done.stderr.strip()[-300:]})")
    return done.stdout


def environment(directory, ca=None):
    """A client's: its own home, no trust but the one given, nothing of the person who tests."""
    os.makedirs(directory, exist_ok=True)
    given = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": directory,
        "XDG_CONFIG_HOME": os.path.join(directory, "config"),
        "XDG_DATA_HOME": os.path.join(directory, "share"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }
    if ca:
        given["SSL_CERT_FILE"] = ca
        given["SSL_CERT_DIR"] = directory
    return given


def trusting(ca, *command):
    """The command where the system's CA bundle is ca, in a mount namespace of its own."""
    require("unshare")
    if not os.path.exists(BUNDLE):
        raise Skip(f"{BUNDLE} does not exist")
    namespace = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "-r", "--mount"]
    probe = subprocess.run([*namespace, "mount", "--bind", ca, BUNDLE],
                           capture_output=True, text=True, check=False)
    if probe.returncode:
        raise Skip("no private mount namespace here: " + probe.stderr.strip())
    script = 'mount --bind "$0" ' + BUNDLE + ' && exec "$@"'
    return [*namespace, "sh", "-c", script, ca, *command]


class Terminal:
    """A program in a tmux of its own."""

    count = 0

    def __init__(self, directory, given, *command):
        require("tmux")
        Terminal.count += 1  # a socket that an ending tmux still holds cannot be used again
        socket_path = os.path.join(directory, f"tmux-{Terminal.count}")
        self.tmux = ["tmux", "-u", "-f", "/dev/null", "-S", socket_path]
        self.given = given
        self.last = ""
        atexit.register(self.close)
        self.run("new-session", "-d", "-x", "180", "-y", "50", *command)
        self.run("set-option", "-g", "remain-on-exit", "on")
        evidence.append((f"screen of {os.path.basename(command[0])}", lambda: self.last))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Failure):
            self.screen()
        self.close()

    def close(self):
        with contextlib.suppress(Failure, ProcessLookupError):
            self.kill()
        subprocess.run([*self.tmux, "kill-server"], env=self.given, capture_output=True,
                       check=False)

    def run(self, *words):
        done = subprocess.run([*self.tmux, *words], env=self.given, capture_output=True, text=True,
                              timeout=10, check=False)
        equal(done.returncode, 0, f"tmux {words[0]} ({done.stderr.strip()})")
        return done.stdout

    def screen(self):
        self.last = "\n".join(
            line for line in self.run("capture-pane", "-p", "-J").splitlines() if line.strip())
        return self.last

    def type(self, text):
        self.run("send-keys", "-l", text)
        self.run("send-keys", "Enter")

    def wait(self, *texts, seconds=8):
        """Until one of the texts is on the screen; returns which."""
        def seen():
            screen = self.screen()
            return next((text for text in texts if text in screen), None)

        return wait_until(seen, seconds, "the screen to show " + " or ".join(map(repr, texts)))

    def kill(self):
        """SIGKILL, unless it ended by itself and its number may be another's by now."""
        dead, pid = self.run("display-message", "-p", "#{pane_dead} #{pane_pid}").split()
        if dead == "0":
            os.kill(int(pid), signal.SIGKILL)


def leave(_signal, _frame):
    sys.exit(1)  # so that servers and terminals are ended on the way out


signal.signal(signal.SIGTERM, leave)
