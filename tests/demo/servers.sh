# The cloud: four real servers. Two are registered application endpoints (ERP,
# MES), two are not (MQTT broker, news); the programme must not see those.

# write_nginx_conf FOLDER NAME ADDRESS HOST: one server with an access log of
# its own, which the demo holds against what the probe says.
write_nginx_conf()
{
    cat <<END
daemon off;
user root;
worker_processes 1;
pid $1/$2.pid;
error_log $1/$2.error.log;
events { worker_connections 256; }
http {
    log_format demo '\$remote_addr \$remote_port "\$request" \$status';
    access_log $1/$2.access.log demo;
    client_body_temp_path $1/$2.tmp/body;
    proxy_temp_path $1/$2.tmp/proxy;
    fastcgi_temp_path $1/$2.tmp/fastcgi;
    uwsgi_temp_path $1/$2.tmp/uwsgi;
    scgi_temp_path $1/$2.tmp/scgi;
    server {
        listen $3:80;
        server_name $4;
        location / { return 301 https://$4\$request_uri; }
    }
    server {
        listen $3:443 ssl http2;
        server_name $4;
        ssl_protocols TLSv1.3;
        ssl_certificate $demo/keys/$2.pem;
        ssl_certificate_key $demo/keys/$2.key;
        root $1/pages;
        location /orders { client_max_body_size 4m; return 204; }
    }
}
END
}

write_caddy_conf()
{
    cat <<END
{
    admin off
    auto_https off
    storage file_system $1/caddy
    skip_install_trust
}
https://mes.supplier-b.example {
    bind $MES
    tls $demo/keys/mes.pem $demo/keys/mes.key
    root * $1/pages
    file_server
    log {
        output file $1/mes.access.log
    }
}
END
}

write_mosquitto_conf()
{
    cat <<END
listener 8883 $MQTT
allow_anonymous true
cafile $demo/keys/web-ca.pem
certfile $demo/keys/mqtt.pem
keyfile $demo/keys/mqtt.key
tls_version tlsv1.3
persistence false
user root
log_dest stderr
log_type all
END
}

write_pages()
{
    mkdir -p "$1"
    printf '<!doctype html><title>Orders</title><p>Orders of the day\n' \
        >"$1/index.html"
    head -c 6000 /dev/zero | tr '\0' 'o' >"$1/list.html"
    head -c 400000 /dev/zero | tr '\0' 'r' >"$1/report.bin"
}

# await_listener ADDRESS PROTOCOL PORT: within five seconds.
await_listener()
{
    local i
    for i in $(seq 50); do
        [ -n "$(net_exec cloud ss -Hln"${2:0:1}" \
            "src $1 and sport = :$3")" ] && return 0
        sleep 0.1
    done
    echo "no server at $1:$3 after five seconds" >&2
    return 1
}

# start_servers FOLDER: configuration, start, and wait until all listen.
start_servers()
{
    local folder=$1
    mkdir -p "$folder/erp.tmp" "$folder/news.tmp" "$folder/caddy"
    write_pages "$folder/pages"
    write_nginx_conf "$folder" erp $ERP erp.supplier-a.example \
        >"$folder/erp.conf"
    write_nginx_conf "$folder" news $NEWS news.unregistered.example \
        >"$folder/news.conf"
    write_caddy_conf "$folder" >"$folder/Caddyfile"
    write_mosquitto_conf >"$folder/mosquitto.conf"
    spawn erp $(net_prefix cloud) nginx -p "$folder" -c "$folder/erp.conf"
    spawn news $(net_prefix cloud) nginx -p "$folder" -c "$folder/news.conf"
    spawn mes $(net_prefix cloud) env "HOME=$folder/caddy" \
        "XDG_DATA_HOME=$folder/caddy" "XDG_CONFIG_HOME=$folder/caddy" \
        caddy run --adapter caddyfile --config "$folder/Caddyfile"
    spawn mqtt $(net_prefix cloud) mosquitto -c "$folder/mosquitto.conf"
    await_listener $ERP tcp 443 && await_listener $NEWS tcp 443 &&
        await_listener $MES tcp 443 && await_listener $MES udp 443 &&
        await_listener $MQTT tcp 8883
}
