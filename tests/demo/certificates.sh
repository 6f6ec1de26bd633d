# Certificates and keys of the demo, all made here with openssl and thrown away
# with the demo's folder.
#
# Two authorities, as in life: one that browsers would trust for the suppliers'
# web servers, one of the programme for probes and collector. Signing keys
# (batches, receipts) are separate from TLS keys: they prove what was recorded,
# not who is connected.

# make_authority FOLDER NAME: FOLDER/NAME.pem and FOLDER/NAME.key.
make_authority()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -days 7 -subj "/O=Yunzheng demo/CN=$2" \
        -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$1/$2.key" -out "$1/$2.pem" 2>>"$1/openssl.log"
}

# issue_certificate FOLDER AUTHORITY NAME COMMON_NAME USE [ALT_NAMES]: USE is
# serverAuth or clientAuth, ALT_NAMES as in "DNS:a.example,IP:192.0.2.1".
issue_certificate()
{
    local folder=$1 authority=$2 name=$3 common_name=$4 use=$5 alt=${6:-}
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/O=Yunzheng demo/CN=$common_name" \
        -keyout "$folder/$name.key" -out "$folder/$name.csr" \
        2>>"$folder/openssl.log" &&
        openssl x509 -req -in "$folder/$name.csr" -days 7 \
            -CA "$folder/$authority.pem" -CAkey "$folder/$authority.key" \
            -CAcreateserial -out "$folder/$name.pem" \
            -extfile <(printf '%s\n' "extendedKeyUsage=$use" \
                "basicConstraints=critical,CA:FALSE" \
                ${alt:+"subjectAltName=$alt"}) 2>>"$folder/openssl.log"
}

# issue_expired_certificate FOLDER AUTHORITY NAME COMMON_NAME: for the tests of
# what a program says about a certificate whose time is over.
issue_expired_certificate()
{
    local folder=$1 authority=$2 name=$3
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/CN=$4" -keyout "$folder/$name.key" \
        -out "$folder/$name.csr" 2>>"$folder/openssl.log" || return 1
    : >"$folder/index.txt"
    echo 01 >"$folder/serial"
    printf '%s\n' '[ca]' 'default_ca = demo' '[demo]' \
        "database = $folder/index.txt" "serial = $folder/serial" \
        'policy = any' 'unique_subject = no' \
        '[any]' 'commonName = supplied' >"$folder/expired.conf"
    openssl ca -batch -config "$folder/expired.conf" -notext -md sha256 \
        -outdir "$folder" -in "$folder/$name.csr" \
        -cert "$folder/$authority.pem" -keyfile "$folder/$authority.key" \
        -startdate 20200101000000Z -enddate 20200102000000Z \
        -out "$folder/$name.pem" 2>>"$folder/openssl.log"
}

# make_signing_key FOLDER NAME: Ed25519, NAME.key private, NAME.pub public.
make_signing_key()
{
    openssl genpkey -algorithm ED25519 -out "$1/$2.key" 2>>"$1/openssl.log" &&
        openssl pkey -in "$1/$2.key" -pubout -out "$1/$2.pub"
}

# public_key_hex FILE: the raw 32 bytes of an Ed25519 public key, as hex.
public_key_hex()
{
    openssl pkey -pubin -in "$1" -pubout -outform DER | tail -c 32 |
        od -An -v -tx1 | tr -d ' \n'
}

# make_demo_certificates FOLDER PROBE_ID: everything the demo uses.
make_demo_certificates()
{
    local folder=$1 probe_id=$2
    mkdir -p "$folder" && chmod 700 "$folder"
    make_authority "$folder" web-ca &&
        make_authority "$folder" programme-ca &&
        issue_certificate "$folder" web-ca erp erp.supplier-a.example \
            serverAuth DNS:erp.supplier-a.example &&
        issue_certificate "$folder" web-ca mes mes.supplier-b.example \
            serverAuth DNS:mes.supplier-b.example &&
        issue_certificate "$folder" web-ca mqtt mqtt.machines.example \
            serverAuth DNS:mqtt.machines.example &&
        issue_certificate "$folder" web-ca news news.unregistered.example \
            serverAuth DNS:news.unregistered.example &&
        issue_certificate "$folder" programme-ca collector \
            collector.yunzheng.example serverAuth \
            DNS:collector.yunzheng.example &&
        issue_certificate "$folder" programme-ca probe "$probe_id" \
            clientAuth &&
        make_signing_key "$folder" batch &&
        make_signing_key "$folder" receipt &&
        make_signing_key "$folder" table
}
