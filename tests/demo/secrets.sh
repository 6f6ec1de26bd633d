# Searches bytes for what must never leave an enterprise: as text, as bytes in
# network order, and as the same bytes turned round.

# hex_of: standard input as one line of hex digits.
hex_of() { od -An -v -tx1 | tr -d ' \n'; }

# turn_hex HEX: the bytes in reversed order.
turn_hex()
{
    local i out=
    for ((i = ${#1} - 2; i >= 0; i -= 2)); do
        out+=${1:i:2}
    done
    echo "$out"
}

text_to_hex() { printf '%s' "$1" | hex_of; }
address_to_hex()
{
    local IFS=.
    # shellcheck disable=SC2086
    printf '%02x%02x%02x%02x' $1
}

# secret_patterns CAPTURE: "NAME HEX" lines of everything planted: the inside
# addresses and hardware addresses of the capture, page addresses, payload,
# names of services that are not registered.
secret_patterns()
{
    local address mac
    for address in 10.77.0.11 10.77.0.12 10.77.0.13; do
        echo "address-$address $(address_to_hex $address)"
        echo "address-text-$address $(text_to_hex $address)"
    done
    for mac in $(inside_macs "$1"); do
        echo "mac-$mac ${mac//:/}"
        echo "mac-text-$mac $(text_to_hex "$mac")"
        echo "mac-digits-$mac $(text_to_hex "${mac//:/}")"
    done
    echo "path $(text_to_hex "${SECRET_PATH##*/}")"
    echo "payload $(text_to_hex "$SECRET_BODY")"
    echo "name $(text_to_hex "${UNREGISTERED_NAME#*.}")"
    echo "broker $(text_to_hex "${UNREGISTERED_BROKER#*.}")"
    echo "broker-address $(address_to_hex $MQTT)"
    echo "news-address $(address_to_hex $NEWS)"
}

inside_macs()
{
    tshark -n -r "$1" -Y 'ip.src == 10.77.0.0/24' -T fields -e eth.src \
        2>/dev/null | sort -u
}

# holds_hex HAYSTACK NEEDLE: at a byte's boundary.
holds_hex()
{
    local offset
    while IFS=: read -r offset _; do
        [ $((offset % 2)) = 0 ] && return 0
    done < <(grep -obF "$2" <<<"$1")
    return 1
}

# find_secrets PATTERNS FILE...: names what was found where; true when nothing
# was.
find_secrets()
{
    local patterns=$1 file hay name hex found=0
    shift
    for file in "$@"; do
        hay=$(hex_of <"$file") && [ -n "$hay" ] || return 1
        while read -r name hex; do
            if holds_hex "$hay" "$hex" ||
                holds_hex "$hay" "$(turn_hex "$hex")"; then
                echo "$file holds $name"
                found=1
            fi
        done <<<"$patterns"
    done
    return $found
}
