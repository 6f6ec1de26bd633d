/*
 * TLS ClientHello and ServerHello (RFC 8446 section 4.1, RFC 5246 section 7.4).
 *
 * Two ways in: hello_from_records for the bytes of a TCP connection from the
 * start of a record, hello_from_handshake for bare handshake messages (QUIC).
 * The parser is bounded by what it is given, copies nothing unless a message
 * is spread over records, and says MORE when a longer prefix could change the
 * answer. All slices point into the input or the scratch space.
 */
#ifndef METER_HELLO_H
#define METER_HELLO_H

#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

enum { HELLO_RANDOM_LEN = 32, HELLO_SCRATCH_LEN = 8192 };

enum hello_status {
    HELLO_NOT,    /* something else, or malformed */
    HELLO_MORE,   /* so far right, not complete */
    HELLO_CLIENT, /* a ClientHello */
    HELLO_SERVER, /* a ServerHello; only random is filled in */
    HELLO_RETRY,  /* a HelloRetryRequest: the ServerHello comes later */
};

struct hello {
    const uint8_t *random; /* HELLO_RANDOM_LEN bytes */
    uint16_t legacy_version;
    /* of a ClientHello; the lists are as on the wire, without their lengths */
    struct slice name;    /* server_name as sent, "" when none or not a name */
    struct slice ciphers; /* 2 bytes each */
    struct slice extensions;           /* type, length, data */
    struct slice versions;             /* supported_versions, 2 bytes each */
    struct slice alpn;                 /* length, text */
    struct slice signature_algorithms; /* 2 bytes each */
    bool has_server_name;
};

enum hello_status hello_from_records(const uint8_t *data, size_t length,
                                     uint8_t scratch[static HELLO_SCRATCH_LEN],
                                     struct hello *hello);
enum hello_status hello_from_handshake(const uint8_t *data, size_t length,
                                       struct hello *hello);
/* Printable ASCII without space, 1 to 255 bytes: what we take for a name. */
bool hello_is_name(struct slice name);

#endif
