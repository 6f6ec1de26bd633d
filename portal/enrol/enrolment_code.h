/*
 * Enrolment codes: easy to read aloud, hard to mistype, impossible to guess.
 *
 *   7K3M-9QX2-...   seven groups of four symbols of 0-9 A-Z without I L O U:
 *                   27 by chance (135 bits), and a check symbol
 *
 * The check symbol is found wrong for any one symbol mistyped and for any two
 * exchanged. Small letters, blanks and dashes do not matter, I and L are read as
 * 1, O as 0. Only the SHA-256 of the 28 symbols is kept; with so many bits by
 * chance nobody finds the code behind it.
 */
#ifndef PORTAL_ENROL_ENROLMENT_CODE_H
#define PORTAL_ENROL_ENROLMENT_CODE_H

#include <stdbool.h>

#include "common/crypto/digest.h"
#include "common/slice.h"

enum {
    ENROLMENT_SYMBOLS = 28,
    ENROLMENT_CODE_LEN = 35,  /* with dashes and NUL */
    ENROLMENT_HANDLE_LEN = 9, /* 8 hex digits */
};

void enrolment_code_new(char text[static ENROLMENT_CODE_LEN]);
/* The hash it is kept as; false for what cannot be a code. */
bool enrolment_code_read(struct slice text, struct digest *hash);
/* What people call a code by: the first digits of its hash. */
void enrolment_code_handle(struct digest hash,
                           char handle[static ENROLMENT_HANDLE_LEN]);

/* An id for a new probe: "P-" and ten symbols by chance. */
enum { ENROLMENT_ID_LEN = 13 };
void enrolment_new_id(char id[static ENROLMENT_ID_LEN]);

#endif
