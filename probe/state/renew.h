/*
 * A fresh certificate in place of one that still works (EST simplereenroll).
 *
 * Name and TLS key stay, so that one file changes, at once: there is no moment
 * at which key and certificate do not fit. A new key comes with `enrol --again`.
 * A certificate that has ended renews nothing; that needs a new code.
 *
 *   renew [-c FILE]     now, by hand
 */
#ifndef PROBE_STATE_RENEW_H
#define PROBE_STATE_RENEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "probe/state/est_client.h"
#include "probe/state/identity.h"

/* When it is time: two thirds of the certificate's life, and up to a twentieth
 * later by chance (all of uint32_t), so that probes of one day do not come
 * back as one. */
struct wall_time renew_due(const struct pki_certificate *certificate,
                           uint32_t chance);
/* The pause behind the `failures`th failure in a row, in seconds: from one
 * minute, doubled up to six hours, half to one and a half of it by chance. */
unsigned renew_pause_s(unsigned failures, uint32_t chance);

/* Asks the portal of the configuration, looks at what came, writes the
 * certificate's file, and takes it into the identity. False with a sentence;
 * the file is then as before. */
bool renew_now(const struct probe_config *config, struct identity *identity,
               struct wall_time now, struct est_answer *answer,
               struct error_text *error);

int renew_main(int argc, char **argv);

#endif
