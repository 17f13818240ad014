-- Asks for one page again and again, and says at the end what came of it.
-- With the argument `fresh` each request has another query.

function init(args)
  fresh = args[1] == "fresh"
  number = 0
end

function request()
  if not fresh then return wrk.format() end
  number = number + 1
  return wrk.format(nil, wrk.path .. "?utm_campaign=c" .. number)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "us": %d, "p50": %d, "p99": %d, "max": %d, "refused": %d, "broken": %d, "left": 0}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
