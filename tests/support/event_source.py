"""A client of Server-Sent Events for tests."""
import http.client
import json


class EventSource:
    """As the HTML standard (section 9.2) reads such a stream; it keeps the last id, and comes again when told to."""

    def __init__(self, granary, path):
        self.granary, self.path, self.last_id, self.connection = granary, path, "", None

    def connect(self):
        self.connection = http.client.HTTPConnection(self.granary.url.split("//")[1], timeout=60)
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        self.connection.request("GET", self.path, headers=headers)
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            raise RuntimeError(f"{self.path}: {self.response.status} {self.response.read()}")
        self.said = ""  # the last comment
        return self

    def block(self):
        """Up to the next empty line: the event of it, None without one; raises EOFError at the end of the body,
        ConnectionError if it breaks off."""
        data, last = [], self.last_id
        while line := self.response.readline():
            name, _, value = line.decode().rstrip("\n").partition(":")
            if line == b"\n":
                self.last_id = last
                return json.loads("\n".join(data)) if data else None
            if name == "id":
                last = value.removeprefix(" ")
            elif not name:
                self.said = value
            elif name == "data":
                data.append(value.removeprefix(" "))
        if not self.response.isclosed():  # http.client says no word of a body that breaks off
            raise ConnectionError(f"{self.path} broke off: {self.said}")
        raise EOFError

    def events(self, count):
        found = []
        while len(found) < count:
            if (event := self.block()) is not None:
                found.append(event)
        return found

    def close(self):
        self.response.close()
        self.connection.close()
