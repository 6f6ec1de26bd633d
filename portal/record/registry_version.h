/*
 * Publishing the list of registered endpoints to probes: numbered, signed
 * versions in portal.db, which the collector hands on (common/wire/registry_bundle.h).
 */
#ifndef PORTAL_RECORD_REGISTRY_VERSION_H
#define PORTAL_RECORD_REGISTRY_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/wire/registry_bundle.h"

enum registry_publish {
    REGISTRY_PUBLISH_FAILED, /* error says why; nothing has changed */
    REGISTRY_UNCHANGED,      /* the newest version is this list */
    REGISTRY_PUBLISHED,
};

enum { REGISTRY_SERIAL_LEAP_MAX = 1000000000 }; /* so that numbers do not end */

/* In the caller's transaction, with its audit row: the list as it stands, if it
 * is not the newest version already. *head is the newest version's then. A list
 * that probes could not read is not published.
 *
 * `serial` 0 takes the next number. Another one, above the newest and by no more
 * than the bound, is given to the list even when it has not changed: a portal
 * that was restored from a backup goes on above what probes have seen, since
 * they refuse an older number, or another list under a known one. */
enum registry_publish
registry_version_publish(struct db *db, const struct sign_key *key,
                         const char *actor, struct wall_time now,
                         uint64_t serial, struct registry_head *head,
                         struct error_text *error);
/* A line for each version: serial, time, hash, algorithm, octets. */
bool registry_version_print(struct db *db, struct buffer *out);

#endif
