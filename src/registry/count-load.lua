-- Adds what the journal has and the limit has not.
--
-- KEYS  1 limit   2 gone
-- ARGV  1 token of the caller   2... transaction id, amount, transaction id, amount
--
-- Returns how many it added, -1 when the caller no longer holds the count.

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return -1 end
local added = 0
for i = 2, #ARGV, 2 do
  if redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 0 and redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('HINCRBY', KEYS[1], 'sum', ARGV[i + 1])
    redis.call('HINCRBY', KEYS[1], 'count', 1)
    added = added + 1
  end
end
return added
