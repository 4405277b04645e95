"""bench_servers: who stands on trial: kith, the floor, and the peers, each with a directory of its
own, on a loopback port that was free, ended by its own process handle and no other way."""
import glob
import hashlib
import hmac
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

DOMAIN = "localhost"
PEER_ITERATIONS = 10000  # kith's default
READY_SECONDS = 120


def make_certificate(root):
    names = (os.path.join(root, "cert.pem"), os.path.join(root, "key.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", names[1], "-out", names[0],
                    "-days", "7", "-subj", f"/CN={DOMAIN}", "-addext",
                    f"subjectAltName=DNS:{DOMAIN}"], check=True, capture_output=True)
    return names


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process of ours that listens; it is ended by its own handle and no other way."""

    name = "?"
    secure = plaintext = True  # what it can be asked for
    ready = "listening"
    flags = []

    def __init__(self, root):
        self.directory = tempfile.mkdtemp(prefix=self.name.lower() + "-", dir=root)
        self.port = free_port()
        self.process = None
        self.start_ms = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def command(self):
        raise NotImplementedError

    def start(self, environment=None, user=None):
        owner = {"user": user, "group": user, "extra_groups": []} if user else {}
        begun = time.monotonic()
        # A file, not a pipe: a pipe that nobody reads would stop the server.
        with open(self.path("log"), "wb") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=self.directory, env={**os.environ, **(environment or {})}, **owner)
        while self.ready not in self.output():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {self.output()[-800:]}")
            if time.monotonic() - begun > READY_SECONDS:
                raise RuntimeError(f"{self.name} is not ready: {self.output()[-800:]}")
            time.sleep(0.0005)
        self.start_ms = (time.monotonic() - begun) * 1000

    def output(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def pid(self):
        return self.process.pid


class Floor(Server):
    name = "floor"
    flags = ["--floor"]

    def __init__(self, root, build, certificate, secure):
        super().__init__(root)
        self.secure, self.plaintext = secure, not secure
        how = ["--tls", "--cert", certificate[0], "--key", certificate[1]]
        self.line = [os.path.join(build, "floor"), "--port", str(self.port)]
        self.line += how if secure else ["--plain"]

    def command(self):
        return self.line


class Kith(Server):
    name = "kith"
    ready = "kith: listening"

    def __init__(self, root, build, certificate, users, memory=None, registration="closed",
                 **settings):
        super().__init__(root)
        self.binary = os.path.join(build, "kith")
        lines = {"domain": DOMAIN, "data": self.path("data"), "listen": f"127.0.0.1:{self.port}",
                 "listen_tls": "none", "certificate": certificate[0], "key": certificate[1],
                 "allow_plaintext": "loopback", "rate_limits": "no", "registration": registration,
                 "archive": "no", **settings}
        if memory:
            lines["memory"] = memory
        os.mkdir(self.path("data"), 0o700)
        self.config = self.write("kith.conf", "".join(f"{k} = {v}\n" for k, v in lines.items()))
        for number in range(users):
            made = subprocess.run([self.binary, "--config", self.config, "user", "add",
                                   f"u{number}"], input=f"pw-{number}\n", text=True,
                                  capture_output=True, check=False)
            if made.returncode != 0:
                raise RuntimeError(f"kith user add u{number}: {made.stdout}{made.stderr}")

    def command(self):
        return [self.binary, "--config", self.config, "serve"]

    def counters(self):
        """malloc calls and stanzas since the start, as `kith status` says."""
        status = subprocess.run([self.binary, "--config", self.config, "status"], text=True,
                                capture_output=True, check=True).stdout
        return (int(re.search(r"heap calls (\d+)", status).group(1)),
                int(re.search(r"(\d+) stanzas", status).group(1)))


def nobody():
    """Prosody refuses to be root, and nothing here needs to be."""
    return 65534 if os.geteuid() == 0 else None


class Prosody(Server):
    name = "Prosody"

    def __init__(self, root, certificate, users):
        super().__init__(root)
        shutil.copy(certificate[0], self.path("cert.pem"))
        shutil.copy(certificate[1], self.path("key.pem"))
        self.config = self.write("prosody.cfg.lua", f"""
            modules_enabled = {{ "disco", "roster", "saslauth", "tls", "blocklist", "carbons",
                "pep", "private", "smacks", "vcard4", "ping", "time", "version", "posix" }}
            modules_disabled = {{ "s2s" }}
            interfaces = {{ "127.0.0.1" }}
            c2s_ports = {{ {self.port} }}
            c2s_direct_tls_ports = {{ }}
            s2s_ports = {{ }}
            http_ports = {{ }}
            https_ports = {{ }}
            c2s_require_encryption = false
            allow_unencrypted_plain_auth = false
            authentication = "internal_hashed"
            password_hash = "SHA-256"
            default_iteration_count = {PEER_ITERATIONS}
            ssl = {{ certificate = "{self.path('cert.pem')}", key = "{self.path('key.pem')}" }}
            data_path = "{self.path('data')}"
            pidfile = "{self.path('pid')}"
            log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
            VirtualHost "{DOMAIN}"
            """)
        accounts = self.path(f"data/{DOMAIN}/accounts")
        os.makedirs(accounts)
        for number in range(users):
            self.account(accounts, number)
        if nobody():
            subprocess.run(["chown", "-R", f"{nobody()}:{nobody()}", self.directory], check=True)

    @staticmethod
    def account(accounts, number):
        """What prosodyctl register would write, without a Lua process for each."""
        salt = f"salt-of-{number}"
        salted = hashlib.pbkdf2_hmac("sha256", f"pw-{number}".encode(), salt.encode(),
                                     PEER_ITERATIONS)
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).hexdigest()
        server = hmac.digest(salted, b"Server Key", "sha256").hex()
        with open(os.path.join(accounts, f"u{number}.dat"), "w", encoding="ascii") as file:
            file.write(f'return {{ ["iteration_count"] = {PEER_ITERATIONS}; ["salt"] = "{salt}"; '
                       f'["stored_key"] = "{stored}"; ["server_key"] = "{server}"; }};\n')

    ready = "Activated service 'c2s'"

    def command(self):
        return ["prosody", "--config", self.config, "-F"]

    def start(self, environment=None, user=None):
        super().start({"HOME": self.directory}, nobody())


class Ejabberd(Server):
    name = "ejabberd"
    ready = "kith-bench: ready"

    def __init__(self, root, certificate, users):
        super().__init__(root)
        self.users = users
        with open(self.path("both.pem"), "w", encoding="ascii") as out:
            for name in certificate:
                with open(name, encoding="ascii") as file:
                    out.write(file.read())
        os.mkdir(self.path("spool"))
        self.config = self.write("ejabberd.yml", f"""
hosts: [{DOMAIN}]
loglevel: warning
certfiles: ["{self.path('both.pem')}"]
listen:
  - port: {self.port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    starttls: true
auth_method: internal
auth_password_format: scram
auth_scram_hash: sha256
disable_sasl_mechanisms: ["digest-md5", "X-OAUTH2"]
access_rules:
  local:
    allow: all
  c2s:
    allow: all
shaper_rules:
  max_user_sessions: 10
modules:
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_last: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub:
    plugins: [flat, pep]
  mod_roster: {{}}
  mod_stream_mgmt: {{}}
  mod_vcard: {{}}
""")
        if nobody():
            subprocess.run(["chown", "-R", f"{nobody()}:{nobody()}", self.directory], check=True)

    def command(self):
        make = ("lists:foreach(fun(I) -> N = integer_to_binary(I), "
                "ejabberd_auth:try_register(<<\"u\", N/binary>>, "
                f"<<\"{DOMAIN}\">>, <<\"pw-\", N/binary>>) end, lists:seq(0, {self.users - 1})), "
                "io:format(\"~s: ready~n\", [\"kith-bench\"]).")
        return ["erl", "+K", "true", "+P", "250000", "-noinput", "-mnesia", "dir",
                f'"{self.path("spool")}"', "-s", "ejabberd", "-eval", make]

    def start(self, environment=None, user=None):
        libraries = os.path.dirname(glob.glob("/usr/lib/*/ejabberd-*")[0])
        super().start({"HOME": self.directory, "ERL_LIBS": libraries,
                       "EJABBERD_CONFIG_PATH": self.config,
                       "EJABBERD_LOG_PATH": self.path("ejabberd.log"),
                       "ERL_CRASH_DUMP_SECONDS": "0"}, nobody())
