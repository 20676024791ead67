-- Ends a count: the limit is ready, or was given up and is free for the next caller.
--
-- KEYS  1 limit   2 epoch
-- ARGV  1 token of the caller   2 'ready' or 'failed'   3 time of this count, ms
--       4 the latest business date the journal knows, YYYY-MM-DD: a later one starts at zero
--
-- Returns 1, or 0 when the caller no longer holds the count.

local l = redis.call('HMGET', KEYS[1], 'token', 'stamp', 'state')
if l[1] ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'token')
redis.call('HSET', KEYS[1], 'until', '0')
if ARGV[2] == 'failed' then
  -- A limit that was being checked stands as it did; one that was being built is still to be built.
  if l[3] == 'checking' then redis.call('HSET', KEYS[1], 'state', 'ready') end
  return 1
end
redis.call('HSET', KEYS[1], 'state', 'ready', 'counted', ARGV[3])
local known = l[2] .. '|'
local epoch = redis.call('GET', KEYS[2])
if not epoch or string.sub(epoch, 1, #known) ~= known or string.sub(epoch, #known + 1) < ARGV[4] then
  redis.call('SET', KEYS[2], known .. ARGV[4])
end
return 1
