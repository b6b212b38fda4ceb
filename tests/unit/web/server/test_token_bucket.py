"""Buckets fill steadily and are forgotten when full."""

from __future__ import annotations

from statera.web.server import token_bucket
from statera.web.server.rate_limit import client_address
from statera.web.server.token_bucket import TokenBuckets


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_a_steady_flow() -> None:
    clock = Clock()
    buckets = TokenBuckets(60, 3, clock)
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert buckets.take("a") == 1.0
    assert buckets.wait("a") == 1.0
    assert buckets.take("b") == 0.0
    clock.now = 0.5
    assert buckets.take("a") == 0.5
    clock.now = 1.0
    assert buckets.take("a") == 0.0
    clock.now = 1000.0
    assert [buckets.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]


def test_memory_stays_bounded_and_the_latest_are_remembered() -> None:
    buckets = TokenBuckets(60, 1, Clock())
    for number in range(token_bucket._KEPT + 50):
        buckets.take(number)
    assert len(buckets._levels) <= token_bucket._KEPT
    assert buckets.wait(token_bucket._KEPT + 49) == 1.0
    assert buckets.wait(0) == 0.0


def test_an_address_of_ipv6_counts_by_its_network() -> None:
    def address(host: str) -> str:
        return client_address({"client": (host, 1)})

    assert address("2001:db8::1") == address("2001:db8::ffff") == "2001:db8::/64"
    assert address("2001:db8:0:1::1") != address("2001:db8::1")
    assert address("10.0.0.1") == "10.0.0.1"
    assert client_address({"client": None}) == ""
