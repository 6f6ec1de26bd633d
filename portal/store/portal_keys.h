/*
 * Keys of the running portal, each derived for one purpose from one secret in a
 * file of its own: what is in portal.db alone opens nothing.
 */
#ifndef PORTAL_STORE_PORTAL_KEYS_H
#define PORTAL_STORE_PORTAL_KEYS_H

#include <stdbool.h>

#include "common/crypto/secret.h"
#include "portal/store/portal_config.h"

struct portal_keys {
    struct secret form; /* tokens of forms before there is a session */
    struct secret name; /* names with which somebody tried to log in */
    struct secret totp; /* seals the second factors' secrets */
    struct secret code; /* recovery codes */
};

/* The file is made when it is not there; false with a reason. */
bool portal_keys_load(const struct portal_config *config,
                      struct portal_keys *keys, struct error_text *error);

#endif
