"""A disk that is really full: usage is posted to a ledger on a small tmpfs until there is no room. The door answers 507 and reads go on;
once there is room the same server takes the same events, each of which counts once; nothing that was acknowledged is lost, also not by
a stop and a start meanwhile.

The tmpfs is mounted as root, else in a user namespace of its own (unshare -Urm), else the test is skipped; it says which. (Below that, at
the port, tests/unit/journal and tests/unit/store have a disk that says what it is told.)"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE  # noqa: E402
from granary_server import Server  # noqa: E402
from import_test import configuration, posted  # noqa: E402

MB = 1 << 20
DISK = 530 * MB
# What others hold of the disk. 256 MB are the log's reserve, some 70 it preallocates.
SMALL, LARGE = 160 * MB, 140 * MB
BATCH = 1000
BATCHES_MAX = 1000
PROJECTS = 20


def usage(number):
    return {"specversion": "1.0", "type": "granary.usage.reported.v1", "source": "disk", "id": f"job-{number}", "time": "2026-10-20T00:00:00Z",
            "data": {"project": f"p{number % PROJECTS}", "resources": [{"class": "gpu", "quantity": "1"}], "start": "2026-10-01T00:00:00Z",
                     "end": "2026-10-01T01:00:00Z", "state": "COMPLETED"}}


class FullDisk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.disk = os.path.join(folder.name, "disk")
        os.mkdir(self.disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.disk], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"no tmpfs can be mounted here, also not in a user namespace: {mounted.stderr.strip()}")
        self.addCleanup(lambda: subprocess.run(["umount", self.disk], check=True))
        self.granary = Server(PROGRAM, os.path.join(self.disk, "data"))
        self.addCleanup(lambda: self.granary.process and self.granary.process.poll() is None and self.granary.kill())

    def others_hold(self, size):
        with open(os.path.join(self.disk, "others"), "ab") as file:
            if size < file.tell():
                file.truncate(size)
            else:
                os.posix_fallocate(file.fileno(), 0, size)

    def fill(self, first):
        """Posts batches from the job `first` on until one is refused; the first job that was not taken."""
        for batch in range(BATCHES_MAX):
            at = first + batch * BATCH
            status, answer = self.granary.post([usage(n) for n in range(at, at + BATCH)])
            if status == 202:
                self.assertEqual(answer["refused"], 0, answer)
                continue
            self.assertEqual(status, 507, answer)
            self.assertTrue(answer["type"].endswith(":out_of_space"), answer)
            self.assertIn("bytes free", answer["detail"])
            self.assertTrue(answer["hint"])
            self.assertEqual(self.granary.get("/v1/sources")["rows"][0]["source"], "disk", "reads go on")
            return at
        return self.fail("the disk did not fill")

    def check(self, jobs, after):
        each = jobs // PROJECTS
        self.assertEqual(posted(self.granary, after), {(f"p{n}", "gpu"): (each, each * 3_600_000_000) for n in range(PROJECTS)})

    def test_507_then_room_then_all_of_it_once(self):
        print("a full disk by", os.environ.get("GRANARY_FULL_DISK_BY", "mount as root"), flush=True)
        self.others_hold(SMALL)
        self.granary.start("--partitions", "2")
        status, answer = self.granary.post(configuration([]))
        self.assertEqual((status, answer["refused"]), (202, 0), answer)
        taken = self.fill(0)
        self.assertGreater(taken, 0)
        print(f"{taken} events acknowledged", flush=True)
        self.others_hold(LARGE)
        taken = self.fill(taken)  # the server goes on by itself, with the batch that it refused
        print(f"{taken} events acknowledged", flush=True)

        self.granary.kill()
        self.others_hold(0)
        self.granary.start()
        status, answer = self.granary.post([usage(n) for n in range(taken, taken + BATCH)])
        self.assertEqual((status, answer["refused"]), (202, 0), answer)
        self.check(taken + BATCH, answer["after"])
        self.assertEqual(self.granary.stop(), 0)
        done = subprocess.run([PROGRAM, "replay", "--data", self.granary.data], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_ledger_is_not_begun_where_there_is_no_room(self):
        self.others_hold(DISK - 100 * MB)
        with self.assertRaisesRegex(RuntimeError, "bytes free.*hint: free some space"):
            self.granary.start()
        self.assertEqual(self.granary.process.wait(timeout=10), 3)
        self.granary.process.stderr.close()


def main():
    if os.geteuid() != 0 and "GRANARY_FULL_DISK_BY" not in os.environ:
        inside = ["unshare", "-Urm", "--", sys.executable, str(pathlib.Path(__file__).resolve())]
        if subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False).returncode == 0:
            os.execvpe(inside[0], inside, {**os.environ, "GRANARY_FULL_DISK_BY": "a user namespace (unshare -Urm)"})
    unittest.main()


if __name__ == "__main__":
    main()
