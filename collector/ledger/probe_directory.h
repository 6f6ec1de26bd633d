/*
 * The registry, as the collector sees it: which enterprise and site a probe
 * speaks for, and whether it may (VER-18). Read from portal.db for every
 * batch, so that a denial works at once; nothing in the data can change it.
 */
#ifndef COLLECTOR_LEDGER_PROBE_DIRECTORY_H
#define COLLECTOR_LEDGER_PROBE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/ledger/source.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/crypto/sign.h"
#include "common/log.h"
#include "common/wire/batch.h"

enum { REGISTRY_ID_LEN = 64 }; /* with its NUL */

struct db;
struct probe_directory;

/* Whom a batch speaks for. The collector makes such rows itself for what
 * others reported to it (store.h). */
struct registry_probe {
    enum ledger_source source;
    char enterprise_id[REGISTRY_ID_LEN];
    char site_id[REGISTRY_ID_LEN];
    char supplier_id[REGISTRY_ID_LEN]; /* "" but for a supplier's probe */
    enum sign_algorithm algorithm;
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t key_length;
    struct wall_time agreed_at;
    bool has_denied_at;
    struct wall_time denied_at;
    bool is_sample;
    bool is_scaled; /* counts are scaled up from sampled packets */
};

/* A router or other exporter of an enterprise, known by its address. */
struct registry_exporter {
    char id[REGISTRY_ID_LEN];
    struct address address;
    char enterprise_id[REGISTRY_ID_LEN];
    char site_id[REGISTRY_ID_LEN];
    uint32_t sampling; /* one packet in so many; 0: as the exporter says */
    struct wall_time agreed_at;
    bool has_denied_at;
    struct wall_time denied_at;
    bool is_sample;
};

enum registry_status {
    REGISTRY_FOUND,
    REGISTRY_UNKNOWN,
    REGISTRY_FAILED, /* portal.db cannot be read; nothing can be decided */
};

/* NULL with a reason. */
struct probe_directory *probe_directory_open(const char *path,
                                             struct error_text *error);
void probe_directory_close(struct probe_directory *registry);
/* A portal.db put in the other's place is opened anew. */
enum registry_status probe_directory_find(struct probe_directory *registry,
                                          const char *probe_id,
                                          struct registry_probe *probe);
/* All exporters in the order of their ids, one call each; rows that cannot be
 * worked with are left out. REGISTRY_FOUND, or REGISTRY_FAILED after which not
 * all have been told. A portal.db that has no such table yet has none. */
typedef void registry_exporter_fn(void *context,
                                  const struct registry_exporter *exporter);
enum registry_status
probe_directory_read_exporters(struct probe_directory *registry,
                               registry_exporter_fn *fn, void *context);
/* The database, for other questions (registry_version.h); NULL when it cannot be
 * opened. After a failed one probe_directory_note_failure() keeps the reason and gives
 * false. */
struct db *probe_directory_db(struct probe_directory *registry);
bool probe_directory_note_failure(struct probe_directory *registry);
/* Why the last question failed, one line. */
const char *probe_directory_error(const struct probe_directory *registry);

#endif
