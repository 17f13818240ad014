-- Sends prepared bodies, each once, and says at the end what came of it.
-- Arguments: a file with a body a line, then headers as `Name: value`.
-- Several threads go to one address each (ports in the environment's BENCHMARK_PORTS).

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
  local ports = {}
  for port in (os.getenv("BENCHMARK_PORTS") or ""):gmatch("%d+") do table.insert(ports, port) end
  thread:set("count", math.max(#ports, 1))
  if #ports > 0 then
    thread.addr = wrk.lookup("127.0.0.1", ports[(#threads - 1) % #ports + 1])[1]
  end
end

function init(args)
  bodies = {}
  local line = 0
  for body in io.lines(args[1]) do
    line = line + 1
    if line % count == number % count then table.insert(bodies, body) end
  end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  for index = 2, #args do
    local name, value = args[index]:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
  left = #bodies
end

function request()
  if left == 0 then
    wrk.thread:stop()
    return wrk.format("GET", "/healthz")
  end
  left = left - 1
  return wrk.format(nil, nil, nil, bodies[left + 1])
end

function done(summary, latency, requests)
  local unsent = 0
  for _, thread in ipairs(threads) do unsent = unsent + thread:get("left") end
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "us": %d, "p50": %d, "p99": %d, "max": %d, "refused": %d, "broken": %d, "left": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, unsent))
end
