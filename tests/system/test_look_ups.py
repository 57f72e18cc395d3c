"""Look-ups that hang, raise, respond late or block a thread, under load: other origins are served as always."""

import threading
from collections.abc import Iterator

import pytest

from .servers import Connection, Fleet, Load, fleet_of

pytestmark = [pytest.mark.slow, pytest.mark.system]

CUSTOMER = "https://customer.example.com"
REQUESTS = 100


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return one uvicorn server of two workers, whose look-ups fail as the origin says."""
    with fleet_of(tmp_path_factory.mktemp("fleet"), servers=1, STORE="") as workers:
        yield workers


@pytest.mark.parametrize("kind", ["hangs", "raises", "late", "blocks"])
def test_a_look_up_that_fails_refuses_its_origin_and_delays_no_other(fleet: Fleet, kind):
    assert fleet.allow(CUSTOMER)
    (port,) = fleet.ports
    wrong: list[str] = []

    def send(number: int) -> None:
        connection = Connection(port)
        try:
            for turn in range(2):
                origin = f"https://{kind}-{number}-{turn}.example.com"
                response = connection.get(origin)
                if response.status != 200 or response.headers["access-control-allow-origin"]:
                    wrong.append(f"{origin}: {response.status}")
                if response.headers["cache-control"] != "no-store":
                    wrong.append(f"{origin}: may be stored by caches")
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    with Load(fleet, [CUSTOMER]) as load:
        for thread in threads:
            thread.start()
        load.wait_for_requests(REQUESTS)
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_server_ends_although_look_ups_hang_and_block(tmp_path):
    with fleet_of(tmp_path, servers=1, workers=1, STORE="") as fleet:
        assert fleet.refuse("https://blocks.example.com")
        assert fleet.refuse("https://hangs.example.com")
