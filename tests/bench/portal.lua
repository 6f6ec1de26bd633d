-- One kind of request for tests/bench/portal.sh, by people with a pause of 1 to
-- 3 s: KIND, addresses with their session, "%s" for a number of a voucher.
local sessions, paths, vouchers = {}, {}, tonumber(os.getenv("VOUCHERS"))
for line in io.lines(os.getenv("SESSIONS")) do
    local who, cookie = line:match("^(%S+) (%S+)$")
    sessions[who] = cookie
end
for line in io.lines(os.getenv("PATHS")) do
    local kind, who, path = line:match("^(%S+) (%S+) (%S+)$")
    if kind == os.getenv("KIND") then
        paths[#paths + 1] = { who = who, path = path }
    end
end
math.randomseed(tonumber(os.getenv("SEED")))

function delay()
    return math.random(1000, 3000)
end

function request()
    local one = paths[math.random(#paths)]
    local number = string.format("V-2026-%06d", math.random(vouchers))
    return wrk.format("GET", (one.path:gsub("NUMBER", number)), {
        ["Cookie"] = "yz_session=" .. sessions[one.who],
        ["Accept-Encoding"] = "gzip",
    })
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format("  %-8s %5d requests  p50 %7.1f  p90 %7.1f  p99 %7.1f  max %7.1f ms  errors %d",
        os.getenv("KIND"), summary.requests, latency:percentile(50) / 1000,
        latency:percentile(90) / 1000, latency:percentile(99) / 1000, latency.max / 1000,
        errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
