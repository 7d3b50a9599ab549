"""Put on PYTHONPATH, this makes every connection but those within the machine an error: notebooks run with
the network off.
"""

import ipaddress
import socket

_connect, _getaddrinfo = socket.socket.connect, socket.getaddrinfo


def _is_local(host) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


def _refuse(host):
    raise OSError(
        f"the network is off in notebook tests, and something wanted {host!r}: a chapter uses "
        "bundled data only"
    )


def connect(self, address):
    """Connect within the machine only."""
    if self.family != socket.AF_UNIX and not _is_local(address[0]):
        _refuse(address[0])
    return _connect(self, address)


def getaddrinfo(host, *args, **kwargs):
    """Resolve names of this machine only."""
    if not _is_local(host):
        _refuse(host)
    return _getaddrinfo(host, *args, **kwargs)


socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo
