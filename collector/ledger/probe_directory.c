/* One prepared query on portal.db, opened read-only. */
#include "collector/ledger/probe_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/db.h"

struct probe_directory {
    char *path;
    struct db *db; /* NULL: to be opened at the next question */
    dev_t device;
    ino_t inode;
    struct error_text error;
};

static bool open_database(struct probe_directory *r)
{
    struct stat st;
    if (stat(r->path, &st) != 0)
        return error_set(&r->error, "%s: %s", r->path, strerror(errno));
    r->db = db_open(r->path, DB_READ, NULL, 0, &r->error);
    r->device = st.st_dev;
    r->inode = st.st_ino;
    return r->db != NULL;
}

struct probe_directory *probe_directory_open(const char *path,
                                             struct error_text *error)
{
    struct probe_directory *r = calloc(1, sizeof(*r));
    if (r != NULL)
        r->path = strdup(path);
    if (r == NULL || r->path == NULL) {
        error_set(error, "%s: out of memory", path);
        probe_directory_close(r);
        return NULL;
    }
    struct registry_probe probe;
    if (probe_directory_find(r, "", &probe) == REGISTRY_FAILED) {
        error_set(error, "%s", r->error.text);
        probe_directory_close(r);
        return NULL;
    }
    return r;
}

void probe_directory_close(struct probe_directory *registry)
{
    if (registry == NULL)
        return;
    db_close(registry->db);
    free(registry->path);
    free(registry);
}

const char *probe_directory_error(const struct probe_directory *registry)
{
    return registry->error.text;
}

/* A restored portal.db has another inode; the old one's deny list is no
 * longer anybody's. */
static void close_if_replaced(struct probe_directory *r)
{
    struct stat st;
    if (r->db == NULL || (stat(r->path, &st) == 0 && st.st_dev == r->device &&
                          st.st_ino == r->inode))
        return;
    db_close(r->db);
    r->db = NULL;
}

struct db *probe_directory_db(struct probe_directory *registry)
{
    struct probe_directory *r = registry;
    close_if_replaced(r);
    return r->db != NULL || open_database(r) ? r->db : NULL;
}

bool probe_directory_note_failure(struct probe_directory *registry)
{
    if (registry->db != NULL)
        error_set(&registry->error, "%s", db_error(registry->db));
    return false;
}

/* False when the row is none that we can work with; that is no registration,
 * and must not hold up the other probes. */
static bool read_probe(struct db_statement *s, struct registry_probe *probe)
{
    struct slice key = db_blob(s, 3);
    *probe = (struct registry_probe){
        .algorithm = sign_algorithm_from(slice_of_text(db_text(s, 2))),
        .key_length = key.length,
        .agreed_at = {db_i64(s, 4)},
        .has_denied_at = !db_is_null(s, 5),
        .denied_at = {db_i64(s, 5)},
        .is_sample = db_i64(s, 6) != 0,
        .source = db_is_null(s, 7) ? SOURCE_PROBE : SOURCE_SUPPLIER_PROBE,
    };
    if (key.length == 0 || key.length > sizeof(probe->key))
        return false;
    memcpy(probe->key, key.data, key.length);
    return slice_copy(slice_of_text(db_text(s, 0)), probe->enterprise_id,
                      sizeof(probe->enterprise_id)) &&
           slice_copy(slice_of_text(db_text(s, 1)), probe->site_id,
                      sizeof(probe->site_id)) &&
           slice_copy(slice_of_text(db_text(s, 7)), probe->supplier_id,
                      sizeof(probe->supplier_id));
}

enum registry_status probe_directory_find(struct probe_directory *registry,
                                          const char *probe_id,
                                          struct registry_probe *probe)
{
    struct probe_directory *r = registry;
    if (probe_directory_db(r) == NULL)
        return REGISTRY_FAILED;
    struct db_statement *s = db_prepare(
        r->db, "SELECT enterprise_id, site_id, algorithm, signing_key, "
               "agreed_at, denied_at, is_sample, supplier_id FROM probe "
               "WHERE id = :id");
    if (s == NULL) {
        error_set(&r->error, "%s", db_error(r->db));
        return REGISTRY_FAILED;
    }
    db_bind_text(s, ":id", probe_id);
    enum registry_status status = REGISTRY_UNKNOWN;
    switch (db_step(s)) {
    case DB_ROW:
        if (read_probe(s, probe))
            status = REGISTRY_FOUND;
        break;
    case DB_DONE:
        break;
    case DB_FAILED:
        error_set(&r->error, "%s", db_error(r->db));
        status = REGISTRY_FAILED;
        break;
    }
    db_reset(s);
    return status;
}

/* --- exporters --- */

static bool read_exporter(struct db_statement *s,
                          struct registry_exporter *exporter)
{
    *exporter = (struct registry_exporter){
        .sampling = (uint32_t)db_i64(s, 4),
        .agreed_at = {db_i64(s, 5)},
        .has_denied_at = !db_is_null(s, 6),
        .denied_at = {db_i64(s, 6)},
        .is_sample = db_i64(s, 7) != 0,
    };
    return slice_copy(slice_of_text(db_text(s, 0)), exporter->id,
                      sizeof(exporter->id)) &&
           address_from_text(slice_of_text(db_text(s, 1)),
                             &exporter->address) &&
           slice_copy(slice_of_text(db_text(s, 2)), exporter->enterprise_id,
                      sizeof(exporter->enterprise_id)) &&
           slice_copy(slice_of_text(db_text(s, 3)), exporter->site_id,
                      sizeof(exporter->site_id));
}

static bool has_exporters(struct probe_directory *r)
{
    struct db_statement *s = db_prepare(
        r->db, "SELECT 1 FROM sqlite_schema WHERE name = 'exporter'");
    bool has = s != NULL && db_step(s) == DB_ROW;
    if (s != NULL)
        db_reset(s);
    return has;
}

enum registry_status
probe_directory_read_exporters(struct probe_directory *registry,
                               registry_exporter_fn *fn, void *context)
{
    struct probe_directory *r = registry;
    struct registry_exporter exporter;
    close_if_replaced(r);
    if (r->db == NULL && !open_database(r))
        return REGISTRY_FAILED;
    if (!has_exporters(r))
        return REGISTRY_FOUND;
    struct db_statement *s = db_prepare(
        r->db, "SELECT id, address, enterprise_id, site_id, "
               "coalesce(sampling, 0), agreed_at, denied_at, is_sample "
               "FROM exporter ORDER BY id");
    enum db_step step = s == NULL ? DB_FAILED : db_step(s);
    for (; step == DB_ROW; step = db_step(s))
        if (read_exporter(s, &exporter))
            fn(context, &exporter);
    if (step == DB_FAILED)
        error_set(&r->error, "%s", db_error(r->db));
    if (s != NULL)
        db_reset(s);
    return step == DB_FAILED ? REGISTRY_FAILED : REGISTRY_FOUND;
}
