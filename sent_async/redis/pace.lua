-- One exchange of one process with Redis: it reports its permits and what it has learned, and gets permits.
-- KEYS: the shared state (JSON), permits by process, end of lease by process. ARGV: the process, its report (JSON).
-- All times are in seconds, by the clock of Redis or from its now. window.py describes the members of report and reply.
local member, r = ARGV[1], cjson.decode(ARGV[2])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local s = cjson.decode(redis.call('GET', KEYS[1]) or [[{"epoch":-1,"left":-1,"held":0,"limit":0,"period":0,
  "resets":0,"asked":0,"paused":0,"spread":0,"next":0,"interval":1}]])

-- Take back the permits of processes that died. The permits of this process are those in its report.
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
  s.held = s.held - (redis.call('HGET', KEYS[2], dead) or 0)
  redis.call('HDEL', KEYS[2], dead)
  redis.call('ZREM', KEYS[3], dead)
end
s.held = s.held - (redis.call('HGET', KEYS[2], member) or 0) + r.held

-- Learn from the report. Each new window has a new epoch; a report about an earlier epoch is too late.
if r.epoch > s.epoch then
  s.epoch, s.left, s.resets, s.asked = r.epoch, r.left, now + r.resets, 0
elseif r.epoch == s.epoch and r.left >= 0 then
  s.left = s.left < 0 and r.left or math.min(s.left, r.left)
end
if r.epoch == s.epoch and r.limit > 0 then
  s.period = r.limit == s.limit and math.max(s.period, r.period) or r.period
  s.limit = r.limit
end
if r.pause > 0 then
  s.paused = math.max(s.paused, now + r.pause)
  s.spread = math.max(s.spread, s.paused + r.spread)
  s.left, s.resets, s.next, s.asked, s.interval = 0, s.paused, s.paused, 0, r.interval
end

-- How many permits there are now: the rules of RateWindow, but all permits that are held count as in flight.
local room, wait, asks = s.left - s.held, r.poll, false
if now < s.paused then
  room, wait = 0, s.paused - now
elseif room < 1 then
  if now < s.resets then
    if s.left < 1 then wait = s.resets - now end
  elseif s.asked == 0 then
    room, asks = 1, true
  elseif now >= s.asked + r.patience then
    room = (s.limit > 0 and s.limit or r.unlimited) - s.held
  end
end
if room >= 1 and now < s.spread then
  if now < s.next then
    room, wait = 0, s.next - now
  else
    room = math.min(room, 1 + math.min(now - s.next, 0.1) / s.interval)
  end
end

-- No process holds more than an equal part of the requests that are left.
local members = redis.call('ZCARD', KEYS[3]) + (redis.call('ZSCORE', KEYS[3], member) and 0 or 1)
local granted = 0
if room >= 1 then
  granted = math.floor(math.min(r.want, room, math.max(1, (room + s.held) / members - r.held)))
end
if granted > 0 then
  s.held = s.held + granted
  s.next = math.max(s.next, now - 0.1) + granted * s.interval
  if asks then s.asked = now end
end

if r.held + r.want > 0 then
  redis.call('HSET', KEYS[2], member, r.held + granted)
  redis.call('ZADD', KEYS[3], now + r.lease + wait, member)
else
  redis.call('HDEL', KEYS[2], member)
  redis.call('ZREM', KEYS[3], member)
end
redis.call('SET', KEYS[1], cjson.encode(s))
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 7200) end
return cjson.encode({granted = granted, wait = wait, now = now, members = members, epoch = s.epoch, left = s.left,
  limit = s.limit, period = s.period, resets = s.resets - now, paused = s.paused - now, spread = s.spread - now})
