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
#ifndef METER_FINGERPRINT_H
#define METER_FINGERPRINT_H

#include <stdbool.h>

#include "meter/flow.h"
#include "meter/hello.h"

void fingerprint_of_hello(const struct hello *hello, bool is_quic,
                          char text[static FINGERPRINT_TEXT_LEN]);
void fingerprint_hash(const char *text, uint8_t hash[static FINGERPRINT_LEN]);

#endif
