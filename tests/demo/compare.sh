# The live comparison: what tshark counts in the demo's own capture, and what
# usage.db holds, per registered endpoint and direction.

# registered_addresses: "ID ADDRESS PROTOCOL PORTS" of the demo's live endpoints,
# from the list that the probe was given.
registered_addresses()
{
    tr -d '\r' <"$demo/endpoints.csv" |
        awk -F, '$4 ~ /^203\.0\.113\./ {
            sub("/32$", "", $4)
            print $1, $4, $6 == "" ? "any" : $6, $7 == "" ? "any" : $7
        }'
}

# filter_of ADDRESS PROTOCOL PORTS: in tshark's language. An ICMP error carries
# the header of another packet; it is no packet of the endpoint.
filter_of()
{
    local filter="ip.addr == $1 && !icmp" ports=${3//-/..}
    ports=${ports//,/, }
    case $2/$3 in
    any/any) ;;
    any/*) filter="$filter && (tcp.port in {$ports} || udp.port in {$ports})" ;;
    */any) filter="$filter && $2" ;;
    *) filter="$filter && $2.port in {$ports}" ;;
    esac
    echo "$filter"
}

# count_capture CAPTURE ADDRESS PROTOCOL PORTS: packets and octets (IP length)
# to the address and from it, by tshark.
count_capture()
{
    tshark -n -r "$1" -o ip.defragment:FALSE -Y "$(filter_of "${@:2}")" \
        -T fields -E occurrence=f -e ip.dst -e ip.len 2>/dev/null |
        awk -v a="$2" '
            $1 == a { p++; o += $2; next }
            { rp++; ro += $2 }
            END { printf "%d %d %d %d\n", p, o, rp, ro }'
}

# count_addresses CAPTURE: "ENDPOINT packets octets rpackets roctets" lines.
count_endpoints()
{
    local id address protocol ports
    registered_addresses | while read -r id address protocol ports; do
        echo "$id" "$(count_capture "$1" "$address" "$protocol" "$ports")"
    done | awk '{ p[$1] += $2; o[$1] += $3; rp[$1] += $4; ro[$1] += $5 }
        END { for (i in p) print i, p[i], o[i], rp[i], ro[i] }' | sort
}

# The enterprise that the live probe belongs to.
live_enterprise()
{
    sqlite3 -readonly "$demo/portal.db" \
        "SELECT enterprise_id FROM probe WHERE id = '$PROBE_ID'"
}

# count_usage DAY: the same lines by `yz-collector usage` for the live
# enterprise around this day (which may change while the demo runs), without
# its generated history.
count_usage()
{
    collector usage --enterprise "$(live_enterprise)" \
        --from "$(date -d "$1 -1 day" +%F)" --to "$(date -d "$1 +2 days" +%F)" \
        --json >"$demo/usage.json" &&
        sqlite3 -separator ' ' :memory: "SELECT value ->> 'endpoint',
            sum(value ->> 'packets'), sum(value ->> 'octets'),
            sum(value ->> 'rpackets'), sum(value ->> 'roctets')
            FROM json_each(readfile('$demo/usage.json'), '\$.rows')
            WHERE NOT (value ->> 'sample') GROUP BY 1 ORDER BY 1"
}

# counts_equal CAPTURE: for every registered endpoint, to the packet and octet.
counts_equal()
{
    count_endpoints "$1" >"$demo/counts.tshark"
    count_usage "$(date -u +%F)" >"$demo/counts.usage" &&
        [ "$(wc -l <"$demo/counts.tshark")" -ge 2 ] &&
        ! grep -q ' 0 0 ' "$demo/counts.tshark" &&
        diff "$demo/counts.tshark" "$demo/counts.usage"
}

print_counts()
{
    local id packets octets rpackets roctets
    printf '\n   %-10s %-8s %9s %11s %9s %11s\n' endpoint source \
        packets octets 'p. back' 'o. back'
    while read -r id packets octets rpackets roctets; do
        printf '   %-10s %-8s %9d %11d %9d %11d\n' "$id" tshark "$packets" \
            "$octets" "$rpackets" "$roctets"
        grep "^$id " "$demo/counts.usage" | {
            read -r id packets octets rpackets roctets
            printf '   %-10s %-8s %9d %11d %9d %11d\n' '' usage.db \
                "${packets:-0}" "${octets:-0}" "${rpackets:-0}" "${roctets:-0}"
        }
    done <"$demo/counts.tshark"
    echo
}
