-- Judges requests and reserves their amounts, in one round trip. Called after their MACs were verified.
--
-- KEYS  six for each request:
--       1 terminal   2 merchant   3 limit (of the business date)   4 epoch   5 gone (of the business date)   6 seen
-- ARGV  1 run id of this Redis    2 replay window, ms   3 now, ms    4 age after which a limit is counted again, ms
--       5 life of a limit, ms     then one for each request, of five words:
--       transaction id, kind, amount in minor units, business date as YYYY-MM-DD, 1 when limits are for this kind or 0
--
-- Returns for each request a string, of these words:
--   absent                                           terminal or merchant is not projected into this Redis
--   admitted, trev, mrev, reserved, seen, due, first  each 0 or 1; due: count the limit again; first: this Redis
--                                                    has remembered for longer than the window, and does not know it
--   refused, trev, mrev, code, reason, due
--   rebuild, trev, mrev                              the limit must be counted from the journal first
--   gone, trev, mrev                                 this transaction was released before it came
--   failed                                           what is kept for it is damaged; the others are not touched by that
--
-- What was written under another run id counts as absent: a Redis that was restarted may hold an older state than the
-- one that was told. Nothing is written for a request that is refused.

local run, window, now, recount, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- What a merchant may does not change within a call.
local merchants = {}
local function merchant(key)
  local known = merchants[key]
  if not known then
    known = redis.call('HMGET', key, 'run', 'rev', 'status', 'functions', 'max', 'sum', 'count', 'gen', 'since')
    merchants[key] = known
  end
  return known
end

local clock
local function longAgo(since)
  if not clock then
    local time = redis.call('TIME')
    clock = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return clock - tonumber(since) > tonumber(window)
end

-- The request whose keys begin after KEYS[k].
local function judge(k, request)
  local tx, kind, amount, date, counts = string.match(request, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  local counted = counts == '1'

  local t = redis.call('HMGET', KEYS[k + 1], 'run', 'rev', 'status')
  local m = merchant(KEYS[k + 2])
  if t[1] ~= run or m[1] ~= run then return { 'absent' } end
  local trev, mrev = t[2], m[2]

  if m[3] ~= 'open' then return { 'refused', trev, mrev, '03', 'merchant-' .. m[3], 0 } end
  if t[3] ~= 'active' then return { 'refused', trev, mrev, '58', 'terminal-' .. t[3], 0 } end
  -- What a chip made of its issuer's scripts is no business that a merchant is allowed or not.
  if m[4] and kind ~= 'script-notice' and not string.find(m[4], ',' .. kind .. ',', 1, true) then
    return { 'refused', trev, mrev, '57', 'function', 0 }
  end
  if counted and m[5] and tonumber(amount) > tonumber(m[5]) then
    return { 'refused', trev, mrev, '61', 'transaction-amount', 0 }
  end

  local reserved, due = 0, 0
  if counted and (m[6] or m[7]) then
    local stamp = run .. '|' .. m[8]
    local l = redis.call('HMGET', KEYS[k + 3], 'stamp', 'state', 'sum', 'count', 'counted', tx)
    local sum, count, started = 0, 0, false
    if l[1] ~= stamp then
      -- Nothing, or nothing that counts. It starts at zero only when the epoch, which this Redis has kept since the last
      -- count, is of an earlier day; otherwise something was lost.
      local epoch = redis.call('GET', KEYS[k + 4])
      local known = stamp .. '|'
      if l[1] or not epoch or string.sub(epoch, 1, #known) ~= known or date <= string.sub(epoch, #known + 1) then
        return { 'rebuild', trev, mrev }
      end
      started = true
    elseif l[2] == 'building' then
      return { 'rebuild', trev, mrev }
    else
      sum, count = tonumber(l[3]), tonumber(l[4])
      if tonumber(now) - tonumber(l[5]) > tonumber(recount) then due = 1 end
    end
    if not l[6] then
      if redis.call('SISMEMBER', KEYS[k + 5], tx) == 1 then return { 'gone', trev, mrev } end
      if m[6] and sum + tonumber(amount) > tonumber(m[6]) then
        return { 'refused', trev, mrev, '61', 'daily-amount', due }
      end
      if m[7] and count + 1 > tonumber(m[7]) then
        return { 'refused', trev, mrev, '65', 'daily-count', due }
      end
      if started then
        redis.call('HSET', KEYS[k + 3], 'stamp', stamp, 'state', 'ready', 'sum', '0', 'count', '0', 'counted', now)
        redis.call('PEXPIRE', KEYS[k + 3], life)
        redis.call('SET', KEYS[k + 4], stamp .. '|' .. date)
      end
      redis.call('HSET', KEYS[k + 3], tx, amount)
      redis.call('HINCRBY', KEYS[k + 3], 'sum', amount)
      redis.call('HINCRBY', KEYS[k + 3], 'count', 1)
    end
    reserved = 1
  end

  local seen = 0
  if not redis.call('SET', KEYS[k + 6], tx, 'NX', 'PX', window) and redis.call('GET', KEYS[k + 6]) ~= tx then seen = 1 end
  local first = 0
  if seen == 0 and m[9] and longAgo(m[9]) then first = 1 end
  return { 'admitted', trev, mrev, reserved, seen, due, first }
end

-- What speaks of the whole server ends the call as it would have ended a single command.
local unfit = { OOM = true, READONLY = true, MISCONF = true, NOREPLICAS = true }

local function judged(k, request)
  return table.concat(judge(k, request), ' ')
end

local answers = {}
for i = 1, #KEYS / 6 do
  local ok, answer = pcall(judged, 6 * (i - 1), ARGV[5 + i])
  if not ok then
    local text = type(answer) == 'table' and answer.err or tostring(answer)
    if unfit[string.match(text, '^%u+')] then return redis.error_reply(text) end
    answer = 'failed'
  end
  answers[i] = answer
end
return answers
