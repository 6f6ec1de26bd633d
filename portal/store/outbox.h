/*
 * What people are told, and how it reaches them.
 *
 * A message is written in the transaction of the act that it tells of: there is
 * no act without it, and none about something that did not happen. It stands in
 * the reader's inbox on the portal, which is the carrier that always works;
 * mails and short messages repeat it where the reader has an address, and are
 * never the only way to learn anything.
 *
 *   struct text_argument arguments[] = {text_plain("number", item->number), {0}};
 *   struct outbox_message message = {
 *       .account = account.name, .mail = &mail, .item = item->id,
 *       .subject = TEXT_KEY("notice.return.subject"),
 *       .body = TEXT_KEY("notice.return.body"), .arguments = arguments};
 *   return outbox_add(db, now, &message) ? ACT_KEPT : ACT_FAILED;
 *
 * The sentences are filled in both languages at once, so that what was told
 * stays what it was (REV-06). A message that holds a secret (a link that lets
 * its reader in) is in no inbox, and its body is forgotten as soon as nobody has
 * to send it any more.
 *
 * Deliveries are taken by sender.h: at least once, with the same Message-ID
 * however often, with growing pauses for OUTBOX_DAYS, then given up and shown to
 * those who can mend the address.
 */
#ifndef PORTAL_STORE_OUTBOX_H
#define PORTAL_STORE_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/text.h"
#include "portal/store/mail_address.h"

enum {
    OUTBOX_DAYS = 5,
    OUTBOX_SUBJECT_MAX = 400,
    OUTBOX_BODY_MAX = 16 * 1024,
    OUTBOX_TOKEN_LEN = 33,
    OUTBOX_PROBLEM_LEN = 200,
};

struct outbox_message {
    const char *account;                   /* whose inbox; NULL: nobody's */
    const struct mail_address *mail;       /* NULL: no mail */
    const struct mobile_number *mobile;    /* NULL: no short message; it is the
                                           subject alone */
    enum language language;                /* which one comes first */
    int64_t item;                          /* what it is about; 0: nothing */
    const char *subject, *body;            /* text keys */
    const struct text_argument *arguments; /* of both; ends with {0} */
    bool is_secret;
    const char *once; /* told once: a second one of that name is none; NULL */
};

/* Inside a transaction of the caller. False when the database fails, or a
 * sentence is longer than the bounds above. */
bool outbox_add(struct db *db, struct wall_time now,
                const struct outbox_message *message);

/* ---- for the sender ---- */

enum outbox_channel { OUTBOX_MAIL, OUTBOX_SMS };

/* A delivery that is under way. */
struct outbox_letter {
    int64_t delivery, message;
    enum outbox_channel channel;
    struct mail_address mail;
    struct mobile_number mobile;
    char token[OUTBOX_TOKEN_LEN]; /* its name, the same at each try */
    struct wall_time made_at;
    enum language language;
    char subject[LANGUAGE_COUNT][OUTBOX_SUBJECT_MAX];
    char body[LANGUAGE_COUNT][OUTBOX_BODY_MAX];
};

enum outbox_take { OUTBOX_TAKEN, OUTBOX_EMPTY, OUTBOX_TAKE_FAILED };

/* The next one that is due of these channels (1 << OUTBOX_MAIL), inside a
 * transaction: its try is counted and the next one set before it is made, so
 * that a killed sender tries again. */
enum outbox_take outbox_take(struct db *db, struct wall_time now,
                             unsigned channels, struct outbox_letter *letter);

enum outbox_end {
    OUTBOX_SENT,
    OUTBOX_AGAIN,   /* later, until OUTBOX_DAYS are over */
    OUTBOX_REFUSED, /* there is no such address: never again */
};
/* How the try went, inside a transaction. `problem` is kept printable. */
bool outbox_note(struct db *db, struct wall_time now,
                 const struct outbox_letter *letter, enum outbox_end end,
                 const char *problem);

/* Gives up what has waited for OUTBOX_DAYS without a try. */
bool outbox_give_up_old(struct db *db, struct wall_time now);

#endif
