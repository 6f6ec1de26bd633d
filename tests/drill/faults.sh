# The faults of the drill, one after the other, while the programs work.

# some_of: who is struck in this round, in $struck.
some_of()
{
    roll 6
    case $rolled in
    0 | 1) struck=(collector) ;;
    2 | 3) roll ${#probes[@]} && struck=("${probes[rolled]}") ;;
    4) struck=("${probes[@]}") ;;
    *) struck=(collector "${probes[@]}") ;;
    esac
}

# at_an_operation HOW NAME: not at a moment but before one operation on its
# disk, where the small windows are.
at_an_operation()
{
    local i
    roll 60
    turn "$2" die_after=$((rolled + 1))
    for ((i = 0; i < 15; i++)); do
        runs "$2" || break
        sleep 0.05
    done
    strike "$1" "$2"
}

# at_the_end HOW: the collector is asked to stop, and dies before an operation of
# that, if it has so many.
at_the_end()
{
    roll 40
    turn collector die_after=$((rolled + 1))
    runs collector && kill -TERM "${pid[collector]}"
    await 3 has_stopped collector
    turn collector die_after=0
    farewell=asked
    strike "$1" collector
    farewell=
}

# storm ROUNDS: kills, and a loss of power in one of CUT_SHARE rounds.
storm()
{
    local i how
    for ((i = 0; i < $1; i++)); do
        keep_up collector "${probes[@]}"
        some_of
        how=kill
        roll "$CUT_SHARE"
        [ "$rolled" != 0 ] || how=power
        roll 4
        if [ "${struck[*]}" = collector ] && [ "$rolled" = 1 ]; then
            pause 50 "$LIFE_MS"
            at_the_end $how
        elif [ $how = kill ] && [ "$rolled" = 0 ] ||
            [ $how = power ] && [ "$rolled" != 0 ]; then
            pause 50 300
            at_an_operation $how "${struck[0]}"
        else
            pause 50 "$LIFE_MS"
            strike $how "${struck[@]}"
        fi
    done
    keep_up collector "${probes[@]}"
}

# first_hour: everything is new, also the folders, and the power goes.
first_hour()
{
    keep_up collector gen
    await 20 has_sent gen ''
    strike kill gen collector
    lose_power gen 0
    lose_power collector 0
    drain gen || return 1
    strike kill collector
    nothing_acknowledged_is_lost && nothing_promised_is_lost && all_agrees
}

newest_sent()
{
    find "$demo/$1/sent" -name '*.ipfix' 2>/dev/null | sort | tail -n 1
}

# has_sent NAME FILE: something after this one.
has_sent() { [[ $(newest_sent "$1") > $2 ]]; }

# births FROM TO: a collector dies before the Nth operation of its very first
# start, the power goes with it, and the next start must do.
births()
{
    local i
    strike kill collector # the port is taken
    for ((i = $1; i <= $2; i++)); do
        rm -rf "$demo/young"
        new_machine young
        turn young die_after="$i"
        start young
        await 1 has_stopped young || await 1 listens
        strike power young
        keep_up young
        await 20 listens || trouble "young: not born at operation $i"
        strike kill young
    done
}

# windows FROM TO: a batch is on its way to the collector, which dies before its
# Nth operation of this, for each N. It comes back, the probe gets its receipt,
# and then the power goes: what it found from before the kill and gave a receipt
# for must be on the disk as well.
windows()
{
    local i
    for ((i = $1; i <= $2; i++)); do
        strike kill gen
        keep_up collector
        await 20 listens
        turn collector die_after="$i"
        start gen --pace-ms 1000000
        await 2 has_stopped collector
        turn collector die_after=0
        strike kill collector
        keep_up collector
        await 20 spool_is_empty gen
        strike kill collector
        lose_power collector 0
    done
    strike kill gen
}

listens()
{
    [ -n "$("${in_province[@]}" ss -Hltn "sport = :$COLLECTOR_PORT")" ]
}

spool_is_empty() { [ "$(spool_of "$1")" = 0 ]; }

# bad_disk NAME FAULT PERCENT: for a while; then it works again, and so must
# all. A kill in the middle of it, since that is when one restarts.
bad_disk()
{
    failing[$1]=1
    keep_up collector "${probes[@]}"
    pause 100 300
    turn "$1" fault="$2" fault_percent="$3"
    pause 200 "$HOLD_MS"
    strike kill "$1"
    keep_up "$1"
    pause 200 "$HOLD_MS"
    roll 2
    [ "$rolled" = 0 ] || strike power "$1"
    turn "$1" fault=0
    keep_up "$1"
    pause 500 700 # what waits in memory is written
    keep_up "$1"
    failing[$1]=
}

# bad_disks FAULT...: each (journal.h has their numbers), at the collector and
# at a probe. What a probe with a bad disk holds in memory alone is promised by
# nobody; so that there is a witness of each batch, the collector is away
# meanwhile.
bad_disks()
{
    local fault
    for fault in "$@"; do
        roll 60
        bad_disk collector $fault $((rolled + 3))
    done
    for fault in "$@"; do
        strike kill collector
        turn gen fault=$fault fault_percent=40
        failing[gen]=1
        keep_up gen
        pause 200 "$HOLD_MS"
        strike kill gen
        keep_up gen
        pause 200 "$HOLD_MS"
        turn gen fault=0
        pause 600 700
        keep_up gen
        failing[gen]=
        keep_up collector
        pause 200 400
    done
}

# clock_steps NAME...: a day forward and a day back, at either end. What a probe
# dates a day ahead, or a collector a day behind takes for that, is refused
# (VER-19).
clock_steps()
{
    local name step
    for name in "$@"; do
        for step in 86400 0 -86400 0; do
            keep_up collector "${probes[@]}"
            turn "$name" clock_s=$step
            pause 200 400
            strike kill "$name"
            keep_up "$name"
            pause 200 300
        done
    done
}

# long_silence: three days and three hours of batches without a collector, on a
# disk that then loses its power.
long_silence()
{
    local from
    from=$(date -u -d '75 hours ago' +%Y-%m-%dT%H:%M:%SZ)
    start old --offline --from "$from" --batches 900 --records 5 --pace-ms 0
    await 30 has_stopped old
    reap old
    echo "status $status, $(spool_of old) batches wait"
    [ $status = 0 ] && [ "$(spool_of old)" = 900 ] || return 1
    lose_power old
    [ "$(spool_of old)" = 900 ] || { echo "$(spool_of old) after"; return 1; }
    keep_up collector
    drain old || return 1
    query 'SELECT count(*) || " kept, " || sum(is_late) || " late, " ||
        sum(is_counted) || " counted" FROM ledger WHERE probe_id = "old"'
    [ "$(query 'SELECT sum(NOT is_counted) > 30 AND sum(is_counted) > 860 AND
        count(*) = 901 FROM ledger WHERE probe_id = "old"')" = 1 ]
}

# three_times: all that was acknowledged is sent a second time by the probes,
# and imported a third time.
three_times()
{
    local name
    for name in "${probes[@]}"; do
        stop "$name"
        cp "$demo/$name"/sent/*.ipfix "$demo/$name/spool/" || return 1
        follow "$name"
    done
    drain "${probes[@]}" || return 1
    stop collector
    "$bin/yz-collector" import -c "$demo/collector.conf" \
        "$demo"/witness-*/acknowledged | tee "$demo/imported"
    grep -q ' 0 counted, 0 late, 0 kept, [1-9].* 0 refused' "$demo/imported"
}

# --- the drill must be able to fail ---

# A disk that says that it has synced, and has not.
lies_are_found()
{
    local before
    before=$(newest_sent gen)
    turn collector lies=1
    keep_up collector gen
    await 20 has_sent gen "$before"
    strike kill gen
    strike kill collector
    lose_power collector 0
    turn collector lies=0
    ! nothing_acknowledged_is_lost
}

# Usage to which somebody added a batch again.
double_counting_is_found()
{
    local one='WHERE (bucket, endpoint) IN
        (SELECT bucket, endpoint FROM usage WHERE flows > 0 LIMIT 1)'
    sqlite3 "$demo/collector/usage.db" \
        "UPDATE usage SET flows = flows * 2, octets = octets * 2 $one" &&
        ! each_is_counted_once && ! all_agrees &&
        sqlite3 "$demo/collector/usage.db" \
            "UPDATE usage SET flows = flows / 2, octets = octets / 2 $one" &&
        each_is_counted_once && all_agrees
}
