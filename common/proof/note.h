/*
 * Signed notes: text that people can carry about, with signature lines below.
 *
 * The format is C2SP signed-note: a text that ends in a newline, an empty line,
 * and lines "\u2014 NAME BASE64(key id, 4 bytes | signature)". A reader looks at
 * the lines whose name and key id are those of a key it knows and ignores the
 * others. The key id is the start of SHA-256(name | 0x0a | type | public key).
 *
 * Signature types:
 *   0x01  Ed25519 over the text
 *   0x04  Ed25519 cosignature of a witness (C2SP tlog-cosignature, version 1):
 *         8 bytes of time in seconds, then the signature over
 *         "cosignature/v1\ntime SECONDS\n" and the text
 *   0xff "yunzheng-sm2-sm3"  SM2 with SM3 over the text. 0xff is the type set
 *         aside for what C2SP has no number for; the name behind it, in the
 *         type's place of the key id, is ours. Other tools skip such lines.
 */
#ifndef COMMON_PROOF_NOTE_H
#define COMMON_PROOF_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/crypto/sign.h"
#include "common/log.h"
#include "common/slice.h"

enum {
    /* C2SP: at least 16 signatures, of nearly 5 kB each (ML-DSA-87). */
    NOTE_MAX = 256 * 1024,
    NOTE_NAME_LEN = 128, /* with its NUL */
    NOTE_SIGNATURES_MAX = 64,
};

/* A key that a note is checked with. */
struct note_key {
    char name[NOTE_NAME_LEN];
    enum sign_algorithm algorithm;
    bool is_witness;
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t key_length;
    uint8_t id[4];
};

/* Letters, digits and what stands in addresses; no blanks, no '+'. */
bool note_name_is_valid(const char *name);
/* "keys/finance.pub" gives "finance"; "" when it is too long. */
void note_name_of_file(const char *path, char name[static NOTE_NAME_LEN]);

/* The public half of a key of ours. A witness signs with Ed25519 only. */
bool note_key_of(const struct sign_key *key, const char *name, bool is_witness,
                 struct note_key *note_key, struct error_text *error);
/* A public key file: PEM, then under the name given (NULL: the file's name up
 * to its last dot), or a line NAME+ID+BASE64(type | key) (vkey), which brings
 * its own. */
bool note_key_load(const char *path, const char *name, bool is_witness,
                   struct note_key *key, struct error_text *error);
/* The vkey line, without a newline. */
void note_key_text(const struct note_key *key, struct buffer *out);

struct note {
    struct slice text;       /* with its last newline */
    struct slice signatures; /* whole lines */
};
/* Splits a file into borrowed parts. False with a reason unless it has the
 * form of a note; signatures are not looked at. */
bool note_split(struct slice file, struct note *note, struct error_text *error);

enum note_result {
    NOTE_ABSENT, /* no line of this key */
    NOTE_WRONG,  /* a line of this key that does not fit the text */
    NOTE_GOOD,
};
/* *line (may be NULL) is the line found, with its newline, borrowed; *signed_s
 * (may be NULL) the time in a cosignature. */
enum note_result note_verify(const struct note *note,
                             const struct note_key *key, struct slice *line,
                             int64_t *signed_s);

/* Adds a signature line over `text`; signed_s is used by a witness only. */
bool note_sign(struct slice text, const struct sign_key *key,
               const struct note_key *public_key, int64_t signed_s,
               struct buffer *out);

/* Base64 of exactly `size` bytes. */
bool note_read_base64(struct slice text, void *data, size_t size);

#endif
