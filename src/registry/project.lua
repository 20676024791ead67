-- Writes what Postgres says about one merchant or terminal, unless this Redis was told something newer.
--
-- KEYS  1 merchant or terminal
-- ARGV  1 run id of this Redis   2 revision   3 life, ms   4... field, value, field, value
--
-- Returns 1 when written, 0 when what is there is newer.
--
-- What another run wrote is void and is replaced whatever its revision: that Redis may have been set back, and so may
-- Postgres (restored from a backup).

-- `since`: from when on this Redis has remembered what it was told of it; later when it was emptied.
local held = redis.call('HMGET', KEYS[1], 'run', 'rev', 'since')
if held[1] == ARGV[1] and tonumber(held[2]) > tonumber(ARGV[2]) then return 0 end
local since = held[1] == ARGV[1] and held[3]
if not since then
  local time = redis.call('TIME')
  since = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'rev', ARGV[2], 'since', since, unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
