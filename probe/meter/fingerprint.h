/*
 * The client fingerprint: the JA4 form of a ClientHello, and its hash.
 *
 *   t13d1516h2_8daaf6152771_e5627efa2ab1
 *   |  |   | |     |             ` extensions and signature algorithms
 *   |  |   | |     ` cipher suites, sorted (12 hex digits of SHA-256)
 *   |  |   | ` first and last character of the first ALPN value
 *   |  |   ` number of extensions (two digits), after that of cipher suites
 *   |  ` d: a server name was sent, i: none
 *   ` transport (t TCP, q QUIC) and highest TLS version
 *
 * It tells kinds of client software apart, not people. What leaves the probe
 * is the first 64 bits of SHA-256 over the text.
 */
#ifndef PROBE_METER_FINGERPRINT_H
#define PROBE_METER_FINGERPRINT_H

#include <stdbool.h>

#include "probe/meter/flow.h"
#include "probe/meter/hello.h"

enum { FINGERPRINT_HEAD_LEN = 10, FINGERPRINT_PART_LEN = 6 };

/* The same in 22 bytes. */
struct fingerprint {
    char head[FINGERPRINT_HEAD_LEN]; /* up to the first "_"; zero: none */
    uint8_t ciphers[FINGERPRINT_PART_LEN], extensions[FINGERPRINT_PART_LEN];
};

/* Remembers the hashes of what it saw lately: few kinds of client make most
 * hellos. */
struct fingerprinter;

struct fingerprinter *fingerprinter_new(void); /* NULL without memory */
void fingerprinter_free(struct fingerprinter *fingerprinter);
void fingerprint_of_hello(struct fingerprinter *fingerprinter,
                          const struct hello *hello, bool is_quic,
                          struct fingerprint *fingerprint);
bool fingerprint_is_none(const struct fingerprint *fingerprint);
void fingerprint_to_text(const struct fingerprint *fingerprint,
                         char text[static FINGERPRINT_TEXT_LEN]);
void fingerprint_hash(struct fingerprinter *fingerprinter,
                      const struct fingerprint *fingerprint,
                      uint8_t hash[static FINGERPRINT_LEN]);

#endif
