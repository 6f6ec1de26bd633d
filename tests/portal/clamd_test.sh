#!/bin/bash
# Files shown to a real clamd, which knows one made-up signature: what it finds
# is refused; without it files are kept as not scanned, and shown to it later by
# the clock.
set -u
. tests/tap.sh
tap_begin portal-clamd
dir=$demo
tool=$B/tools/attachment_tool
clamd=
trap 'status=$?; stop_clamd; exit $status' EXIT
if ! command -v clamd >/dev/null; then
    tap_skip "files shown to clamd" "clamd is not here"
    tap_end
    exit
fi

# A signature of our own in clamd's extended format, and nothing else.
mkdir -p "$dir/signatures"
echo "Yunzheng.Test:0:*:$(printf 'YUNZHENG-HARMFUL-TEST' | od -An -tx1 | tr -d ' \n')" \
    >"$dir/signatures/test.ndb"
cat >"$dir/clamd.conf" <<END
LocalSocket $dir/clamd.sock
DatabaseDirectory $dir/signatures
Foreground yes
StreamMaxLength 2M
LogFile $dir/clamd.log
MaxThreads 2
END
has_socket() { [ -S "$dir/clamd.sock" ] || has_ended "$clamd"; }
start_clamd()
{
    clamd -c "$dir/clamd.conf" >"$dir/clamd.out" 2>&1 &
    clamd=$!
    await 60 has_socket && [ -S "$dir/clamd.sock" ]
}
stop_clamd()
{
    [ -n "$clamd" ] || return 0
    kill "$clamd" 2>/dev/null
    wait "$clamd" 2>/dev/null
    clamd=
    rm -f "$dir/clamd.sock"
}

printf '%%PDF-1.7 harmless\n' >"$dir/good.pdf"
printf '%%PDF-1.7 YUNZHENG-HARMFUL-TEST\n' >"$dir/bad.pdf"
{ printf '%%PDF-1.7\n'; head -c 3000000 /dev/zero; } >"$dir/large.pdf"

# says FILE WANTED
says()
{
    local said
    said=$("$tool" take "$dir" "$dir/clamd.sock" "$1" 2>>"$dir/tool.log")
    [ "$said" = "$2" ] || { echo "$1: $said, wanted $2"; tail -n 3 "$dir/tool.log"; return 1; }
}
tap "clamd starts with one signature" start_clamd
tap "CON-10: a harmless file is clean" says "$dir/good.pdf" 'good CLEAN'
tap "CON-10: a harmful one is refused" says "$dir/bad.pdf" 'E_FILE_HARMFUL'
tap "one that clamd does not take is not scanned, not clean" \
    says "$dir/large.pdf" 'good NOT_SCANNED'
stop_clamd
tap "without clamd a file is kept as not scanned" \
    says "$dir/good.pdf" 'good NOT_SCANNED'
tap "a harmful one, too" says "$dir/bad.pdf" 'good NOT_SCANNED'

scans() { sqlite3 "$dir/portal.db" "SELECT name, scan FROM attachment ORDER BY id"; }
# clock HOURS
clock() { "$tool" clock "$dir" "$dir/clamd.sock" "$1" >>"$dir/tool.log" 2>&1; }
nothing_new() { clock 2 && ! scans | grep -q 'bad.pdf|INFECTED'; }
tap "while clamd is away the clock changes nothing" nothing_new
tap "clamd comes back" start_clamd
found()
{
    clock 4 && [ "$(scans)" = 'good.pdf|CLEAN
large.pdf|NOT_SCANNED
good.pdf|CLEAN
bad.pdf|INFECTED' ] || { scans; return 1; }
}
tap "the clock shows it what was not scanned" found
audited()
{
    [ "$(sqlite3 "$dir/portal.db" "SELECT count(*) FROM audit
        WHERE action = 'file.harmful' AND object = '$(sha256sum <"$dir/bad.pdf" |
        cut -c1-64)'")" = 1 ]
}
tap "what was found then is in the audit log" audited
tap_end
