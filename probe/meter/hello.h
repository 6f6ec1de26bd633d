/*
 * TLS ClientHello and ServerHello (RFC 8446 section 4.1, RFC 5246 section 7.4).
 *
 * Two ways in: hello_from_records for the bytes of a TCP connection from the
 * start of a record, hello_from_handshake for bare handshake messages (QUIC).
 * The parser is bounded by what it is given, copies nothing unless a message
 * is spread over records, and says MORE when a longer prefix could change the
 * answer. All slices point into the input or the scratch space.
 */
#ifndef PROBE_METER_HELLO_H
#define PROBE_METER_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

enum { HELLO_RANDOM_LEN = 32 };

enum hello_status {
    HELLO_NOT,    /* something else, or malformed */
    HELLO_MORE,   /* so far right, not complete */
    HELLO_CLIENT, /* a ClientHello */
    HELLO_SERVER, /* a ServerHello; random and versions are filled in */
    HELLO_RETRY,  /* a HelloRetryRequest: the ServerHello comes later */
};

struct hello {
    const uint8_t *random; /* HELLO_RANDOM_LEN bytes */
    uint16_t legacy_version;
    uint16_t chosen_version; /* of a ServerHello; 0: not to be seen */
    /* of a ClientHello; the lists are as on the wire, without their lengths */
    struct slice name;    /* server_name as sent, "" when none or not a name */
    struct slice ciphers; /* 2 bytes each */
    struct slice extensions;           /* type, length, data */
    struct slice versions;             /* supported_versions, 2 bytes each */
    struct slice alpn;                 /* length, text */
    struct slice signature_algorithms; /* 2 bytes each */
    bool has_server_name;
};

/* Scratch space limits a message that is spread over records. */
enum hello_status hello_from_records(const uint8_t *data, size_t length,
                                     uint8_t *scratch, size_t scratch_size,
                                     struct hello *hello);
enum hello_status hello_from_handshake(const uint8_t *data, size_t length,
                                       struct hello *hello);
/* The highest version a ClientHello offers, without GREASE values. */
uint16_t hello_highest_version(const struct hello *hello);
/* The first protocol of an ALPN list, "" when there is none. */
struct slice hello_first_alpn(struct slice alpn);
/* Values reserved by RFC 8701, which never count. */
bool hello_is_grease(uint16_t value);
/* Printable ASCII without space, 1 to 255 bytes: what we take for a name. */
bool hello_is_name(struct slice name);

#endif
