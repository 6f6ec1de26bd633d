#!/bin/bash
# Killed at any moment while files are received and kept: what was told to be
# kept is there with its bytes, every row has its bytes whole, and nothing half
# is left after the next start (issue 11: accepted means there, nothing half).
set -u
. tests/tap.sh
tap_begin portal-attachment-kill
dir=$demo
tool=$B/tools/attachment_tool
kills=${ATTACHMENT_KILLS:-24}

# Every other one while it opens, the others some moment after it has told of its
# first file: in the middle of receiving, syncing, naming and committing.
pid=
trap 'status=$?; [ -z "$pid" ] || kill -9 "$pid"; exit $status' EXIT
has_told() { [ -s "$told" ] || has_ended "$pid"; }
kill_some()
{
    local round told
    for round in $(seq "$kills"); do
        told=$dir/told.$round
        "$tool" flood "$dir" "$round" >"$told" 2>>"$dir/tool.log" &
        pid=$!
        [ $((round % 2)) -eq 0 ] || await 60 has_told || return 1
        sleep "0.$(printf %03d $((1 + round * 37 % 120)))"
        kill -9 "$pid"
        wait "$pid" 2>/dev/null
        pid=
    done
    # A line that was cut was not told.
    cat "$dir"/told.* | grep -E '^[0-9]+ [0-9a-f]{64}$' >"$dir/told"
    [ "$(wc -l <"$dir/told")" -ge $((kills / 2)) ]
}
tap "killed $kills times while files come" kill_some

sql() { sqlite3 "$dir/portal.db" "$1"; }
all_told_there()
{
    sql "SELECT id || ' ' || lower(hex(sha256)) FROM attachment" | sort >"$dir/rows"
    [ -z "$(sort "$dir/told" | comm -23 - "$dir/rows" | tee "$dir/lost")" ] ||
        { head -n 3 "$dir/lost"; return 1; }
}
tap "each that was told to be kept is there" all_told_there
each_whole()
{
    local hash
    cut -d' ' -f2 "$dir/rows" | sort -u >"$dir/hashes"
    while read -r hash; do
        [ "$(sha256sum <"$dir/attachments/files/${hash:0:2}/$hash" | cut -c1-64)" = "$hash" ] ||
            { echo "$hash"; return 1; }
    done <"$dir/hashes"
}
tap "each row has its bytes, whole" each_whole
named_whole()
{
    local path
    find "$dir/attachments/files" -type f >"$dir/files"
    while read -r path; do
        [ "$(sha256sum <"$path" | cut -c1-64)" = "${path##*/}" ] ||
            { echo "$path"; return 1; }
    done <"$dir/files"
}
tap "no file has another content than its name says" named_whole
nothing_half()
{
    printf '%%PDF-1.7 last\n' >"$dir/last.pdf"
    [ "$("$tool" take "$dir" "" "$dir/last.pdf" 2>>"$dir/tool.log")" = 'good NOT_SCANNED' ] &&
        [ -z "$(ls "$dir/attachments/incoming")" ]
}
tap "the next start leaves nothing half" nothing_half
tap_end
