"""Each failure of Redis is a RegistryError with the store, the cause and the remedy."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
import warnings

import pytest

pytest.importorskip("redis")

from redis.asyncio.sentinel import Sentinel

from asgi_cors.registry.redis import RedisStore
from asgi_cors.registry.store import Entry, RegistryError, Status, Write
from tests.support.programs import ProcessEndedError, free_port
from tests.support.redis_server import RedisServer, replying, running_redis

ADD = Write("add", Entry(origin="https://a.example.com"))
OTHER = Write("add", Entry(origin="https://b.example.com"))
WORKER = "on >pw ~{cors}:* resetchannels &{cors}:* +@read +@connection +subscribe"
WRITER = "on >pw ~{cors}:* resetchannels &{cors}:* +@read +@connection +subscribe +eval +@write"


async def failure_of(coroutine) -> str:
    """Return the message of the error that a coroutine raises."""
    with pytest.raises(RegistryError) as caught:
        await coroutine
    return str(caught.value)


def store_of_user(server: RedisServer, user: str, rights: str) -> RedisStore:
    """Make a user with these rights, and return a store that logs in as that user."""
    server.execute("ACL", "SETUSER", user, *rights.split())
    return RedisStore(server.url.replace("redis://", f"redis://{user}:pw@"))


# -- rights


async def test_a_worker_and_a_writer_need_the_documented_rights_only(redis_server):
    worker, writer = store_of_user(redis_server, "worker", WORKER), store_of_user(redis_server, "writer", WRITER)
    assert (await worker.status()).version == 0
    assert await writer.write([ADD]) == ["add"]
    assert (await worker.status()).version == 1
    assert [entry.origin for entry in await worker.entries()] == ["https://a.example.com"]
    assert [change.version for change in await worker.changes()] == [1]
    assert [len(page) async for page in worker.scan()] == [1]
    changed = (await worker.changes())[0].at
    assert await writer.purge_history(changed) == 0
    message = await failure_of(worker.write([ADD]))
    assert "the user has too few rights (for EVAL). A worker needs +@read +@connection +subscribe" in message
    assert "writer" in message


async def test_a_user_with_the_right_to_evaluate_but_not_to_write_changes_nothing(redis_server):
    if "redis_version:6" in redis_server.execute("INFO", "server"):
        pytest.skip("a script of Redis 6 can't check the rights of its user")
    store = store_of_user(redis_server, "half", "on >pw ~{cors}:* resetchannels &{cors}:* +@all -hset")
    assert "too few rights" in await failure_of(store.write([ADD]))
    assert await store.status() == Status("", 0, 1)


async def test_a_worker_without_the_right_to_subscribe_waits_for_the_poll(redis_server):
    store = store_of_user(redis_server, "worker", WORKER.replace(" +subscribe", ""))
    await store.wait(0.2)
    await store.wait(0.01)
    assert "errorstat_NOPERM:count=1" in redis_server.execute("INFO", "errorstats")


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("default:wrong@", "refuses the user or the password"),
        ("bob:wrong@", "refuses the user"),
        ("", "needs a password"),
    ],
)
async def test_a_wrong_password_is_reported_and_never_shown(user, message):
    with running_redis(requirepass="right") as server:
        store = RedisStore(server.url.replace("redis://", f"redis://{user}"))
        text = await failure_of(store.status())
    assert text.startswith(f"redis://127.0.0.1:{server.port}/0: Redis ")
    assert message in text
    assert "wrong" not in text + repr(store)


# -- states of a server


async def test_a_full_memory_is_reported_and_nothing_is_changed(redis_server):
    store = RedisStore(redis_server.url)
    await store.write([ADD])
    status = await store.status()
    redis_server.execute("CONFIG", "SET", "maxmemory", "100kb")
    assert "its memory limit, and nothing was changed. Raise maxmemory" in await failure_of(store.write([OTHER]))
    assert await store.status() == status
    assert len(await store.entries()) == 1


async def test_a_replica_is_read_but_not_written_to(redis_server):
    await RedisStore(redis_server.url).write([ADD])
    with running_redis(replicaof=f"127.0.0.1 {redis_server.port}") as replica:
        store = RedisStore(replica.url)
        while not (await store.status()).id:
            pass
        assert len(await store.entries()) == 1
        assert "this Redis is a replica" in await failure_of(store.write([OTHER]))


async def test_a_node_of_a_cluster_without_slots_is_reported():
    with running_redis(cluster_enabled="yes") as server:
        assert "the Redis Cluster is down" in await failure_of(RedisStore(server.url).status())


async def test_a_node_of_a_cluster_that_has_all_slots_serves_a_registry():
    with running_redis(cluster_enabled="yes") as server:
        for start in range(0, 16384, 1024):
            server.execute("CLUSTER", "ADDSLOTS", *map(str, range(start, start + 1024)))
        while "cluster_state:ok" not in server.execute("CLUSTER", "INFO"):
            pass
        store = RedisStore(server.url)
        assert await store.write([ADD]) == ["add"]
        assert len(await store.entries()) == 1
        assert "in several slots. Write a prefix with braces" in await failure_of(
            RedisStore(server.url, prefix="cors:").write([ADD])
        )


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("-LOADING Redis is loading the dataset in memory", "is loading its data"),
        ("-MOVED 3999 127.0.0.1:6381", "another node of this Redis Cluster"),
        ("-MASTERDOWN Link with MASTER is down", "lost its primary"),
        ("-NOREPLICAS Not enough good replicas to write.", "too few replicas"),
        ("-MISCONF Redis is configured to save RDB snapshots, but can't", "can't write to its disk"),
        ("-BUSY Redis is busy running a script.", "the script of another client"),
        ("-DENIED Redis is running in protected mode", "its own machine only"),
        ("-ERR max number of clients reached", "too many clients"),
        ("-ERR Protocol error: unauthenticated multibulk length", "needs a password"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "it is not a Redis server"),
    ],
    ids=lambda text: text.split()[0].lower(),
)
async def test_an_error_of_redis_is_explained(reply, message):
    async with replying(f"{reply}\r\n".encode()) as port:
        store = RedisStore(f"redis://127.0.0.1:{port}")
        text = await failure_of(store.write([ADD]))
        await store.close()
    assert text.startswith(f"redis://127.0.0.1:{port}/0: ")
    assert message in text


# -- the network


async def test_a_server_that_never_responds_is_reported_and_the_write_is_uncertain():
    async with replying(None) as port:
        store = RedisStore(f"redis://127.0.0.1:{port}?socket_timeout=0.1")
        text = await failure_of(store.write([ADD]))
        await store.close()
    assert "no response in time" in text
    assert "The change may have been made. It is safe to repeat it." in text


async def test_a_refused_connection_is_reported():
    assert "no connection" in await failure_of(RedisStore(f"redis://127.0.0.1:{free_port()}").status())


async def test_a_service_that_sentinel_does_not_know_is_reported():
    store = RedisStore(client=lambda: Sentinel([("127.0.0.1", free_port())]).master_for("registry"))
    assert "Sentinel names no primary" in await failure_of(store.status())


async def test_a_missing_socket_is_reported(tmp_path):
    assert "no connection" in await failure_of(RedisStore(f"unix://{tmp_path}/redis.sock").status())


async def test_an_unknown_host_is_reported():
    message = await failure_of(RedisStore("redis://redis.invalid").status())
    assert "redis://redis.invalid:6379/0: the host name is not known" in message


async def test_a_server_that_ends_is_reported_and_used_again_when_it_is_back(redis_server):
    store = RedisStore(redis_server.url)
    await store.status()
    redis_server.kill()
    await failure_of(store.status())
    assert "no connection" in await failure_of(store.write([ADD]))
    redis_server.start()
    assert await store.write([ADD]) == ["add"]


async def test_tls_to_a_port_without_tls_is_reported(redis_server):
    message = await failure_of(
        RedisStore(redis_server.url.replace("redis://", "rediss://") + "?socket_connect_timeout=0.2").status()
    )
    assert "TLS" in message


@pytest.fixture
def certificate(tmp_path):
    """Make a certificate for localhost."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files, *names]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path


async def test_tls_is_used_and_the_certificate_is_checked(certificate):
    port = free_port()
    tls = {"tls-port": str(port), "tls-auth-clients": "no"}
    files = {"tls-cert-file": str(certificate / "cert.pem"), "tls-key-file": str(certificate / "key.pem")}
    with contextlib.ExitStack() as stack:
        server = RedisServer(certificate, {**tls, **files})
        stack.callback(server.kill)
        try:
            server.start()
        except ProcessEndedError:
            pytest.skip("this Redis was built without TLS")
        trusting = RedisStore(f"rediss://localhost:{port}?ssl_ca_certs={certificate}/cert.pem")
        assert await trusting.write([ADD]) == ["add"]
        assert "no TLS connection" in await failure_of(RedisStore(f"rediss://localhost:{port}").status())
        careless = RedisStore(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ssl.SSLError)
            assert (await careless.status()).version == 1
        for store in (trusting, careless):
            await store.close()


# -- the data


@pytest.mark.parametrize("key", ["entries", "changes"])
async def test_a_key_of_another_type_is_reported(redis_server, key):
    redis_server.execute("SET", f"{{cors}}:{key}", "x")
    store = RedisStore(redis_server.url)
    assert "other data is stored" in await failure_of(store.write([ADD]))
    if key == "changes":
        assert "other data is stored" in await failure_of(store.status())
    else:
        assert "other data is stored" in await failure_of(anext(store.scan()))


@pytest.mark.parametrize("value", ["no JSON", "7", "{}", '{"note": "", "expires_at": ""}'])
async def test_an_entry_of_another_program_is_reported(redis_server, value):
    store = RedisStore(redis_server.url)
    await store.write([])
    redis_server.execute("HSET", "{cors}:entries", '["","https://a.example.com"]', value)
    assert "other data is stored" in await failure_of(anext(store.scan()))
    assert "other data is stored" in await failure_of(anext(store.scan_origins()))


@pytest.mark.parametrize("name", ["no JSON", "7", '["",""],["",""]', '["https://a.example.com"]'])
async def test_a_name_of_another_program_is_reported(redis_server, name):
    store = RedisStore(redis_server.url)
    await store.write([])
    redis_server.execute("HSET", "{cors}:entries", name, '{"id":"1","expires_at":""}')
    assert "other data is stored" in await failure_of(anext(store.scan_origins()))


@pytest.mark.parametrize(
    "value",
    [
        "no JSON",
        "7",
        "{}",
        '{"note": null, "expires_at": ""}',
        '{"note": "", "expires_at": null}',
        '{"note": "", "expires_at": "soon"}',
    ],
)
async def test_an_entry_of_another_program_is_not_overwritten(redis_server, value):
    store = RedisStore(redis_server.url)
    await store.write([])
    redis_server.execute("HSET", "{cors}:entries", '["","https://a.example.com"]', value)
    assert "other data is stored" in await failure_of(store.write([OTHER, ADD]))
    assert (await store.status()).version == 0


async def test_a_change_of_another_program_is_reported(redis_server):
    store = RedisStore(redis_server.url)
    redis_server.execute("XADD", "{cors}:changes", "1-0", "some", "thing")
    assert "other data is stored" in await failure_of(store.changes())


@pytest.mark.parametrize("version", ["abc", "-5", "1.5", "", "9" * 20])
async def test_a_version_of_another_program_is_not_changed(redis_server, version):
    store = RedisStore(redis_server.url)
    await store.write([ADD])
    redis_server.execute("SET", "{cors}:version", version)
    assert "other data is stored" in await failure_of(store.write([OTHER]))
    assert f"\r\n{version}\r\n" in redis_server.execute("GET", "{cors}:version")


async def test_a_registry_with_an_empty_id_accepts_no_write(redis_server):
    """A worker takes it for one that was never written to."""
    store = RedisStore(redis_server.url)
    await store.write([ADD])
    redis_server.execute("SET", "{cors}:id", "")
    assert "has lost its id" in await failure_of(store.write([OTHER]))


async def test_a_nested_value_of_another_program_is_reported(redis_server):
    store = RedisStore(redis_server.url)
    await store.write([])
    redis_server.execute("HSET", "{cors}:entries", '["","https://a.example.com"]', "[" * 5_000)
    assert "other data is stored" in await failure_of(anext(store.scan()))


async def test_a_client_with_too_few_connections_is_reported(redis_server):
    store = RedisStore(f"{redis_server.url}?max_connections=1")
    await store.write([ADD])
    scan = store.scan()
    await anext(scan)
    assert "Raise its max_connections" in await failure_of(store.status())
    await scan.aclose()
    await store.close()


async def test_a_command_that_close_ends_is_reported_and_its_caller_is_not_cancelled(redis_server):
    store = RedisStore(redis_server.url)
    await store.status()
    redis_server.pause()
    write = asyncio.ensure_future(failure_of(store.write([ADD])))
    await asyncio.sleep(0.1)
    await store.close()
    assert "the connection was closed" in await write
    redis_server.pause(to_go_on=True)


async def test_a_version_of_another_program_is_reported(redis_server):
    redis_server.execute("SET", "{cors}:version", "1.5")
    assert "other data is stored" in await failure_of(RedisStore(redis_server.url).status())


async def test_a_newer_schema_is_neither_read_nor_changed(redis_server):
    store = RedisStore(redis_server.url)
    await store.write([ADD])
    redis_server.execute("SET", "{cors}:schema", "2")
    assert "Upgrade asgi-cors-bridge" in await failure_of(store.status())
    assert "Upgrade asgi-cors-bridge" in await failure_of(store.write([ADD]))


@pytest.mark.parametrize("key", ["id", "version"])
async def test_a_registry_that_has_lost_a_key_accepts_no_write(redis_server, key):
    store = RedisStore(redis_server.url)
    await store.write([ADD])
    redis_server.execute("DEL", f"{{cors}}:{key}")
    assert "has lost its id or its version" in await failure_of(store.write([ADD]))


@pytest.mark.parametrize(("policy", "lines"), [("allkeys-lru", 1), ("volatile-lru", 0), ("noeviction", 0)])
async def test_a_policy_that_deletes_origins_is_logged_once(policy, lines, caplog):
    with running_redis(maxmemory_policy=policy) as server:
        store = RedisStore(server.url)
        await store.status()
        await store.write([ADD])
    messages = [record.getMessage() for record in caplog.records if record.name == "asgi_cors"]
    assert len(messages) == lines
    assert all("Set it to noeviction" in message for message in messages)
