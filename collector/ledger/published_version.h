/*
 * The published versions of the endpoint list, read from portal.db
 * (portal/record/registry_version.h writes them).
 */
#ifndef COLLECTOR_LEDGER_PUBLISHED_VERSION_H
#define COLLECTOR_LEDGER_PUBLISHED_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/probe_directory.h"
#include "common/buffer.h"
#include "common/wire/registry_bundle.h"

/* What a batch's registry version is. */
enum registry_age {
    REGISTRY_NEVER_PUBLISHED, /* nothing is: no version can be wrong */
    REGISTRY_NO_VERSION,      /* never published */
    REGISTRY_CURRENT,         /* the newest */
    REGISTRY_REPLACED,        /* by a newer one, at *replaced_ms */
};

/* Each gives false when portal.db cannot be read (probe_directory_error). */
bool published_version_age(struct probe_directory *registry, struct digest hash,
                           enum registry_age *age, int64_t *replaced_ms);
/* Serial 0: none is published. */
bool published_version_newest(struct probe_directory *registry,
                              struct registry_head *head);
/* The text of the version with this hash, appended; *is_found says whether
 * there is one. */
bool published_version_list(struct probe_directory *registry,
                            struct digest hash, struct buffer *list,
                            bool *is_found);

#endif
