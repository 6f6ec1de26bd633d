/*
 * Takes deliveries from the outbox and hands them over: mails to one server by
 * SMTP, short messages to one gateway by an HTTP request each. libcurl's second
 * place; its types stop in sender.c.
 *
 * A delivery is counted before it is tried and noted after it, each in a
 * transaction of its own, and the network lies between them under no lock. A
 * sender that is killed tries again; what was handed over just before may come
 * twice, with the same Message-ID.
 *
 * The hook: POST, application/json, with the token of the file as `Authorization:
 * Bearer`; any 2xx means that the gateway has it, 4xx but 408 and 429 that it
 * never will.
 *
 *   {"id":"32 hex digits","to":"+8613800138000","text":"..."}
 */
#ifndef PORTAL_STORE_SENDER_H
#define PORTAL_STORE_SENDER_H

#include <stdbool.h>

#include "common/clock.h"
#include "portal/store/portal.h"

enum { SENDER_ROUND_MAX = 200 };

struct sender;

/* Reads what the configuration names (files, addresses) and checks it; NULL with
 * a reason. Without a server and a hook there is nothing to do. */
struct sender *sender_new(struct portal *portal, struct error_text *error);
void sender_free(struct sender *sender); /* ends its thread first */

struct sender_count {
    unsigned sent, refused, failed;
};
/* What is due now, until a carrier does not answer or SENDER_ROUND_MAX were
 * tried. False when the database fails. */
bool sender_round(struct sender *sender, struct wall_time now,
                  struct sender_count *count);
/* A thread that does so every few seconds. */
bool sender_start(struct sender *sender, struct error_text *error);

#endif
