/*
 * What a return asks for (F19, REV-01): points, each tied to a field or file of
 * the form, with the reason and the material to add. A round is one return; its
 * points are told at once and answered at once, by changing the field or with
 * a reply.
 */
#ifndef PORTAL_FORM_POINT_H
#define PORTAL_FORM_POINT_H

#include "common/db.h"
#include "portal/form/form.h"

struct point {
    int64_t round, no;
    const char *field;
    const char *reason;
    const char *material;
    const char *explanation; /* why it was not told at the first return */
    const char *reply;       /* of who filed it */
};

/* The points of a round, by their number; of the newest one with 0. Texts lie in
 * the arena. False: the query failed, or no memory. */
bool points_list(struct db *db, int64_t item, int64_t round,
                 struct arena *arena, const struct point **points,
                 size_t *count);
/* How often it was returned. */
int64_t points_rounds(struct db *db, int64_t item);

/* Inside an act. False: the query failed. */
bool point_add(struct db *db, int64_t item, const struct point *point);
bool point_set_reply(struct db *db, int64_t item, int64_t round, int64_t no,
                     const char *reply);

#endif
