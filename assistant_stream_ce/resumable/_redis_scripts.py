"""What happens inside Redis, each in one step and without harm when it is repeated.

A stream is a hash, `info`, and a Redis stream, `log`. The id of a log entry is `END-0`, where END
counts the bytes of the stream up to the entry's end; so an entry says itself which bytes it
holds, a reader sees a gap, and an append that is sent twice, because its answer was lost, is
known. The last entry, `END-1`, says how the stream ended.

`info` holds: `token` (which creation of the id this is), `owner` (the process that writes it),
`status`, `size`, `ttl` in milliseconds, `error`, and `cancel` once somebody has asked for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1

__all__ = ("ACQUIRE", "APPEND", "CANCEL", "CLAIM", "DELETE", "FINISH", "Script")


@dataclass(frozen=True)
class Script:
    """A Lua script and the name that Redis caches it under."""

    source: str

    @property
    def sha(self) -> str:
        """The SHA-1 of the source, as Redis computes it."""
        return sha1(self.source.encode(), usedforsecurity=False).hexdigest()


ACQUIRE = Script("""\
-- KEYS info; ARGV token, ttl. Whether the stream is the caller's to produce.
local token = redis.call('HGET', KEYS[1], 'token')
if token then return token == ARGV[1] and 1 or 0 end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'ttl', ARGV[2], 'status', 'streaming', 'size', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
""")

CLAIM = Script("""\
-- KEYS info; ARGV owner. The owner writes the stream from now on.
local info = redis.call('HMGET', KEYS[1], 'token', 'status', 'size', 'cancel')
if info[1] and info[2] == 'streaming' then
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
end
return info
""")

APPEND = Script("""\
-- KEYS info, log; ARGV token, start, end, bytes.
local info = redis.call('HMGET', KEYS[1], 'token', 'status', 'size', 'ttl', 'cancel')
if info[1] ~= ARGV[1] then return 'missing' end
if info[2] ~= 'streaming' then return 'finalized' end
if info[3] ~= ARGV[3] then
  if info[3] ~= ARGV[2] then return 'lost' end
  if info[3] ~= '0' and redis.call('EXISTS', KEYS[2]) == 0 then return 'lost' end
  redis.call('XADD', KEYS[2], ARGV[3] .. '-0', 'c', ARGV[4])
  redis.call('HSET', KEYS[1], 'size', ARGV[3])
end
redis.call('PEXPIRE', KEYS[1], info[4])
redis.call('PEXPIRE', KEYS[2], info[4])
return info[5] and 'cancel' or 'ok'
""")

FINISH = Script("""\
-- KEYS info, log; ARGV token, status, error, code, reported.
local info = redis.call('HMGET', KEYS[1], 'token', 'status', 'size', 'ttl')
if info[1] ~= ARGV[1] then return 'missing' end
if info[2] ~= 'streaming' then return 'finalized' end
local fields = {'status', ARGV[2], 'error', ARGV[3], 'code', ARGV[4], 'reported', ARGV[5]}
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('XADD', KEYS[2], info[3] .. '-1', unpack(fields))
redis.call('PEXPIRE', KEYS[1], info[4])
redis.call('PEXPIRE', KEYS[2], info[4])
return 'ok'
""")

CANCEL = Script("""\
-- KEYS info. The owner of a stream that is being produced, '' when there is none yet.
local info = redis.call('HMGET', KEYS[1], 'status', 'owner')
if info[1] ~= 'streaming' then return false end
redis.call('HSET', KEYS[1], 'cancel', '1')
return info[2] or ''
""")

DELETE = Script("""\
-- KEYS info, log; ARGV token, error, linger. The log stays a moment, for those who read it.
local info = redis.call('HMGET', KEYS[1], 'token', 'status', 'size')
if info[1] ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if info[2] == 'streaming' then
  redis.call('XADD', KEYS[2], info[3] .. '-1', 'status', 'error', 'error', ARGV[2],
    'code', 'deleted', 'reported', '')
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
""")
