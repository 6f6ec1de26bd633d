/*
 * A completion table (完成情况表) as a page, and its file as
 * it was stored, byte for byte, with fingerprint and signature (VER-10, VER-11).
 * A table is never edited; a new run makes a new version (VER-13). The table of
 * another city is 404.
 */
#ifndef PORTAL_RECORD_TABLE_PAGES_H
#define PORTAL_RECORD_TABLE_PAGES_H

#include "portal/http/visit.h"

void table_show(struct visit *visit);
void table_download(struct visit *visit);

#endif
