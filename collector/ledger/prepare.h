/*
 * All that is heavy about taking a batch and needs no store: checking its
 * signature, compressing it for the archive and as flow block, adding up its
 * records. Pure, so that many threads do it side by side; the one that stores
 * has little left to do.
 */
#ifndef COLLECTOR_LEDGER_PREPARE_H
#define COLLECTOR_LEDGER_PREPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "collector/ledger/intake.h"
#include "collector/ledger/probe_directory.h"
#include "collector/ledger/usage.h"
#include "common/buffer.h"
#include "common/wire/batch.h"
#include "common/wire/flow_block.h"

struct preparer; /* working memory; one for each thread */

struct preparer *preparer_new(void); /* NULL without memory */
void preparer_free(struct preparer *p);

struct prepared {
    struct intake_span span;
    /* What the signature is with this key; key_length 0: not asked yet. */
    enum sign_algorithm algorithm;
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t key_length;
    enum batch_status signature;
    bool has_content;    /* the following are there */
    struct buffer frame; /* for the archive */
    struct buffer block; /* flow detail; empty without records */
    struct usage_sums *sums;
    bool has_too_many_cells; /* for the usage: the sums are not whole */
};

void prepared_init(struct prepared *out);
void prepared_clear(struct prepared *out);
/* Bytes held. */
size_t prepared_size(const struct prepared *out);

/* Checks the signature, unless that was done with the same key. */
enum batch_status prepare_signature(struct prepared *out,
                                    const struct batch_reader *reader,
                                    const struct registry_probe *probe);
/* Frame, block and sums, unless that was done. False without memory. */
bool prepare_content(struct preparer *p, struct prepared *out,
                     const struct batch_reader *reader);
/* The sums alone. False without memory. */
bool prepare_sums(struct prepared *out, const struct batch_reader *reader);
/* Span and signature; and the content when nothing speaks against this batch so
 * far. `content` is what batch_reader_add said. */
void prepare_batch(struct preparer *p, struct prepared *out,
                   const struct batch_reader *reader, enum batch_status content,
                   const struct registry_probe *probe);

#endif
