-- Judges a request and reserves its amount, in one round trip. Called after the MAC was verified.
--
-- KEYS  1 terminal   2 merchant   3 limit (of the business date)   4 epoch   5 gone (of the business date)   6 seen
-- ARGV  1 run id of this Redis    2 transaction id   3 kind   4 amount, minor units   5 business date, YYYY-MM-DD
--       6 replay window, ms       7 now, ms          8 age after which the limit is counted again, ms
--       9 life of the limit, ms   10 '1' when limits are for this kind
--
-- Returns
--   { 'absent' }                                     terminal or merchant is not projected into this Redis
--   { 'admitted', trev, mrev, reserved, seen, due, first }  each 0 or 1; due: count the limit again; first: this Redis
--                                                    has remembered for longer than the window, and does not know it
--   { 'refused', trev, mrev, code, reason, due }
--   { 'rebuild', trev, mrev }                        the limit must be counted from the journal first
--   { 'gone', trev, mrev }                           this transaction was released before it came
--
-- What was written under another run id counts as absent: a Redis that was restarted may hold an older state than the
-- one that was told. Nothing is written for a request that is refused.

local run, tx, kind, amount, date = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local t = redis.call('HMGET', KEYS[1], 'run', 'rev', 'status')
local m = redis.call('HMGET', KEYS[2], 'run', 'rev', 'status', 'functions', 'max', 'sum', 'count', 'gen', 'since')
if t[1] ~= run or m[1] ~= run then return { 'absent' } end
local trev, mrev = t[2], m[2]

if m[3] ~= 'open' then return { 'refused', trev, mrev, '03', 'merchant-' .. m[3], 0 } end
if t[3] ~= 'active' then return { 'refused', trev, mrev, '58', 'terminal-' .. t[3], 0 } end
-- What a chip made of its issuer's scripts is no business that a merchant is allowed or not.
if m[4] and kind ~= 'script-notice' and not string.find(m[4], ',' .. kind .. ',', 1, true) then
  return { 'refused', trev, mrev, '57', 'function', 0 }
end
if ARGV[10] == '1' and m[5] and tonumber(amount) > tonumber(m[5]) then
  return { 'refused', trev, mrev, '61', 'transaction-amount', 0 }
end

local reserved, due = 0, 0
if ARGV[10] == '1' and (m[6] or m[7]) then
  local stamp = run .. '|' .. m[8]
  local l = redis.call('HMGET', KEYS[3], 'stamp', 'state', 'sum', 'count', 'counted', tx)
  local sum, count, started = 0, 0, false
  if l[1] ~= stamp then
    -- Nothing, or nothing that counts. It starts at zero only when the epoch, which this Redis has kept since the last
    -- count, is of an earlier day; otherwise something was lost.
    local epoch = redis.call('GET', KEYS[4])
    local known = stamp .. '|'
    if l[1] or not epoch or string.sub(epoch, 1, #known) ~= known or date <= string.sub(epoch, #known + 1) then
      return { 'rebuild', trev, mrev }
    end
    started = true
  elseif l[2] == 'building' then
    return { 'rebuild', trev, mrev }
  else
    sum, count = tonumber(l[3]), tonumber(l[4])
    if tonumber(ARGV[7]) - tonumber(l[5]) > tonumber(ARGV[8]) then due = 1 end
  end
  if not l[6] then
    if redis.call('SISMEMBER', KEYS[5], tx) == 1 then return { 'gone', trev, mrev } end
    if m[6] and sum + tonumber(amount) > tonumber(m[6]) then
      return { 'refused', trev, mrev, '61', 'daily-amount', due }
    end
    if m[7] and count + 1 > tonumber(m[7]) then
      return { 'refused', trev, mrev, '65', 'daily-count', due }
    end
    if started then
      redis.call('HSET', KEYS[3], 'stamp', stamp, 'state', 'ready', 'sum', '0', 'count', '0', 'counted', ARGV[7])
      redis.call('PEXPIRE', KEYS[3], ARGV[9])
      redis.call('SET', KEYS[4], stamp .. '|' .. date)
    end
    redis.call('HSET', KEYS[3], tx, amount)
    redis.call('HINCRBY', KEYS[3], 'sum', amount)
    redis.call('HINCRBY', KEYS[3], 'count', 1)
  end
  reserved = 1
end

local seen = 0
if not redis.call('SET', KEYS[6], tx, 'NX', 'PX', ARGV[6]) and redis.call('GET', KEYS[6]) ~= tx then seen = 1 end
local first = 0
if seen == 0 and m[9] then
  local time = redis.call('TIME')
  if time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(m[9]) > tonumber(ARGV[6]) then first = 1 end
end
return { 'admitted', trev, mrev, reserved, seen, due, first }
