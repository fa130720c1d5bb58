#!/usr/bin/env python3
"""Finance's side of Granary: reads the charge lines of granary.billing.v1 into SQLite, each once, and prints the sums of each month.

A line is known by its ledger (the CloudEvent's source) and its own `line`: one that comes again replaces itself. Positions are kept in the same database, in the
same transaction as the lines, so that a consumer that was killed goes on where its database stands. README.md says what the fields mean."""
import argparse
import decimal
import json
import sqlite3
import sys
import time

try:
    from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
except ImportError:
    print("consume.py: expected the Python package confluent_kafka, found none; hint: "
          "python3 -m venv venv && venv/bin/pip install -r docs/finance-consumer/requirements.txt, then run this by venv/bin/python", file=sys.stderr)
    sys.exit(3)

CHARGE = "granary.charge.rated.v1"
GROUP = ["organisation", "project", "resource", "period", "currency"]
MONEY = ["list_amount", "covered_amount", "billed_amount"]
decimal.getcontext().prec = 100
decimal.getcontext().traps[decimal.Inexact] = True  # money is never rounded here


class ExactSum:  # SQLite's own sum() would make floating point of decimals
    def __init__(self):
        self.total = decimal.Decimal(0)

    def step(self, amount):
        self.total += decimal.Decimal(amount)

    def finalize(self):
        return f"{self.total:f}"


def open_database(path):
    database = sqlite3.connect(path)
    database.create_aggregate("exact_sum", 1, ExactSum)
    database.executescript(
        f"CREATE TABLE IF NOT EXISTS charges(ledger TEXT, line TEXT, {', '.join(f'{name} TEXT NOT NULL' for name in GROUP + MONEY)},"
        " data TEXT NOT NULL, PRIMARY KEY(ledger, line));"
        "CREATE TABLE IF NOT EXISTS positions(topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY(topic, partition));")
    return database


def store(database, message):
    headers = {name: value.decode() for name, value in message.headers() or []}
    if headers["ce_type"] == CHARGE:  # the stream will carry other types too; they have no charge to add
        data = json.loads(message.value())
        row = [headers["ce_source"], data["line"], *(data[name] for name in GROUP + MONEY), message.value().decode()]
        database.execute(f"INSERT OR REPLACE INTO charges VALUES({', '.join('?' * len(row))})", row)
    database.execute("INSERT OR REPLACE INTO positions VALUES(?, ?, ?)", (message.topic(), message.partition(), message.offset() + 1))


def consume(database, arguments):
    consumer = Consumer({"bootstrap.servers": arguments.brokers, "group.id": "granary-finance", "enable.auto.commit": False,
                         "auto.offset.reset": "error", "check.crcs": True, "enable.partition.eof": True})
    topic = consumer.list_topics(arguments.topic, timeout=30).topics[arguments.topic]
    if topic.error is not None:
        raise KafkaException(topic.error)
    stored = dict(database.execute("SELECT partition, next FROM positions WHERE topic = ?", (arguments.topic,)))
    consumer.assign([TopicPartition(arguments.topic, partition, stored.get(partition, 0)) for partition in topic.partitions])
    ended, last = set(), time.monotonic()
    while True:
        with database:  # one transaction: lines and positions
            for message in consumer.consume(1000, timeout=0.2):
                if message.error() is None:
                    store(database, message)
                    last = time.monotonic()
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise KafkaException(message.error())
        if len(ended) == len(topic.partitions) and time.monotonic() - last >= arguments.until_idle:
            break
    consumer.close()


def sums(database):
    group, money = ", ".join(GROUP), ", ".join(f"exact_sum({name})" for name in MONEY)
    rows = database.execute(f"SELECT {group}, {money} FROM charges GROUP BY {group} ORDER BY {group}")
    return [dict(zip(GROUP + MONEY, row)) for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", required=True, help="HOST:PORT,...")
    parser.add_argument("--database", required=True, help="SQLite file; made where there is none")
    parser.add_argument("--topic", default="granary.billing.v1")
    parser.add_argument("--json", action="store_true", help="print the sums as JSON")
    until = parser.add_mutually_exclusive_group()
    until.add_argument("--until-end", dest="until_idle", action="store_const", const=0, default=float("inf"),
                       help="stop once every partition has been read to its end")
    until.add_argument("--until-idle", type=float, metavar="SECONDS", default=float("inf"),
                       help="stop once every partition has been read to its end and nothing has come for so long")
    arguments = parser.parse_args()  # neither of them: until Ctrl-C
    database = open_database(arguments.database)
    try:
        consume(database, arguments)
    except KeyboardInterrupt:
        pass
    except KafkaException as error:
        sys.exit(f"consume: {error.args[0].str()}")
    lines = sums(database)
    if arguments.json:
        print(json.dumps(lines, indent=1))
    else:
        print("\t".join(GROUP + MONEY), *("\t".join(line.values()) for line in lines), sep="\n")


if __name__ == "__main__":
    main()
