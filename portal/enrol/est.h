/*
 * Enrolment over Secure Transport (RFC 7030), on a TLS port of its own.
 *
 *   GET  /.well-known/est/cacerts         the authority's certificate
 *   POST /.well-known/est/simpleenroll    HTTP Basic, the code as password
 *   POST /.well-known/est/simplereenroll  with the client certificate to renew
 *   GET  /.well-known/yunzheng            JSON: collector, keys to verify with
 *
 * Requests and answers are base64 (PKCS#10; PKCS#7 with certificates alone).
 * Errors are one sentence of text. Every POST costs its source an attempt
 * (est_limit.h), whether it succeeds or not.
 */
#ifndef PORTAL_ENROL_EST_H
#define PORTAL_ENROL_EST_H

#include <stdint.h>

#include "portal/http/http_server.h"
#include "portal/store/portal.h"

struct est;

/* Serves in threads of its own with the portal's configuration and writing
 * connection, until est_stop(). NULL with a reason. */
struct est *est_start(struct portal *portal, struct error_text *error);
uint16_t est_port(const struct est *est);
void est_stop(struct est *est);

#endif
