#!/bin/bash
# What goes wrong around the programs is said in exactly one clear line on
# standard error, with the exit status of the contract: 0 done, 1 the work
# failed, 2 wrong usage or configuration.
. tests/tap.sh
. tests/demo/certificates.sh
. tests/demo/network.sh
. tests/demo/clients.sh
. tests/demo/programs.sh

# complains STATUS WORD COMMAND...: ends with this status after one line on
# standard error that holds the word.
complains()
{
    local status=$1 word=$2 got=0
    shift 2
    timeout 20 "$@" >/dev/null 2>"$demo/said" </dev/null || got=$?
    echo "status $got, said:"
    cat "$demo/said"
    [ $got = "$status" ] && [ "$(wc -l <"$demo/said")" = 1 ] &&
        grep -qF -- "$word" "$demo/said"
}

# with KEY VALUE PROGRAM: the program's configuration with one key changed, in
# a file whose name is printed.
with()
{
    local file="$demo/$3-$1.conf"
    grep -v "^$1 =" "$demo/$3.conf" >"$file"
    echo "$1 = $2" >>"$file"
    echo "$file"
}

# How each program is asked to do its work.
work_of()
{
    case $1 in
    probe) echo "$bin/yz-probe run -c $2" ;;
    collector) echo "$bin/yz-collector run -c $2" ;;
    verifier) echo "$bin/yz-verifier run --cycle demo -c $2" ;;
    portal) echo "$bin/yz-portal run -c $2" ;;
    esac
}

configuration_faults()
{
    local program file
    for program in probe collector verifier portal; do
        file=$(with colour blue $program)
        tap "$program: an unknown key names file and line" \
            complains 2 "$file:$(wc -l <"$file")" $(work_of $program "$file")
        file=$(with log_level loud $program)
        tap "$program: a value out of bounds names file and line" \
            complains 2 "$file:$(wc -l <"$file")" $(work_of $program "$file")
        tap "$program: a missing configuration is named" \
            complains 2 "$demo/none.conf" $(work_of $program "$demo/none.conf")
        tap "$program: a wrong subcommand is wrong usage" \
            complains 2 "dance" "$bin/yz-$program" dance
        tap "$program: a wrong option is wrong usage" \
            complains 2 "--dance" $(work_of $program "$demo/$program.conf") \
            --dance
    done
}

# A file that the configuration names is not there.
missing_files()
{
    local none=$demo/not-there
    tap "probe: a missing endpoint list is named" complains 2 "$none" \
        $(work_of probe "$(with endpoints "$none" probe)")
    tap "probe: a missing signing key is named" complains 2 "$none" \
        $(work_of probe "$(with signing_key "$none" probe)")
    tap "probe: a missing capture is named" complains 1 "$none" \
        "$bin/yz-probe" read -r "$none"
    tap "collector: a missing authority is named" complains 2 "$none" \
        $(work_of collector "$(with ca "$none" collector)")
    tap "collector: a missing registry is named" complains 1 "$none" \
        $(work_of collector "$(with registry "$none" collector)")
    tap "verifier: a missing signing key is named" complains 2 "$none" \
        $(work_of verifier "$(with signing_key "$none" verifier)")
    tap "verifier: a missing rules folder is named" complains 2 "$none" \
        $(work_of verifier "$(with rules "$none" verifier)")
    tap "portal: a missing folder of its database is named" \
        complains 1 "$none" \
        $(work_of portal "$(with portal_db "$none/portal.db" portal)")
}

expired_certificates()
{
    issue_expired_certificate "$demo/keys" programme-ca old "$PROBE_ID"
    cp "$demo/probe.conf" "$demo/old-probe.conf"
    sed -e "s|keys/probe\.|keys/old.|" "$demo/probe.conf" >"$demo/old-probe.conf"
    sed -e "s|keys/collector\.|keys/old.|" "$demo/collector.conf" \
        >"$demo/old-collector.conf"
    tap "probe: an expired certificate is named with its date" \
        complains 2 2020-01-02 $(work_of probe "$demo/old-probe.conf")
    tap "collector: an expired certificate is named with its date" \
        complains 2 2020-01-02 $(work_of collector "$demo/old-collector.conf")
}

occupied_ports()
{
    local port
    port=$(free_port)
    spawn holder openssl s_server -accept "127.0.0.1:$port" \
        -cert "$demo/keys/collector.pem" -key "$demo/keys/collector.key"
    await 5 holds_port "$port"
    tap "collector: an occupied port is named" complains 1 "127.0.0.1:$port" \
        $(work_of collector "$(with listen "127.0.0.1:$port" collector)")
    tap "portal: an occupied port is named" complains 1 "127.0.0.1:$port" \
        $(work_of portal "$(with listen "127.0.0.1:$port" portal)")
}

holds_port() { [ -n "$(ss -Hltn "sport = :$1")" ]; }

# What stands before a command that shall find $demo/full to be a file system of
# 128 kB, all of it taken.
on_full_disk()
{
    full_disk=(unshare --mount --propagation private sh -c
        'mount -t tmpfs -o size=128k tmpfs "$0" &&
         ! head -c 200000 /dev/zero >"$0/ballast" 2>/dev/null &&
         exec "$@"' "$demo/full")
}

full_disks()
{
    local program
    mkdir -p "$demo/full"
    on_full_disk
    if ! "${full_disk[@]}" true 2>/dev/null; then
        for program in probe collector verifier portal; do
            tap_skip "$program: a full disk is named" "no mounts without root"
        done
        return
    fi
    tap "probe: a full disk is named" complains 1 "$demo/full" "${full_disk[@]}" \
        "$bin/yz-probe" read -r tests/data/demo.pcap -w "$demo/full/out.ipfix" \
        --key "$demo/keys/batch.key"
    tap "collector: a full disk is named" complains 1 "$demo/full" \
        "${full_disk[@]}" $(work_of collector \
            "$(with usage_db "$demo/full/usage.db" collector)")
    tap "verifier: a full disk is named" complains 1 "$demo/full" \
        "${full_disk[@]}" $(work_of verifier \
            "$(with verdict_db "$demo/full/verdict.db" verifier)")
    tap "portal: a full disk is named" complains 1 "$demo/full" \
        "${full_disk[@]}" "$bin/yz-portal" load rules/guangdong-2018 \
        -c "$(with portal_db "$demo/full/portal.db" portal)"
}

tap_begin faults
make_demo_certificates "$demo/keys" "$PROBE_ID"
COLLECTOR_PORT=$(free_port)
write_confs 127.0.0.1
echo "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared" \
    >"$demo/endpoints.csv"
# Databases that are there and empty, so that only the fault is one.
mkdir "$demo/no-batches"
"$bin/yz-portal" load -c "$demo/portal.conf" rules/guangdong-2018 >/dev/null
"$bin/yz-collector" import -c "$demo/collector.conf" "$demo/no-batches" \
    >/dev/null
configuration_faults
missing_files
expired_certificates
occupied_ports
full_disks
tap_end
