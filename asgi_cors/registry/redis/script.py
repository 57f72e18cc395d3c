"""The Lua script that writes to a Redis registry, and its arguments.

Redis runs a script without interruption, and sends its writes to replicas and to the append-only file as one
transaction. But it does not undo the writes of a script that fails. So the script reads and checks everything first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from asgi_cors.registry.store import Write

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SCHEMA: Final = 1

SCRIPT: Final = """
local entries, changes, version_key, schema_key, id_key = unpack(KEYS)
local channel, schema, new_id, now = unpack(ARGV, 1, 4)

local kind = redis.call('TYPE', entries).ok .. ' ' .. redis.call('TYPE', changes).ok
if not ({['none none'] = 1, ['hash none'] = 1, ['none stream'] = 1, ['hash stream'] = 1})[kind] then
  return redis.error_reply('WRONGTYPE ' .. kind)
end
local id, version, found = unpack(redis.call('MGET', id_key, version_key, schema_key))
if found and found ~= schema then
  return redis.error_reply('SCHEMA ' .. found)
end
if id == '' then
  id = false
end
if version and not version:match('^%d%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?$') then
  return redis.error_reply('UNREADABLE ' .. version_key)
end
if id and not version or not id and redis.call('EXISTS', unpack(KEYS)) > 0 then
  return redis.error_reply('INCOMPLETE')
end
if redis.acl_check_cmd and not (
  redis.acl_check_cmd('XADD', changes, '1-0', 'at', now) and redis.acl_check_cmd('HSET', entries, 'a', 'b')
  and redis.acl_check_cmd('HDEL', entries, 'a') and redis.acl_check_cmd('MSET', version_key, 1, id_key, 1)
) then
  return redis.error_reply('NOPERM')
end
local is_new = not id
id, version = id or new_id, tonumber(version or 0)

local stored = {}   -- by key: the entry as it is after the writes so far; false if there is none
local function current(key)
  if stored[key] == nil then
    local text = redis.call('HGET', entries, key)
    stored[key] = text and cjson.decode(text)
  end
  return stored[key]
end
local function is_entry(value)
  return type(value) == 'table' and type(value.note) == 'string' and type(value.expires_at) == 'string'
    and (value.expires_at == '' or tonumber(value.expires_at))
end
for i = 5, #ARGV, 7 do
  local is_readable, entry = pcall(current, ARGV[i + 1])
  if not is_readable or entry and not is_entry(entry) then
    return redis.error_reply('UNREADABLE ' .. ARGV[i + 1])
  end
end

local actions, history, touched = {}, {}, {}
for i = 5, #ARGV, 7 do
  local write, key, origin, tenant, by, note, expires_at = unpack(ARGV, i, i + 6)
  local old = current(key)
  local action = ''
  if write == 'remove' then
    if old then
      action, note, expires_at, stored[key] = 'remove', old.note, old.expires_at, false
    end
  elseif not old or old.expires_at ~= '' and tonumber(old.expires_at) <= tonumber(now) then
    action = 'add'
    local new = string.format('%d', version + 1)
    stored[key] = {id = new, added_at = now, by = by, note = note, expires_at = expires_at}
  elseif old.note ~= note or old.expires_at ~= expires_at then
    action, old.note, old.expires_at = 'update', note, expires_at
  end
  actions[#actions + 1] = action
  if action ~= '' then
    version = version + 1
    history[#history + 1] = {string.format('%d-0', version), 'at', now, 'action', action, 'origin', origin,
                             'tenant', tenant, 'by', by, 'note', note, 'expires_at', expires_at}
    touched[key] = true
  end
end

for _, change in ipairs(history) do
  redis.call('XADD', changes, unpack(change))
end
for key in pairs(touched) do
  if stored[key] then
    redis.call('HSET', entries, key, cjson.encode(stored[key]))
  else
    redis.call('HDEL', entries, key)
  end
end
if is_new or #history > 0 then
  version = string.format('%d', version)
  redis.call('MSET', version_key, version, id_key, id, schema_key, schema)
  redis.pcall('PUBLISH', channel, version)   -- only a hint: without the right to publish, workers poll
end
return actions
"""


def arguments(writes: Sequence[Write], *, channel: bytes, new_id: str, now: datetime) -> list[bytes]:
    """Return the arguments of the script: four of the call, and seven of each write."""
    values = [channel, as_bytes(str(SCHEMA)), as_bytes(new_id), as_bytes(timestamp(now))]
    for write in writes:
        entry = write.entry
        key = entry_key(entry.origin, entry.tenant)
        texts = (entry.origin, entry.tenant, entry.by, entry.note, timestamp(entry.expires_at))
        values += [as_bytes(write.action), key, *map(as_bytes, texts)]
    return values


def entry_key(origin: str, tenant: str) -> bytes:
    """Return the name of an entry in the hash, such as `["","https://app.example.com"]`."""
    return as_bytes(json.dumps([tenant, origin], ensure_ascii=False, separators=(",", ":")))


def name_pattern(tenant: str | None, *, only_patterns: bool) -> bytes | None:
    """Return the glob of the names of a tenant's entries, or of all; None if it would match all names.

    Args:
        tenant: The tenant; None for all.
        only_patterns: Match names with `*` only. It may be in the tenant's name.
    """
    end = b"*\\**" if only_patterns else b"*"
    if tenant is None:
        return end if only_patterns else None
    start = json.dumps([tenant], ensure_ascii=False, separators=(",", ":")).removesuffix("]")
    return as_bytes("".join(f"\\{letter}" if letter in r"\*?[]^-" else letter for letter in start)) + b"," + end


def as_bytes(text: str | bytes) -> bytes:
    """Encode a text. Surrogates, which come from a command line that is not UTF-8, are stored as they are."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def as_text(value: bytes | str) -> str:
    """Decode a reply. The client of a user may have decoded it."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def timestamp(time: datetime | None) -> str:
    """Return a time in microseconds since 1970; an empty text for None."""
    return "" if time is None else str((time - EPOCH) // timedelta(microseconds=1))


def as_datetime(text: str) -> datetime | None:
    """Return the time of a timestamp; None for an empty text."""
    return EPOCH + timedelta(microseconds=int(text)) if text else None
