"""The guard that keeps tests off the network."""

from __future__ import annotations

import os
import socket

import pytest

from tests.conftest import NetworkRefusedError, is_loopback


@pytest.mark.parametrize(
    "address",
    [("127.0.0.1", 80), ("127.8.9.10", 80), ("::1", 80, 0, 0), ("localhost", 80), "localhost", None, b"::1"],
)
def test_this_machine_is_allowed(address: object) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address", [("93.184.216.34", 80), ("::ffff:1.2.3.4", 80), ("example.org", 80), "10.0.0.1"]
)
def test_others_are_not(address: object) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_connecting_elsewhere_is_refused(family: socket.AddressFamily) -> None:
    far = "192.0.2.1" if family == socket.AF_INET else "2001:db8::1"
    with socket.socket(family) as one, pytest.raises(NetworkRefusedError, match="loopback only"):
        one.connect((far, 9))
    with socket.socket(family) as one, pytest.raises(NetworkRefusedError, match="loopback only"):
        one.connect_ex((far, 9))


def test_datagrams_listening_and_look_ups_elsewhere_are_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        with pytest.raises(NetworkRefusedError, match="loopback only"):
            one.sendto(b"x", ("192.0.2.1", 9))
        with pytest.raises(NetworkRefusedError, match="loopback only"):
            one.bind(("0.0.0.0", 0))  # noqa: S104
    with pytest.raises(NetworkRefusedError, match=r"example\.org"):
        socket.getaddrinfo("example.org", 80)
    with pytest.raises(NetworkRefusedError, match=r"example\.org"):
        socket.create_connection(("example.org", 80), timeout=1)


def test_loopback_and_pairs_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    left, right = socket.socketpair()
    left.close()
    right.close()


def test_the_model_hub_client_is_told_to_stay_offline() -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
