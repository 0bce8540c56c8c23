"""A client of `mountkeeper serve` with nothing but the standard library.

As a program it does what a hypervisor agent does around a disk:

    mountkeeper_client.py SOCKET mount MOUNTPOINT TYPE SOURCE VOLUME CONSUMER
    mountkeeper_client.py SOCKET umount MOUNTPOINT VOLUME CONSUMER
"""

import json
import socket
import sys
import time
import uuid


class Refused(Exception):
    """The manager refused a request; `error` has all that is known, `error["_tag"]` what happened."""

    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.error = error


class Client:
    """Asks one request after the other, and repeats it under its id where the server was restarted."""

    def __init__(self, path, patience=30.0):
        self.path = path
        self.patience = patience
        self.name = str(uuid.uuid4())
        self.last = 0
        self.stream = None

    def _connect(self):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(self.path)
        self.stream = connection.makefile("rwb")
        # From now on the ids of this client are its own, on this connection and on later ones.
        self._send({"op": "hello", "format": 1, "client": self.name})
        self._receive()

    def _send(self, value):
        self.stream.write(json.dumps(value).encode() + b"\n")
        self.stream.flush()

    def _receive(self):
        line = self.stream.readline()
        if not line:
            raise ConnectionError("the server ended the connection")
        return json.loads(line)

    def ask(self, op, **fields):
        self.last += 1
        request = {"op": op, "id": str(self.last), **fields}
        end = time.monotonic() + self.patience
        while True:
            try:
                if self.stream is None:
                    self._connect()
                self._send(request)
                answer = self._receive()
                if answer["ok"]:
                    return answer["result"]
                # The manager stops, and has not begun this: the next one is asked.
                if answer["error"]["_tag"] != "Stopped":
                    raise Refused(answer["error"])
            except OSError:
                if time.monotonic() >= end:
                    raise
            self.close()
            time.sleep(0.1)

    def close(self):
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def mount(self, mountpoint, filesystem, volume, consumer):
        """Holds a filesystem for a consumer; mounts it for the first one."""
        return self.ask("attach", mountpoint=mountpoint, filesystem=filesystem, volume=volume, consumer=consumer)

    def umount(self, mountpoint, volume, consumer):
        """Ends it; unmounts after the last one."""
        return self.ask("detach", mountpoint=mountpoint, volume=volume, consumer=consumer)


def main(path, command, mountpoint, *rest):
    client = Client(path)
    if command == "mount":
        kind, source, volume, consumer = rest
        result = client.mount(mountpoint, {"type": kind, "source": source, "options": []}, volume, consumer)
    else:
        result = client.umount(mountpoint, *rest)
    print(json.dumps(result))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (Refused, OSError) as error:
        sys.exit(f"mountkeeper: {error}")
