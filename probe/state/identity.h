/*
 * Who this probe is, as its files say: authority, certificate and TLS key.
 *
 * The files are those of the configuration's ca, certificate and tls_key.
 */
#ifndef PROBE_STATE_IDENTITY_H
#define PROBE_STATE_IDENTITY_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/crypto/pki.h"
#include "common/log.h"
#include "probe/state/probe_config.h"

struct identity {
    struct buffer authority_pem, certificate_pem, key_pem; /* whole files */
    struct buffer authority; /* DER of the first certificate there */
    struct pki_certificate certificate;
    struct pki_key *key;
};

/* All of it, the key being that of the certificate; false with a sentence.
 * Whether the certificate is valid now is not looked at. */
bool identity_load(const struct probe_config *config, struct identity *identity,
                   struct error_text *error);
/* The certificate alone again, as the file is now; false when it is gone, half
 * written or not of this key, and then nothing has changed. */
bool identity_reload(const struct probe_config *config,
                     struct identity *identity, struct error_text *error);
void identity_clear(struct identity *identity); /* wipes the key */

#endif
