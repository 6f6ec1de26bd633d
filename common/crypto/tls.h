/*
 * TLS 1.3 with certificates on both sides, over sockets the caller owns.
 *
 * Non-blocking sockets give TLS_WANT_READ or TLS_WANT_WRITE; blocking ones wait
 * (set SO_RCVTIMEO/SO_SNDTIMEO for a bound). ALPN "yz/1" turns on the return
 * channel; a peer without ALPN is let in as plain IPFIX over TLS.
 */
#ifndef COMMON_CRYPTO_TLS_H
#define COMMON_CRYPTO_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/log.h"

struct tls_context; /* certificates and rules, one a program */
struct tls;         /* one connection */

enum tls_status {
    TLS_OK,
    TLS_WANT_READ,
    TLS_WANT_WRITE,
    TLS_CLOSED,
    TLS_FAILED
};
enum { TLS_NAME_LEN = 128 };

#define TLS_ALPN_YZ1 "yz/1"

/* PEM files. An unreadable file, a key that does not belong to the
 * certificate, or a certificate expired (or not yet valid) at `now` is refused
 * with a sentence naming the file and the date. */
struct tls_context *tls_context_server(const char *ca, const char *certificate,
                                       const char *key, struct wall_time now,
                                       struct error_text *error);
struct tls_context *tls_context_client(const char *ca, const char *certificate,
                                       const char *key, struct wall_time now,
                                       struct error_text *error);
/* The same for a certificate that was renewed: with the key that `before` has,
 * whose file may be out of reach by now. */
struct tls_context *tls_context_client_again(const struct tls_context *before,
                                             const char *ca,
                                             const char *certificate,
                                             struct wall_time now,
                                             struct error_text *error);
/* Connections that are open live on. */
void tls_context_free(struct tls_context *context);
/* Validity of our own certificate: its start, and its end. */
struct wall_time tls_context_begins(const struct tls_context *context);
struct wall_time tls_context_expires(const struct tls_context *context);
/* Common name of our own certificate, as the peer will read it; false when it
 * has none, more than one, or one that does not fit. */
bool tls_context_name(const struct tls_context *context,
                      char name[static TLS_NAME_LEN]);
/* Our certificate was issued by the authority in `ca`; else false and why. */
bool tls_context_is_issued(const struct tls_context *context,
                           struct error_text *error);

/* The descriptor stays the caller's. host is what the server's certificate
 * must name (DNS name or address). */
struct tls *tls_accept(struct tls_context *context, int fd);
struct tls *tls_connect(struct tls_context *context, int fd, const char *host);
void tls_free(struct tls *tls); /* sends close_notify when it can */

enum tls_status tls_handshake(struct tls *tls);
/* *done is the number of bytes moved, only with TLS_OK. */
enum tls_status tls_read(struct tls *tls, void *data, size_t length,
                         size_t *done);
enum tls_status tls_write(struct tls *tls, const void *data, size_t length,
                          size_t *done);
/* Bytes wait inside that tls_read() gives without the socket. */
bool tls_has_pending(const struct tls *tls);
/* Common name of the peer's verified certificate; false when it has none or
 * does not fit. */
bool tls_peer_name(const struct tls *tls, char name[static TLS_NAME_LEN]);
bool tls_peer_wants_yz1(const struct tls *tls);
/* Why the last call failed, one line. */
const char *tls_error(const struct tls *tls);

#endif
