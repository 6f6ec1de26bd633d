/*
 * Asking clamd whether a file is harmful: INSTREAM over its local socket
 * (clamd(8)). The file goes there in pieces, so that clamd needs no right to
 * read our folder.
 */
#ifndef PORTAL_STORE_VIRUS_SCAN_H
#define PORTAL_STORE_VIRUS_SCAN_H

#include "common/log.h"

enum virus_scan {
    VIRUS_NOT_SCANNED, /* clamd takes no such file: it is too large for it */
    VIRUS_CLEAN,
    VIRUS_FOUND,
    VIRUS_NO_ANSWER, /* clamd is not there, or slow: not scanned either */
};

/* Reads the file from its start; *said is clamd's word, or why there is none. */
enum virus_scan virus_scan(const char *socket_path, int fd,
                           struct error_text *said);

#endif
