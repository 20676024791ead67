-- Writes what Postgres says about one merchant or terminal, unless this Redis was told something newer.
--
-- KEYS  1 merchant or terminal
-- ARGV  1 run id of this Redis   2 revision   3 life, ms   4... field, value, field, value
--
-- Returns 1 when written, 0 when what is there is newer.
--
-- What another run wrote is void and is replaced whatever its revision: that Redis may have been set back, and so may
-- Postgres (restored from a backup).

local held = redis.call('HMGET', KEYS[1], 'run', 'rev')
if held[1] == ARGV[1] and tonumber(held[2]) > tonumber(ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'rev', ARGV[2], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
