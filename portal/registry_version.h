/*
 * Publishing the list of registered endpoints to probes: numbered, signed
 * versions in portal.db, which the collector hands on (common/registry_bundle.h).
 */
#ifndef PORTAL_REGISTRY_VERSION_H
#define PORTAL_REGISTRY_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/registry_bundle.h"

enum registry_publish {
    REGISTRY_PUBLISH_FAILED, /* error says why; nothing has changed */
    REGISTRY_UNCHANGED,      /* the newest version is this list */
    REGISTRY_PUBLISHED,
};

/* In the caller's transaction, with its audit row: the list as it stands, if it
 * is not the newest version already. *head is the newest version's then. A list
 * that probes could not read is not published. */
enum registry_publish
registry_version_publish(struct db *db, const struct sign_key *key,
                         const char *actor, struct wall_time now,
                         struct registry_head *head, struct error_text *error);
/* A line for each version: serial, time, hash, algorithm, octets. */
bool registry_version_print(struct db *db, struct buffer *out);

#endif
