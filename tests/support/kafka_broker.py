"""A real Kafka broker for a test (deploy/kafka/broker): on a free loopback port, in a folder of its own, ended by its id, and with this
process at the latest. One that does not start is an error, never a reason to skip."""
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile

import needs

COMMAND = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "kafka", "broker")


class Broker:
    def __init__(self, data=None, heap="256m", settings=None, java=()):
        """`data`: where it keeps what it has (default: a folder that goes with the broker); `settings`: of the broker, by name."""
        self.own_data = data is None
        self.data = tempfile.mkdtemp(prefix="granary-kafka-") if self.own_data else data
        self.heap = heap
        self.settings = dict(settings or {})
        self.java = list(java)
        self.port = 0
        self.process = None

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def command(self):
        """Starts it (again: on the same data and port)."""
        return [sys.executable, os.path.normpath(COMMAND), "--data", self.data, "--port", str(self.port), "--heap", self.heap,
                *[f"--set={name}={value}" for name, value in self.settings.items()],
                *[f"--java={option}" for option in self.java]]

    def log_tail(self):
        try:
            with open(os.path.join(self.data, "broker.log"), encoding="utf-8", errors="replace") as log:
                return "".join(log.readlines()[-40:])
        except FileNotFoundError:
            return "(no log)"

    def start(self, timeout_s=60):
        """Returns when it serves. Again after stop or kill: on the same data and port. The thread that calls has to outlive the broker."""
        needs.kafka_broker()
        self.process = subprocess.Popen([*self.command(), "--with-parent"], stdout=subprocess.PIPE)
        with self.process.stdout as says:
            said = select.poll()
            said.register(says, select.POLLIN)
            address = says.readline() if said.poll(timeout_s * 1000) else b""  # nothing either where it has ended
        if not address:
            self.kill()
            raise RuntimeError(f"the Kafka broker did not start (exit code {self.process.returncode}):\n{self.log_tail()}")
        self.port = int(address.split(b":")[1])
        return self

    def stop(self, timeout_s=30):
        """In order. One that does not end is killed, and an error."""
        self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the Kafka broker did not stop within {timeout_s} s:\n{self.log_tail()}") from None

    def kill(self):
        """As a lost machine would end, but for what its system still writes to disk."""
        self.process.kill()
        self.process.wait()

    def restart(self):
        """After `kill -9`."""
        self.kill()
        return self.start()

    def pause(self):
        """It answers nothing and keeps its connections."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if self.own_data:
            shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()
