"""The processes of a ledger that is being tortured: started, killed, paused, looked at. One that ends by itself without a reason that was
given to it is a failure, with the end of what it said."""
import ctypes
import errno
import glob
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from books import SOURCE, Failure

sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))
import kafka_broker  # noqa: E402

MACHINES = ["intake", "metering", "allocation", "billing"]
STOP_S = 20
TAIL = 25
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port(taken):
    """Below the range that the system takes for outgoing connections, so that nobody gets it while its process is down."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        below = int(limits.read().split()[0])
    for port in random.SystemRandom().sample(range(10000, below), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in taken:
                taken.add(port)
                return port
    raise Failure("no free port on 127.0.0.1")


class Process:
    """One server. `up`: whether it is meant to run."""
    def __init__(self, name, command, data, port, folder):
        self.name, self.data, self.url = name, data, f"http://127.0.0.1:{port}"
        self.command = [*command, "--checkpoint-records", "50", "--data", data, "--listen", f"127.0.0.1:{port}"]
        self.log = os.path.join(folder, f"{name}.log")
        self.process, self.up, self.crash_at, self.started, self.paused = None, False, "", 0.0, False
        self.deaths = 0  # at named points
        self.life = 0    # where in the log this start's lines begin
        self.clock = os.path.join(folder, f"{name}.clock")  # what its wall clock is set forward by, in ms; it looks when it starts

    def start(self, crash_at=""):
        self.crash_at, self.up, self.started, self.paused = crash_at, True, time.monotonic(), False
        os.makedirs(self.data, exist_ok=True)
        with open(self.log, "a", encoding="utf-8") as log:
            self.life = log.tell()
            environment = {**os.environ, "GRANARY_CLOCK_OFFSET": self.clock, **({"GRANARY_CRASH_AT": crash_at} if crash_at else {})}
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=environment, preexec_fn=die_with_parent)

    def set_clock(self, offset_s):
        """For its next start."""
        with open(self.clock, "w", encoding="ascii") as file:
            file.write(str(round(offset_s * 1000)))

    def kill(self):
        self.up, self.paused = False, False
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order; the exit code."""
        self.up = False
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            stacks = self.stacks()
            self.kill()
            raise Failure(f"{self.name} did not stop within {STOP_S} s{self.tail()}{stacks}") from None
        if code != 0:
            raise Failure(f"{self.name} was asked to stop and ended with {code}{self.tail()}")

    def pause(self):
        self.paused = True
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.paused = False
        self.process.send_signal(signal.SIGCONT)

    def ready(self):
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=10):
                return True
        except (OSError, urllib.error.URLError):
            return False

    def states(self):
        return sorted(filter(os.path.isdir, glob.glob(os.path.join(self.data, "state", "*-*[0-9]"))))

    def said(self):
        """What it said since its start, without what is no trouble."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(self.life)
            return [line for line in log if '"record_refused"' not in line]

    def stacks(self):
        """Where its threads stand, if a debugger is at hand."""
        if self.process.poll() is not None or self.paused or not shutil.which("gdb"):
            return ""
        done = subprocess.run(["gdb", "-p", str(self.process.pid), "-batch", "-ex", "thread apply all bt 12"],
                              capture_output=True, text=True, timeout=120, check=False)
        return "\n--- its threads:\n" + "".join(line + "\n" for line in done.stdout.splitlines() if line.startswith(("#", "Thread")))

    def tail(self):
        return f"\n--- the end of what {self.name} said since its start:\n" + "".join(self.said()[-TAIL:])


class World:
    """All processes, and what may have befallen them. `seconds`: second owners of the same shards."""
    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.disk = arguments, folder, os.path.join(folder, "disk")
        self.broker, self.seconds = None, {}
        # Until when a lost broker, or a full disk, explains that a process could not start, or ended.
        self.broker_trouble, self.disk_trouble = 0.0, 0.0
        self.explained = []
        self.ports = set()
        os.makedirs(self.disk)
        self.mounted = arguments.disk_mb > 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={arguments.disk_mb}m", "tmpfs", self.disk], capture_output=True, check=False).returncode == 0
        programs = os.path.join(os.path.abspath(arguments.build), "services")
        self.granary = os.path.join(programs, "standalone", "granary")
        # The same services in a program whose clock can be set.
        stepped = os.path.join(os.path.abspath(arguments.build), "tests", "support", "granary-stepped")
        if arguments.journal == "embedded":
            self.processes = [self.make("granary", [stepped, "--partitions", str(arguments.partitions)])]
            return
        self.broker = kafka_broker.Broker(data=os.path.join(folder, "kafka"))
        os.makedirs(self.broker.data)
        self.broker.start()
        self.command([self.granary, "topics", "--create", "--partitions", str(arguments.partitions), "--brokers", self.broker.bootstrap])
        if arguments.processes == "one":
            self.commands = {"granary": [stepped, "--brokers", self.broker.bootstrap]}
        else:
            peers = os.path.join(folder, "peers")
            self.commands = {name: [stepped, "--machine", name, "--brokers", self.broker.bootstrap, "--peers", peers] for name in MACHINES}
        self.processes = [self.make(name, command) for name, command in self.commands.items()]
        if arguments.processes == "four":
            with open(peers, "w", encoding="ascii") as file:
                file.writelines(f"{process.url} {process.name} all\n" for process in self.processes)

    def make(self, name, command):
        return Process(name, command, os.path.join(self.disk, name), free_port(self.ports), self.folder)

    def command(self, command, **more):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)}: exit code {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def second(self, name):
        """A second owner of what `name` owns, on data of its own, which stay from one time to the next."""
        if name not in self.seconds:
            self.seconds[name] = self.make(f"second-{name}", self.commands[name])
        return self.seconds[name]

    def all(self):
        return [*self.processes, *self.seconds.values()]

    def tend(self):
        """Starts again what died at its named point, or for a reason. A failure where one ended without."""
        for process in self.all():
            if not process.up or process.process.poll() is None:
                continue
            code = process.process.returncode
            if code == -signal.SIGKILL and process.crash_at:
                process.deaths += 1
                process.start()
            elif reason := self.reason(process, code):
                self.explained.append(f"{process.name} ended with {code}: {reason}")
                process.start()
            else:
                raise Failure(f"{process.name} ended by itself with {code}{process.tail()}")

    def reason(self, process, code):
        if process.started < self.broker_trouble and code == 3:
            return "no broker at its start"
        if process.started < self.disk_trouble and code in (1, 3, -signal.SIGABRT) and \
                any("bytes free" in line or "No space left" in line for line in process.said()):
            return "full disk"
        return None

    def all_ready(self):
        return all(process.up and not process.paused and process.ready() for process in self.processes)

    def others_hold(self, free_mb):
        """Leaves so much of the disk free; None: all of it."""
        path = os.path.join(self.disk, "others")
        if free_mb is None:
            os.remove(path)
            return
        with open(path, "ab") as file:
            while True:
                now = os.statvfs(self.disk)
                more = now.f_bavail * now.f_frsize - (free_mb << 20)
                try:
                    return more <= 0 or os.posix_fallocate(file.fileno(), file.tell(), more)
                except OSError as error:
                    if error.errno != errno.ENOSPC:  # the processes took some of it meanwhile
                        raise

    def replay(self, *more):
        where = ["--brokers", self.broker.bootstrap] if self.broker else []
        for process in self.processes:
            where += ["--data", process.data]
        return [self.granary, "replay", *where, *more]

    def close(self):
        for process in self.all():
            if process.process is not None and process.process.poll() is None:
                process.kill()
        if self.broker is not None:
            self.broker.close()
        if self.mounted:
            subprocess.run(["umount", self.disk], check=False)
        if not self.arguments.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
