/*
 * Files that people hand in, by record and field: licences, contracts, invoices
 * (CON-10, PRIV-10).
 *
 * The bytes lie in a folder, once for each SHA-256 (attachment_file.h); a row
 * says of which record and field a file is, what it was called, who brought it
 * and when. A row belongs to the record's draft until that is submitted; from
 * then on neither it nor its bytes change: a new version is a new file.
 *
 * portal/http/upload.h receives files beside the fields of a form. What is good
 * is then given its record, inside the act that saves the form:
 *
 *   struct attachment_place place = {"registration", id, "licence", name, by};
 *   int64_t id = attachment_add(db, now, &place, file, error);
 *
 * When that act is committed the bytes are on disk under their name; when it is
 * not, the clock removes them (attachment_clock.h). Who may see a file is who may see its
 * record, and is asked there (portal/record/attachment_pages.h).
 */
#ifndef PORTAL_STORE_ATTACHMENT_H
#define PORTAL_STORE_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/db.h"
#include "portal/store/attachment_file.h"

enum { ATTACHMENT_DRAFT_MAX = 60 }; /* files of one draft */

struct attachment {
    int64_t id;
    const char *owner_kind, *owner_id; /* the record */
    const char *field;                 /* of its form */
    const char *name;                  /* as it was called, cleaned */
    unsigned type;                     /* enum attachment_type */
    uint64_t bytes;
    struct digest sha256;
    const char *uploaded_by;
    struct wall_time uploaded_at;
    bool is_submitted; /* else of the draft */
    bool is_removed;   /* was submitted, and has been replaced since */
    enum virus_scan scan;
};

/* Where a new file belongs, and who brings it. */
struct attachment_place {
    const char *owner_kind, *owner_id, *field;
    struct slice name; /* as it came */
    const char *uploaded_by;
};

/* Whether the record's draft may have one more. */
bool attachment_has_place(struct db *db, const char *owner_kind,
                          const char *owner_id);

/* These four inside an act (store/act.h); false or 0 is a failed query or disk,
 * with a reason in *error or of the db. */

/* The id of the new row; the file is good. */
int64_t attachment_add(struct db *db, struct wall_time now,
                       const struct attachment_place *place,
                       struct attachment_file *file, struct error_text *error);
/* Taken out of its field. A draft's row is gone, a submitted one stays and says
 * so. */
bool attachment_remove(struct db *db, struct wall_time now, int64_t id);
/* All files of the record's draft are submitted with it. */
bool attachment_submit(struct db *db, struct wall_time now,
                       const char *owner_kind, const char *owner_id);
/* The draft is given up, and its files with it. */
bool attachment_drop_draft(struct db *db, const char *owner_kind,
                           const char *owner_id);

/* Texts go into the arena. False when there is no such file, or the query
 * failed. */
bool attachment_find(struct db *db, int64_t id, struct arena *arena,
                     struct attachment *attachment);
/* The files of a record in the order in which they came; of one field, or of
 * all with NULL; those that were replaced only with `also_removed`. False when
 * the query failed or there is no memory; *list is in the arena. */
bool attachment_list(struct db *db, const char *owner_kind,
                     const char *owner_id, const char *field, bool also_removed,
                     struct arena *arena, struct attachment **list,
                     size_t *count);
/* "NOT_SCANNED", "CLEAN", "INFECTED": text keys "attachment.scan." and this. */
const char *attachment_scan_name(enum virus_scan scan);

#endif
