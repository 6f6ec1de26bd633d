/*
 * A letter as a mail (RFC 5322, MIME): the words of the language that comes
 * first, then those of the other one; text alone, in base64, so that no line of
 * it is anything to a mail server. The Message-ID is the same at each try, so
 * that a mail that was sent twice is one for its reader's program. It says that
 * no person wrote it (RFC 3834), so that no person's answer is sent by itself.
 */
#ifndef PORTAL_STORE_MAIL_TEXT_H
#define PORTAL_STORE_MAIL_TEXT_H

#include "common/buffer.h"
#include "portal/store/outbox.h"

enum { MAIL_TEXT_MAX = 128 * 1024 };

void mail_text_write(const struct outbox_letter *letter,
                     const struct mail_address *from, struct buffer *out);

#endif
