# The enterprise's people and machines: three hosts with real clients. What
# they say contains planted secrets, which must never leave the enterprise.

SECRET_PATH=orders/salary-of-director-wang
SECRET_BODY=our-secret-recipe-is-seventeen-herbs
UNREGISTERED_NAME=news.unregistered.example
UNREGISTERED_BROKER=mqtt.machines.example

write_hosts()
{
    printf '%s\n' "$ERP erp.supplier-a.example" \
        "$MES mes.supplier-b.example" "$MQTT $UNREGISTERED_BROKER" \
        "$NEWS $UNREGISTERED_NAME"
}

# on_host HOST COMMAND...: there, with the demo's own table of host names laid
# over the machine's (nss_wrapper), so that nobody is asked for an address.
on_host()
{
    net_exec "$1" env LD_PRELOAD=libnss_wrapper.so \
        NSS_WRAPPER_HOSTS="$demo/hosts" "${@:2}"
}

# browse HOST URL...: one connection for all, as a browser holds it.
browse()
{
    on_host "$1" curl -sS -m 60 --cacert "$demo/keys/web-ca.pem" \
        "${@:2}" >/dev/null
}

use_erp()
{
    browse "$1" https://erp.supplier-a.example/ \
        https://erp.supplier-a.example/list.html
}

send_order()
{
    browse "$1" --http1.1 -d "$SECRET_BODY $2" \
        "https://erp.supplier-a.example/$SECRET_PATH"
}

# In the clear, as a typed address begins: the server sends them on to https.
type_address()
{
    browse "$1" -H "X-Note: $SECRET_BODY" \
        "http://erp.supplier-a.example/$SECRET_PATH"
}

# HTTP/3 only: what Debian's curl does not speak.
use_mes()
{
    on_host "$1" gtlsclient -q --no-quic-dump --no-http-dump \
        --exit-on-all-streams-close mes.supplier-b.example 443 \
        https://mes.supplier-b.example/ \
        https://mes.supplier-b.example/list.html
}

send_telemetry()
{
    on_host "$1" mosquitto_pub -h "$UNREGISTERED_BROKER" -p 8883 \
        --cafile "$demo/keys/web-ca.pem" -t press/7 -m "$SECRET_BODY"
}

read_news() { browse "$1" "https://$UNREGISTERED_NAME/list.html"; }

# download_report HOST BYTES_PER_S: a transfer that goes on for long.
download_report()
{
    browse "$1" --limit-rate "$2" https://erp.supplier-a.example/report.bin
}

# work_round N: what the three do in about a second, at the same time.
work_round()
{
    local one two three
    { use_erp pc1 && read_news pc1; } & one=$!
    { send_order pc2 "$1" && type_address pc2 && use_mes pc2; } & two=$!
    { use_mes pc3 && send_telemetry pc3; } & three=$!
    wait $one && wait $two && wait $three
}
