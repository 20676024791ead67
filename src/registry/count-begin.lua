-- Begins to count a limit from the journal, for one caller at a time.
--
-- KEYS  1 limit   2 merchant
-- ARGV  1 run id of this Redis   2 token of the caller   3 lease to build, ms   4 lease to check, ms   5 life, ms
--
-- Returns
--   'absent'  the merchant is not projected into this Redis, or has no daily limit
--   'busy'    another caller is at it
--   'build'   the limit starts from nothing; admission waits for `count-end`
--   'check'   the limit stands and admission goes on; differences are to be mended

local m = redis.call('HMGET', KEYS[2], 'run', 'gen', 'sum', 'count')
if m[1] ~= ARGV[1] or not (m[3] or m[4]) then return 'absent' end
local stamp = m[1] .. '|' .. m[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local l = redis.call('HMGET', KEYS[1], 'stamp', 'state', 'until')
local same = l[1] == stamp
if same and l[2] ~= 'ready' and tonumber(l[3]) > now then return 'busy' end

if same and l[2] ~= 'building' then
  redis.call('HSET', KEYS[1], 'state', 'checking', 'token', ARGV[2], 'until', string.format('%.0f', now + ARGV[4]))
  return 'check'
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'stamp', stamp, 'state', 'building', 'token', ARGV[2],
  'until', string.format('%.0f', now + ARGV[3]), 'sum', '0', 'count', '0', 'counted', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'build'
