"""Blocks the network in the process that imports it: only this machine answers. For kernels that run notebooks."""

import ipaddress
import socket

_connect, _getaddrinfo = socket.socket.connect, socket.getaddrinfo


def _is_here(host: object) -> bool:
    if host in ("localhost", "", None):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def connect(self: socket.socket, address: object) -> None:
    """Connects to this machine only."""
    if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
        raise ConnectionError(f"The tests block the network, and something asked for {address}.")
    return _connect(self, address)


def getaddrinfo(host: object, *args: object, **kwargs: object) -> list:
    """Looks up this machine only."""
    if not _is_here(host):
        raise socket.gaierror(f"The tests block the network, and something looked up {host!r}.")
    return _getaddrinfo(host, *args, **kwargs)


socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo
