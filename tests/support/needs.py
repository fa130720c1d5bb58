"""What the tests need that is not in this folder: the programs, and where they were built. ctest says where (tests/run builds all and runs
ctest); by hand it is the release build of this checkout. Who misses something hears at once what, and how to get it.

    from needs import PROGRAM, SOURCE       names that are looked for when they are imported"""
import glob
import importlib.util
import os
import shutil
import sys

SOURCE = os.environ.get("GRANARY_SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(SOURCE, "build", "release")
CANNOT_RUN = 3

# By name: the variable, where it is without one, what makes it.
FOUND = {
    "PROGRAM": ("GRANARY_PROGRAM", os.path.join(BUILD, "services", "standalone", "granary"), "granary"),
    "SERVICES": ("GRANARY_SERVICES", os.path.join(BUILD, "services"), "granary-intake granary-metering granary-allocation granary-billing"),
    "TICK": ("GRANARY_TICK", os.path.join(BUILD, "tests", "support", "granary-tick"), "granary-tick"),
    "STAMP": ("GRANARY_STAMP", os.path.join(BUILD, "tests", "support", "granary-stamp"), "granary-stamp"),
    "OLDER": ("GRANARY_OLDER", os.path.join(BUILD, "tests", "support", "granary-older"), "granary-older"),
    "NEXT": ("GRANARY_NEXT", os.path.join(BUILD, "next", "build", "services", "standalone", "granary"), "next_build"),
    "NEXT_SERVICES": ("GRANARY_NEXT_SERVICES", os.path.join(BUILD, "next", "build", "services"), "next_build"),
    "STEPPED": ("GRANARY_STEPPED", os.path.join(BUILD, "tests", "support", "granary-stepped"), "granary-stepped"),
    "PLANTED_PROBE": ("GRANARY_PLANTED_PROBE", os.path.join(BUILD, "tests", "support", "granary-planted-probe"), "granary-planted-probe"),
    "BENCH": ("GRANARY_BENCH", os.path.join(BUILD, "tests", "bench", "granary-bench"), "granary-bench"),
}
TOOLS = os.environ.get("GRANARY_TOOLS") or os.path.join(SOURCE, "build", "tools")


def cannot_run(expected, hint):
    """One line, and the end."""
    print(f"{os.path.basename(sys.argv[0])}: expected {expected}; hint: {hint}", file=sys.stderr)
    sys.exit(CANNOT_RUN)


def built(name):
    """Where a program is, or the end."""
    variable, usual, targets = FOUND[name]
    path = os.environ.get(variable) or usual
    if not os.path.exists(path):
        cannot_run(f"what was built in {path}, found none", f"tests/run, or: cmake --preset release && cmake --build --preset release --target {targets}"
                   f"; or name it: {variable}=PATH")
    return path


def __getattr__(name):  # of this module: looks only for what somebody imports
    if name in FOUND:
        return built(name)
    raise AttributeError(name)


def command(name, packages):
    """A program of the system, or the end."""
    if shutil.which(name) is None:
        cannot_run(f"the command {name}, found none", f"deploy/install-packages {packages}")


def command_or_path(program):
    """A program that can be run, or the end."""
    if shutil.which(program) is None:
        cannot_run(f"a program that can be run, got {program}", "build it: tests/run, or cmake --build --preset release")


VENV_KAFKA = os.path.join(SOURCE, "build", "tools", "venv-kafka")
KAFKA_CLIENT = ("tests/support/venv python3 build/tools/venv-kafka docs/finance-consumer/requirements.txt",
                "build/tools/venv-kafka/bin/python")


def python_package(name, hint):
    """A package that this Python can import, or the end."""
    if importlib.util.find_spec(name) is None:
        cannot_run(f"the Python package {name}, found none", hint)


def kafka_client():
    """Kafka's client in this Python, or the end."""
    python_package("confluent_kafka", f"{KAFKA_CLIENT[0]}, then run this by {KAFKA_CLIENT[1]}")


def kafka_client_venv():
    """The Python of a venv with Kafka's client, or the end."""
    python = os.path.join(VENV_KAFKA, "bin", "python")
    if not os.path.exists(python):
        cannot_run(f"a venv with Kafka's client in {VENV_KAFKA}, found none", KAFKA_CLIENT[0])
    return python


def kafka_broker():
    """What deploy/kafka/broker needs, or the end."""
    jars = os.environ.get("GRANARY_KAFKA_JARS") or os.path.join(SOURCE, "build", "tools", "kafka")
    command("java", "deploy/packages-kafka")
    if not glob.glob(os.path.join(jars, "kafka_*.jar")):
        cannot_run(f"the jars of a Kafka broker in {jars}, found none", "deploy/kafka/fetch")
