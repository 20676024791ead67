-- Takes a reservation again that was released for a void which did not last. Idempotent.
--
-- KEYS  1 limit   2 gone
-- ARGV  1 transaction id   2 amount, minor units
--
-- Returns 1 when it is reserved again, 0 when it is already, or when nothing is counted here.

redis.call('SREM', KEYS[2], ARGV[1])
if redis.call('HEXISTS', KEYS[1], 'state') == 0 or redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'sum', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'count', 1)
return 1
