/*
 * A file that somebody handed in, shown to whoever may see its record (PRIV-10).
 *
 * Its owner is an item (portal/workflow): the file's owner_kind is the name of
 * the machine, its owner_id the item's id. It is seen by those in whose scope
 * the item lies and whose role has a right in one of the machine's actions; what
 * is not submitted yet by the party alone. Everybody else is answered as if
 * there were none. Each opening leaves an audit row.
 *
 * PDF, JPG and PNG open inside a page of ours, next to what they prove; all else
 * is kept to be saved. Whatever is in a file, it runs no script, loads nothing
 * and is framed by nobody else.
 */
#ifndef PORTAL_RECORD_ATTACHMENT_PAGES_H
#define PORTAL_RECORD_ATTACHMENT_PAGES_H

#include "portal/form/refusal.h"
#include "portal/http/upload.h"
#include "portal/store/attachment.h"

struct visit;

void attachment_show(struct visit *visit);

/* A file of a form that is not good, as the refusal of its field, with the name
 * of the file and the way out; false, so that it can be returned. With a good
 * one nothing is set, and it is true. `types` are the field's own, `has_place`
 * what attachment_has_place() says of its record. */
bool attachment_check_upload(const struct attachments *attachments,
                             const struct upload_file *upload, unsigned types,
                             bool has_place, struct arena *arena,
                             struct refusal *refusal);

#endif
