/*
 * What the pages and the API of registrations have in common: the registration
 * that a visit is about, with its answers and files, and how these are shown.
 */
#ifndef PORTAL_RECORD_REGISTRATION_DESK_H
#define PORTAL_RECORD_REGISTRATION_DESK_H

#include "portal/form/form_view.h"
#include "portal/http/visit.h"
#include "portal/record/enterprise_machine.h"
#include "portal/record/enterprise_registration.h"
#include "portal/store/attachment.h"

struct desk {
    struct visit *visit;
    bool is_there; /* else the party has none yet */
    struct item item;
    struct answers answers; /* the draft, or the edition that is looked at */
    struct edition edition; /* of them */
    struct form_context context;
    const struct attachment *files; /* all of the record */
    size_t file_count;
    const struct point *points; /* of the return that is open, or was last */
    size_t point_count;
    int64_t returned; /* the edition that it was about; 0: none */
    bool opens_all;   /* fields that no point is about as well */
};

/* The own one of an enterprise, as it is written on. False: the visit has been
 * answered. */
bool desk_open_own(struct visit *visit, struct desk *desk);
/* One that the caller may see, by its number or id, in the edition (0: the
 * newest). False: answered. */
bool desk_open_named(struct visit *visit, const char *name, int64_t edition,
                     struct desk *desk);
/* How its answers are shown. */
struct form_view desk_view(struct desk *desk);
/* State, holder, deadline, whether it is an unsubmitted draft (DEAD-16). */
void desk_add_state(const struct desk *desk, struct model *model);
/* The list "points" below "_has_points"; with `wants_replies` with inputs. What
 * changed since is told from the answers of the desk. */
void desk_add_points(struct desk *desk, bool wants_replies,
                     struct model *model);
/* "_others": changes that no point asked for, of all with `since` other than the
 * returned edition. Gives how many. */
size_t desk_add_others(struct desk *desk, int64_t since, struct model *model);
/* "_events": part_timeline.html. */
void desk_add_timeline(const struct desk *desk, struct model *model);
/* A number for a form, so that a second press has no effect of its own. */
void desk_add_request(struct model *model, const char *key);

/* The way of every event: does it, and answers with the refusal where there is
 * one, false. `asked` were read from a form or JSON. */
enum act_end desk_do(struct desk *desk, const char *event, int64_t version,
                     const char *request, const struct answers *asked,
                     struct refusal *refusal);

#endif
