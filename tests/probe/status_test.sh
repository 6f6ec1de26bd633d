#!/bin/bash
# yz-probe status as a command: exit status and one clear sentence for a probe
# that never ran, is not ours to look at, died, or is running.
. tests/tap.sh
B=${B:-build}
probe=$(realpath "$B/san/bin/yz-probe")
work=$(mktemp -d /tmp/yz-status-test.XXXXXX)
trap 'rm -rf "$work"' EXIT
unset LC_ALL LC_MESSAGES
export LANG=C
cat >"$work/probe.conf" <<END
interface = lo
probe_id = gate-1
collector = 127.0.0.1:4740
collector_name = collector
state = $work/state
END
ask() { # STATUS ARGUMENTS...: the answer in out and errors
    local want=$1
    shift
    "$probe" status -c "$work/probe.conf" "$@" >"$work/out" 2>"$work/errors"
    local got=$?
    [ $got -eq "$want" ] || echo "# status $got: $(cat "$work/errors")"
    [ $got -eq "$want" ]
}
write_status() { # AGE_S PID
    printf '{"probe":"gate-1","pid":%s,"written":"%s"}\n' "$2" \
        "$(date -u -d "-$1 seconds" +%Y-%m-%dT%H:%M:%S.000Z)" >"$work/state/status.json"
}

ask 1 && grep -q 'the probe has not run with' "$work/errors" && [ ! -s "$work/out" ]
result $? "no state folder: it has not run with this configuration"
ask 1 --lang zh && grep -q '探针还没有以' "$work/errors"
result $? "the same in Chinese"
LANG=zh_CN.UTF-8 ask 1 && grep -q '探针还没有以' "$work/errors"
result $? "Chinese by LANG"
mkdir "$work/state"
write_status 3 $$
ask 0 && grep -q '^Yunzheng probe gate-1: running' "$work/out"
result $? "fresh and alive: running, status 0"
ask 0 --json && grep -q '^{"age_s":[0-9]*,"is_running":true,"probe":"gate-1","pid":' "$work/out"
result $? "--json"
write_status 60 $$
ask 1 && grep -q ': for 1 min .* has written no status' "$work/out"
result $? "a minute old, and its process is there: it does not write, status 1"
sleep 0 &
gone=$!
wait $gone
write_status 60 $gone
ask 1 && grep -q 'NOT RUNNING.* 1 min ' "$work/out"
result $? "a minute old: not running, status 1"
write_status 3 $gone
ask 1 --json && grep -q '"is_running":false' "$work/out"
result $? "fresh, but its process is gone: status 1"
echo '{"written' >"$work/state/status.json"
ask 1 && [ "$(wc -l <"$work/errors")" -eq 1 ] && [ ! -s "$work/out" ]
result $? "half a file: one sentence, status 1"
rm "$work/state/status.json"
mkfifo "$work/state/status.json"
timeout 5 "$probe" status -c "$work/probe.conf" >/dev/null 2>&1
[ $? -eq 1 ]
result $? "a pipe in its place does not make it wait"
rm "$work/state/status.json"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    write_status 3 $$
    chmod 755 "$work"
    chmod 700 "$work/state"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$probe" status \
        -c "$work/probe.conf" >"$work/out" 2>"$work/errors"
    [ $? -eq 1 ] && grep -q 'only its owner may read it; do: sudo yz-probe status -c' "$work/errors"
    result $? "a folder of somebody else: says how to look"
else
    tap_skip "a folder of somebody else" "not root"
fi
"$probe" status -c "$work/none.conf" >"$work/out" 2>"$work/errors"
[ $? -eq 2 ] && [ "$(wc -l <"$work/errors")" -eq 1 ]
result $? "no configuration: status 2"
ask 2 --lang fr
result $? "an unknown language: status 2"
tap_end
