-- Gives reservations back. Idempotent: what is not reserved changes nothing.
--
-- KEYS  1 limit   2 gone
-- ARGV  1 '1' when these transactions must not be reserved any more, even if their admission is still on its way
--       2 life of `gone`, ms   3... transaction ids
--
-- Returns how many reservations it removed.
--
-- While the limit is being counted from the journal, what is released is written down in `gone`: the count may
-- have been read before the release and would bring it back.

local state = redis.call('HGET', KEYS[1], 'state')
local remember = ARGV[1] == '1' or state == 'building' or state == 'checking'
local removed = 0
for i = 3, #ARGV do
  local amount = redis.call('HGET', KEYS[1], ARGV[i])
  if amount then
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('HINCRBY', KEYS[1], 'sum', '-' .. amount)
    redis.call('HINCRBY', KEYS[1], 'count', -1)
    removed = removed + 1
  end
  if remember then redis.call('SADD', KEYS[2], ARGV[i]) end
end
if remember then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return removed
