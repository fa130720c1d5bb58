#!/usr/bin/env python3
"""Runs a program with a Kafka broker of its own; ends with the program's exit code (128 + signal where one ended it).

  with_kafka.py [--heap SIZE] [--set NAME=VALUE]... -- PROGRAM ARGS...

The program finds in its environment:
  GRANARY_TEST_BROKERS         HOST:PORT
  GRANARY_TEST_BROKER_PID      the broker's process, to stop (TERM), kill (KILL), pause (STOP) and resume (CONT)
  GRANARY_TEST_BROKER_COMMAND  for the shell: starts it again on the same data and port, in the foreground; it says
                               HOST:PORT once it serves; whoever runs it ends it"""
import argparse
import os
import shlex
import subprocess
import sys

import kafka_broker
import needs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heap", default="256m", help="the broker's largest heap")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the broker")
    parser.add_argument("program", nargs="+")
    arguments = parser.parse_args()
    if wrong := [setting for setting in arguments.set if "=" not in setting]:
        parser.error(f"--set: expected NAME=VALUE, got {wrong[0]}")
    needs.command_or_path(arguments.program[0])
    needs.kafka_broker()
    settings = dict(setting.split("=", 1) for setting in arguments.set)
    with kafka_broker.Broker(heap=arguments.heap, settings=settings) as broker:
        code = subprocess.call(arguments.program, env={
            **os.environ,
            "GRANARY_TEST_BROKERS": broker.bootstrap,
            "GRANARY_TEST_BROKER_PID": str(broker.pid),
            "GRANARY_TEST_BROKER_COMMAND": "exec " + shlex.join([*broker.command(), "--with-parent"]),
        })
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
