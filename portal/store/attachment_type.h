/*
 * What kind of file somebody hands in, by its first bytes and nothing else: not
 * by its name, not by what the browser says, and never by reading on (CON-10).
 */
#ifndef PORTAL_STORE_ATTACHMENT_TYPE_H
#define PORTAL_STORE_ATTACHMENT_TYPE_H

#include <stddef.h>

#include "common/slice.h"

/* Sets of types are sums. */
enum attachment_type {
    ATTACHMENT_PDF = 1,
    ATTACHMENT_JPG = 2,
    ATTACHMENT_PNG = 4,
    ATTACHMENT_OFD = 8, /* electronic invoices: kept, never shown */
    ATTACHMENT_XML = 16,
};
enum {
    ATTACHMENT_NO_TYPE = 0,
    /* What a reviewer reads inside the page. */
    ATTACHMENT_READABLE = ATTACHMENT_PDF | ATTACHMENT_JPG | ATTACHMENT_PNG,
    ATTACHMENT_INVOICE = ATTACHMENT_READABLE | ATTACHMENT_OFD | ATTACHMENT_XML,
    ATTACHMENT_START_LEN = 64, /* bytes that are enough to know it */
    ATTACHMENT_NAME_LEN = 241, /* of a name in UTF-8 */
};

unsigned attachment_type_of(struct slice start);
/* "PDF", as it is stored and shown; the reverse, ATTACHMENT_NO_TYPE when it is
 * none. */
const char *attachment_type_name(unsigned type);
unsigned attachment_type_from(const char *name);
const char *attachment_media_type(unsigned type); /* "application/pdf" */

/* A file's name as a browser sends it, without folders, control characters and
 * marks that turn the direction of writing; what is too long is cut in front of
 * its ending. "file" when nothing is left. */
void attachment_clean_name(struct slice name,
                           char clean[static ATTACHMENT_NAME_LEN]);

#endif
