/*
 * The flow block: the connection records of one batch (F27), kept compactly.
 *
 * A column for each member, values as differences and short integers, texts
 * and repeating combinations once in a dictionary, all of it compressed; the
 * tokens, which are random, stand beside it as they are. Decoding gives back
 * every member of every record, in order.
 *
 *   size  meaning
 *   1     version, 1
 *   n     number of records (LEB128)
 *   n     number of tokens
 *   n     bytes of the columns before compression
 *   16 t  tokens, in the order of their records
 *   ...   columns, one zstd frame (see flow_block.c)
 *
 * Who writes usage.db may write anything into it: decoding is bounded by the
 * block's own length and by BATCH_RECORD_MAX, and gives only records that
 * flow_record_is_valid() accepts.
 */
#ifndef COMMON_WIRE_FLOW_BLOCK_H
#define COMMON_WIRE_FLOW_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/wire/flow_record.h"

/* Bytes of any block stay below this. */
enum { FLOW_BLOCK_MAX = 256 * 1024 * 1024 };

struct flow_packer;                        /* working memory of the encoder */
struct flow_packer *flow_packer_new(void); /* NULL without memory */
void flow_packer_free(struct flow_packer *p);
/* Adds the block of `count` records (at most BATCH_RECORD_MAX) to *out. False
 * without memory or room. */
bool flow_packer_encode(struct flow_packer *p,
                        const struct flow_record *records, size_t count,
                        struct buffer *out);

struct flow_block; /* a decoded block, and memory to be used again */
struct flow_block *flow_block_new(void); /* NULL without memory */
void flow_block_free(struct flow_block *b);
/* False when the bytes are no block. */
bool flow_block_decode(struct flow_block *b, struct slice data);
size_t flow_block_count(const struct flow_block *b);
/* The records of the block decoded last, until the next one. */
const struct flow_record *flow_block_records(const struct flow_block *b);

/* The tokens alone, without unpacking: *tokens points into the data at *count
 * times FLOW_TOKEN_LEN bytes. False when the bytes are no block. */
bool flow_block_tokens(struct slice data, const uint8_t **tokens,
                       size_t *count);

#endif
