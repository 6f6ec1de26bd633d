#!/bin/bash
# The disk of the durability drill, held against its own rules (disk.h), with
# dd and sync as the programs.
. tests/tap.sh
power=$build/tools/power_tool
tap_begin disk
root=$demo/root journal=$demo/journal

on() # COMMAND...: on the machine
{
    env LD_PRELOAD="$build/tools/power_shim.so" DRILL_ROOT="$root" \
        DRILL_JOURNAL="$journal" "$@"
}

fresh()
{
    rm -rf "$root"
    "$power" new "$root" "$journal"
}

put() # FILE BYTE SECTORS DD-OPTION...
{
    head -c $(($3 * 512)) /dev/zero | tr '\0' "$2" |
        on dd of="$root/$1" bs=4096 iflag=fullblock "${@:4}"
}

lose() { "$power" cut "$root" "$journal" "$1" >"$demo/counts"; }
has() { [ "$(stat -c %s "$root/$1")" = "$2" ]; }

nothing_is_sure()
{
    fresh && put a x 8 && lose 0 && [ -z "$(ls "$root")" ]
}

a_name_is_not_sure()
{
    fresh && put a x 8 conv=fsync && lose 0 && [ -z "$(ls "$root")" ]
}

bytes_are_not_sure()
{
    fresh && put a x 8 && on sync "$root" && lose 0 && has a 0
}

both_synced()
{
    fresh && put a x 8 conv=fsync && on sync "$root" && lose 0 && has a 4096 &&
        ! grep -q '[^x]' "$root/a"
}

# Each sector is old or new, or new up to some byte; over the seeds all three.
sectors_tear()
{
    local seed sector old=0 new=0 torn=0
    for seed in $(seq 60); do
        fresh && put a x 8 conv=fsync && on sync "$root" &&
            put a y 8 conv=notrunc && lose "$seed" && has a 4096 || return 1
        for sector in $(fold -w 512 "$root/a"); do
            [[ $sector =~ ^y*x*$ ]] || return 1
            case $sector in
            x*) old=$((old + 1)) ;;
            *x) torn=$((torn + 1)) ;;
            *) new=$((new + 1)) ;;
            esac
        done
    done
    echo "$old old, $new new, $torn torn"
    [ $old -gt 0 ] && [ $new -gt 0 ] && [ $torn -gt 0 ]
}

same_seed_same_disk()
{
    local sums=()
    for _ in 1 2; do
        fresh && put a x 8 && put b y 64 && on sync "$root" && lose 7 &&
            sums+=("$(cd "$root" && sha256sum ./*)") || return 1
    done
    [ "${sums[0]}" = "${sums[1]}" ]
}

# What a failed sync did not bring to the disk, a later good one does not.
failed_sync()
{
    local seed missing=0
    for seed in $(seq 20); do
        fresh && put a x 8 conv=fsync && on sync "$root" || return 1
        "$power" set "$journal" fault=3 fault_percent=100 chance="$seed"
        put a y 8 conv=notrunc,fsync && return 1
        "$power" set "$journal" fault=0
        put a z 1 conv=notrunc,fsync oflag=seek_bytes seek=4096 && lose 0 &&
            has a 4608 || return 1
        grep -q x "$root/a" && missing=$((missing + 1))
    done
    echo "$missing of 20 without the failed sync's bytes"
    [ $missing -gt 0 ] && [ $missing -lt 20 ]
}

full_disk()
{
    fresh && "$power" set "$journal" fault=1 fault_percent=100
    put a x 8 2>"$demo/said"
    grep -q 'No space left' "$demo/said"
}

dies_at_an_operation()
{
    fresh && "$power" set "$journal" die_after=2
    put a x 8
    [ $? = 137 ] && has a 0 && "$power" follow "$root" "$journal"
}

another_day()
{
    fresh && "$power" set "$journal" clock_s=86400 &&
        [ $(($(on date +%s) - $(date +%s))) -ge 86399 ]
}

set -o pipefail
tap "what is not synced may be gone" nothing_is_sure
tap "a synced file may lose its name" a_name_is_not_sure
tap "a synced name may lose its bytes" bytes_are_not_sure
tap "both synced are there" both_synced
tap "sectors are old, new or torn" sectors_tear
tap "the same seed gives the same disk" same_seed_same_disk
tap "a failed sync loses some of it for good" failed_sync
tap "a full disk says so" full_disk
tap "a program dies before an operation" dies_at_an_operation
tap "the wall clock is set" another_day
tap_end
