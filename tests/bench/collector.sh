#!/bin/bash
# The collector: signed batches through TLS to commit, import, bytes kept for a
# record, memory of a connection. Sender and collector share this machine.
# RUNS, PROBES, BATCHES, RECORDS and CONNECTIONS change the sizes.
set -eu
B=${B:-build}
runs=${RUNS:-5} probes=${PROBES:-16} batches=${BATCHES:-60}
records=${RECORDS:-1000} connections=${CONNECTIONS:-2000}
dir=$B/bench-collector
bin=$B/bin/yz-collector tool=$B/tools/batch_tool
total=$((probes * batches * records))
pid=
rm -rf "$dir" && mkdir -p "$dir"
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || :; rm -rf "$dir"' EXIT
ulimit -n "$(ulimit -Hn)"

certificate() # NAME OPTIONS...
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
        -nodes -keyout "$dir/$1.key" -out "$dir/$1.pem" -subj "/CN=$1" \
        -days 30 "${@:2}" 2>/dev/null
}

configure()
{
    cat >"$dir/collector.conf" <<END
listen = 127.0.0.1:0
ca = ca.pem
certificate = collector.pem
tls_key = collector.key
receipt_key = receipt.pem
registry = portal.db
usage_db = usage.db
archive = archive
connections_per_probe = 1024
log_level = info
END
}

start()
{
    rm -rf "$dir"/usage.db* "$dir/archive"
    "$bin" run -c "$dir/collector.conf" 2>"$dir/log" &
    pid=$!
    for _ in $(seq 500); do
        port=$(sed -n 's/.*listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$dir/log")
        [ -z "$port" ] || return 0
        sleep 0.02
    done
    cat "$dir/log" >&2
    return 1
}

stop()
{
    kill -TERM "$pid"
    wait "$pid"
    pid=
}

median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
cpu_ms() # of the collector, all threads
{
    awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' \
        "/proc/$pid/stat"
}
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }
sql() { sqlite3 -readonly "$dir/usage.db" "$1"; }

certificate ca -addext keyUsage=keyCertSign,digitalSignature
ca=(-CA "$dir/ca.pem" -CAkey "$dir/ca.key")
certificate collector -addext subjectAltName=DNS:collector.test "${ca[@]}"
for i in $(seq "$probes"); do certificate "B-$i" "${ca[@]}"; done
configure
"$tool" prepare "$dir" "$probes" "$batches" "$records"

for _ in $(seq "$runs"); do
    start
    "$tool" send "$dir" "$port" "$probes" >"$dir/took"
    read -r seconds sender <"$dir/took"
    echo "$seconds $sender $(cpu_ms)" >>"$dir/runs"
    stop
    counted=$(sql 'SELECT sum(flows) FROM usage')
    [ "$counted" = "$total" ] || {
        echo "collector: $counted records counted of $total" >&2
        exit 1
    }
done
"$bin" check -c "$dir/collector.conf" >/dev/null
seconds=$(cut -d' ' -f1 "$dir/runs" | median)
sender=$(cut -d' ' -f2 "$dir/runs" | median)
cpu=$(cut -d' ' -f3 "$dir/runs" | median)
sqlite3 "$dir/usage.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
usage=$(sql "SELECT sum(pgsize) FROM dbstat")
detail=$(sql "SELECT sum(pgsize) FROM dbstat
    WHERE name IN ('flow_block', 'usage_host')")
archive=$(cat "$dir"/archive/*.yza | wc -c)
wire=$(cat "$dir"/B-*.batches | wc -c)
awk -v n="$total" -v s="$seconds" -v c="$cpu" -v t="$sender" -v u="$usage" \
    -v b="$detail" -v a="$archive" -v w="$wire" -v r="$records" -v p="$probes" \
    'BEGIN {
    printf "signed batches through TLS to commit: %d records/s (goal >= " \
           "300000; %d probes, %d records a batch)\n", n / s, p, r
    printf "processor time for a million records: collector %.2f s, sender " \
           "%.2f s\n", c / 1000 / n * 1e6, t / n * 1e6
    printf "flow detail: %.1f bytes a record (goal <= 32); all of usage.db " \
           "with ledger, log and sums: %.1f\n", b / n, u / n
    printf "kept in the archive: %.1f bytes a record (%.1f on the wire)\n",
           a / n, w / n
}'

: >"$dir/imports"
for _ in $(seq "$runs"); do
    rm -rf "$dir"/usage.db* "$dir/archive"
    before=$(date +%s%N)
    "$bin" import -c "$dir/collector.conf" "$dir"/B-*.batches >/dev/null
    echo $((($(date +%s%N) - before) / 1000)) >>"$dir/imports"
done
awk -v n="$total" -v us="$(median <"$dir/imports")" 'BEGIN {
    printf "import of the same batches from files: %d records/s\n",
           n / us * 1e6
}'

start
before=$(rss_kib)
mkfifo "$dir/hold"
"$tool" hold "$dir" "$port" "$probes" "$connections" \
    <"$dir/hold" >"$dir/held" &
holder=$!
exec 9>"$dir/hold"
until grep -q ready "$dir/held" || ! kill -0 "$holder" 2>/dev/null; do
    sleep 0.1
done
grep -q ready "$dir/held"
after=$(rss_kib)
awk -v a="$after" -v b="$before" -v n="$connections" 'BEGIN {
    printf "memory with %d connections: %.1f MiB, %.1f KiB for each\n", n,
           a / 1024, (a - b) / n
}'
exec 9>&-
wait "$holder"
stop
