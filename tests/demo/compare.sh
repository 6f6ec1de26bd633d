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
