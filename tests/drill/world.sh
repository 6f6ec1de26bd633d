# The world of the durability drill: machines with a disk of their own, whose
# power can go, and the programs on them.
#
#   collector   yz-collector; young is another, on its first day again and again
#   gen, old    probe_tool: a probe's exporter, spool and uplink, invented flows
#   live        yz-probe on a gateway with real traffic; only where root and
#               network namespaces are there
#
# A program runs under power_shim.so, which keeps its machine's journal. After a
# kill -9 the program is started again on what the kernel has (power_tool
# follow); after a loss of power on what the disk may have (power_tool cut). Of
# its own accord none may end: nobody is there to look after it.
#
# The plain programs are used: sanitizers and the shim both want to be first.

. tests/demo/certificates.sh
. tests/demo/network.sh
. tests/demo/programs.sh

tools=$build/tools
bin=$build/bin
power=$tools/power_tool
SERVICE=203.0.113.10

declare -A pid=() kills=() cuts=() failing=() gen_options=()
given_up=0  # ends with an error while the disk was failing
gone=0      # ends of their own accord, which must not be
unsure=0 lost=0 torn=0
farewell= # asked: a good end is no surprise

# --- chance: one seed gives the same decisions ---

# roll N: $rolled is below N.
roll() { rolled=$(((RANDOM << 15 | RANDOM) % $1)); }

# pause MIN MAX: some milliseconds in between.
pause()
{
    local ms
    roll $(($2 - $1 + 1))
    ms=$((rolled + $1))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# --- what stands around the machines ---

# Certificates that were valid yesterday, too: a clock goes back a day.
make_drill_keys()
{
    local probe
    "$power" new "$demo/office" "$demo/office.journal" &&
        "$power" set "$demo/office.journal" clock_s=-172800 || return 1
    (
        export LD_PRELOAD=$tools/power_shim.so DRILL_ROOT=$demo/office \
            DRILL_JOURNAL=$demo/office.journal
        make_demo_certificates "$demo/keys" live || exit 1
        for probe in gen old; do
            issue_certificate "$demo/keys" programme-ca $probe $probe \
                clientAuth || exit 1
        done
    ) || return 1
    mv "$demo/keys/probe.pem" "$demo/keys/live.pem" &&
        mv "$demo/keys/probe.key" "$demo/keys/live.key" || return 1
    for probe in live gen old; do
        make_signing_key "$demo/keys" $probe.sign &&
            cp "$demo/keys/$probe.sign.pub" "$demo/keys/$probe.sign.pub.pem"
    done
}

# The sample enterprises of the demo, and three probes that are none.
make_drill_registry()
{
    local probe
    "$tools/history_tool" "$demo/history" --days 14 --live-keys "$demo/keys" \
        --live-probe live &&
        portal load rules/guangdong-2018 &&
        portal load --sample "$demo/history/registry" &&
        portal load "$demo/history/registry-live" || return 1
    for probe in gen old; do
        sqlite3 "$demo/portal.db" "INSERT INTO probe (id,
            enterprise_id, site_id, algorithm, signing_key, agreed_at,
            denied_at, is_sample) SELECT '$probe',
            enterprise_id, site_id, algorithm,
            X'$(public_key_hex "$demo/keys/$probe.sign.pub")', agreed_at,
            denied_at, is_sample FROM probe WHERE id = 'live'" || return 1
    done
    sqlite3 "$demo/portal.db" "UPDATE probe SET agreed_at = 0"
}

write_drill_confs()
{
    local probe
    printf '%s\n' \
        id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared \
        "erp,s,e,$SERVICE,,tcp,8443,,,no" >"$demo/endpoints.csv"
    write_portal_conf 8080 >"$demo/portal.conf"
    write_collector_conf "$COLLECTOR_ADDRESS" | sed \
        -e "s|^usage_db = .*|usage_db = $demo/collector/usage.db|" \
        -e "s|^archive = .*|archive = $demo/collector/archive|" \
        >"$demo/collector.conf"
    sed -e "s|$demo/collector/|$demo/young/|" \
        -e "s|^listen = .*|listen = $COLLECTOR_ADDRESS:$YOUNG_PORT|" \
        "$demo/collector.conf" >"$demo/young.conf"
    for probe in live gen old; do
        PROBE_ID=$probe write_probe_conf | sed \
            -e "s|^state = .*|state = $demo/$probe|" \
            -e "s|keys/probe\.|keys/$probe.|" \
            -e "s|keys/batch\.key|keys/$probe.sign.key|" \
            -e 's|^batch_period_s = .*|batch_period_s = 1|' \
            -e 's|^idle_timeout_s = .*|idle_timeout_s = 1|' \
            >"$demo/$probe.conf"
        echo "sent_mb = 4" >>"$demo/$probe.conf"
    done
}

# pc1 --- gateway --- cloud, and the province with the collector.
make_drill_network()
{
    local name
    for name in pc1 gateway cloud province; do
        add_namespace $name || return 1
    done
    net_exec gateway sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' &&
        make_cloud && make_province &&
        link_namespaces pc1 eth0 gateway lan0 &&
        net_ip gateway address add 10.77.0.1/24 dev lan0 &&
        net_ip pc1 address add 10.77.0.11/24 dev eth0 &&
        net_ip pc1 route add default via 10.77.0.1
}

# Somebody who uses the service all day.
start_traffic()
{
    head -c 20000 /dev/urandom >"$demo/report"
    (cd "$demo" && exec $(net_prefix cloud) openssl s_server -quiet -WWW \
        -accept $SERVICE:8443 -cert keys/erp.pem -key keys/erp.key) \
        >/dev/null 2>&1 &
    pid[service]=$!
    # shellcheck disable=SC2016
    $(net_prefix pc1) bash -c 'while :; do
        curl -ks -m 5 -o /dev/null "https://$0:8443/report"; sleep 0.1; done' \
        $SERVICE >/dev/null 2>&1 &
    pid[user]=$!
}

# drill_begin SEED: all of it, and the machines, switched off.
drill_begin()
{
    local name
    RANDOM=$1
    probes=(gen)
    in_province=() in_gateway=()
    COLLECTOR_PORT=$(free_port) YOUNG_PORT=$(free_port)
    no_network=$(why_no_network)
    if [ -n "$no_network" ]; then
        COLLECTOR_ADDRESS=127.0.0.1
    else
        make_drill_network || return 1
        in_province=($(net_prefix province)) in_gateway=($(net_prefix gateway))
        probes=(gen live)
    fi
    make_drill_keys && write_drill_confs && make_drill_registry || return 1
    [ -n "$no_network" ] || start_traffic
    for name in collector live gen old young; do
        new_machine $name &&
            turn $name chance=$1 &&
            mkdir -p "$demo/witness-$name"/{promised,acknowledged,refused} ||
            return 1
        kills[$name]=0 cuts[$name]=0 failing[$name]=
    done
}

new_machine() { "$power" new "$demo/$1" "$demo/$1.journal"; }

drill_end()
{
    local name
    for name in "${!pid[@]}"; do
        runs "$name" && kill -KILL "${pid[$name]}"
    done 2>/dev/null
    [ -n "${no_network-none}" ] || remove_namespaces $$
}

# --- programs ---

turn() { "$power" set "$demo/$1.journal" "${@:2}"; }
ask() { "$power" get "$demo/$1.journal" "$2"; }

# start NAME [OPTION...]: options of probe_tool.
start()
{
    local name=$1 place=() program
    case $name in
    collector | young)
        place=("${in_province[@]}")
        program=("$bin/yz-collector" run -c "$demo/$name.conf")
        ;;
    live)
        place=("${in_gateway[@]}")
        program=("$bin/yz-probe" run -c "$demo/live.conf")
        ;;
    *)
        place=("${in_province[@]}")
        roll 1000000
        program=("$tools/probe_tool" "$demo/$name.conf" --seed "$rolled"
            "${@:2}")
        ;;
    esac
    "${place[@]}" env LD_PRELOAD="$tools/power_shim.so" \
        DRILL_ROOT="$demo/$name" DRILL_JOURNAL="$demo/$name.journal" \
        "${program[@]}" </dev/null >>"$demo/log/$name.log" 2>&1 &
    pid[$name]=$!
}

# Numbers are used again: one that is not our child is somebody else.
runs()
{
    local stat
    [ -n "${pid[$1]:-}" ] &&
        read -r stat 2>/dev/null <"/proc/${pid[$1]}/stat" &&
        [[ $stat == *") "[!Z]" $$ "* ]]
}

# reap NAME: its exit status into $status.
reap()
{
    status=0
    { wait "${pid[$1]}"; } 2>/dev/null || status=$?
    pid[$1]=
}

# follow NAME, lose_power NAME [SEED]: nothing runs there now.
follow()
{
    "$power" follow "$demo/$1" "$demo/$1.journal" "$demo/witness-$1" ||
        trouble "$1: its disk cannot be followed"
}

lose_power()
{
    local counts seed=${2:-}
    [ -n "$seed" ] || { roll 1000000000; seed=$((rolled + 1)); }
    counts=$("$power" cut "$demo/$1" "$demo/$1.journal" "$seed" \
        "$demo/witness-$1") || trouble "$1: its disk cannot be cut"
    cuts[$1]=$((${cuts[$1]} + 1))
    # shellcheck disable=SC2086
    set -- $counts
    unsure=$((unsure + $1)) lost=$((lost + $2)) torn=$((torn + $3))
}

trouble()
{
    echo "# $1" | tee -a "$demo/log/trouble.log"
    gone=$((gone + 1))
}

# end_of NAME: it has ended; killed is as it should be.
end_of()
{
    reap "$1"
    case $status$farewell in
    137* | 0asked | 143asked) return ;;
    esac
    if [ -n "${failing[$1]}" ]; then
        given_up=$((given_up + 1))
        return
    fi
    trouble "$1 ended by itself with status $status: $(tail -n 1 \
        "$demo/log/$1.log")"
}

# strike kill|power NAME...: those that run, all in one moment.
strike()
{
    local how=$1 name struck=()
    shift
    for name in "$@"; do
        runs "$name" && kill -KILL "${pid[$name]}" 2>/dev/null
        [ -n "${pid[$name]:-}" ] && struck+=("$name")
    done
    for name in "${struck[@]}"; do
        end_of "$name"
        turn "$name" die_after=0
        if [ "$how" = power ]; then
            lose_power "$name"
        else
            kills[$name]=$((${kills[$name]} + 1))
            follow "$name"
        fi
    done
}

# keep_up NAME...: those that ended are started again, as a service manager
# does.
keep_up()
{
    local name
    for name in "$@"; do
        runs "$name" && continue
        if [ -n "${pid[$name]:-}" ]; then
            end_of "$name"
            follow "$name"
        fi
        # shellcheck disable=SC2086
        start "$name" ${gen_options[$name]:-}
    done
}

spool_of() { find "$demo/$1/spool" -name '*.ipfix' 2>/dev/null | wc -l; }

# stop NAME: in good order, which is success; 143 when the signal came before
# the program had looked after signals.
stop()
{
    runs "$1" && kill -TERM "${pid[$1]}"
    [ -n "${pid[$1]:-}" ] || return 0
    reap "$1"
    [ $status = 0 ] || [ $status = 143 ] ||
        trouble "$1: status $status at the end"
    follow "$1"
}

# drain: what waits is sent; false when something still waits.
drain()
{
    local name tries
    keep_up collector
    for name in "$@"; do
        for tries in 1 2 3 4 5 6; do
            stop "$name"
            [ "$(spool_of "$name")" != 0 ] || [ $tries = 1 ] || break
            case $name in
            live) start live && sleep 2 ;; # a last batch is made at the stop
            *)
                start "$name" --batches 1
                await 30 has_stopped "$name"
                ;;
            esac
        done
        echo "$name: $(spool_of "$name") wait"
        [ "$(spool_of "$name")" = 0 ] || return 1
    done
}

has_stopped() { ! runs "$1"; }
