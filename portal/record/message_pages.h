/*
 * The inbox: what an account was told, on the portal (SYS-01, REV-06), and what
 * of it reached nobody, for those who can mend an address.
 */
#ifndef PORTAL_RECORD_MESSAGE_PAGES_H
#define PORTAL_RECORD_MESSAGE_PAGES_H

#include "portal/http/visit.h"

/* Sets `messages`, the newest first, `unread`, their number, and `mail_fails`
 * when a mail to the account was refused or given up. False when the database
 * fails. */
bool message_fill(struct visit *visit, int most, bool unread_only);

void message_list_show(struct visit *visit); /* GET /messages, also as JSON */
void message_read_post(
    struct visit *visit); /* POST /messages/read: all of them */
/* GET and POST /messages/undelivered: of the province. */
void message_lost_show(struct visit *visit);
void message_lost_post(struct visit *visit);

#endif
