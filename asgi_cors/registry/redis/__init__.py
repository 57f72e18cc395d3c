"""A registry in Redis, or Valkey, for workers on several machines.

The keys, after the prefix:

- `entries`: a hash. A name is the JSON list of tenant and origin; a value is a JSON object.
- `changes`: a stream, the history. The id of change 812 is `812-0`.
- `version`, `schema`, `id`: texts. The id is random and made with the registry.

Writers publish the version on the channel `changed`. That is only a hint.

A worker uses the commands MGET, XRANGE, HSCAN, HMGET and SUBSCRIBE; a writer also EVAL (with TYPE, EXISTS, MGET, HGET,
HSET, HDEL, XADD, MSET and PUBLISH) and XTRIM. If it may, a worker reads maxmemory-policy with INFO. Redis 6.2 and
Valkey 7.2 have all of them.

A worker parses replies with hiredis if that is installed, because redis-py does: it then loads 1,000,000 origins in 4 s
instead of 11 s.
"""

import importlib.util

if importlib.util.find_spec("redis") is None:
    raise ImportError(
        "RedisRegistry needs redis-py. Install it with pip install 'asgi-cors-bridge[redis]'.", name="redis"
    )

from .registry import RedisRegistry
from .store import RedisStore

__all__ = ["RedisRegistry", "RedisStore"]
