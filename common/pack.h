/*
 * Compression (zstd), behind one module.
 *
 * A packed piece is one frame made of blocks: packer_add() closes a block, so
 * that parts of different kinds do not share one table of frequencies. Only
 * what we packed ourselves is unpacked, but files may have been tampered with:
 * unpacking is told the length it must come to and writes no byte more.
 */
#ifndef COMMON_PACK_H
#define COMMON_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"
#include "common/slice.h"

struct packer; /* for one thread at a time */

/* Levels 1 (fast) to 19. NULL without memory. */
struct packer *packer_new(int level);
void packer_free(struct packer *p);

/* packer_begin, packer_add or packer_join any number of times, packer_end: adds one frame to
 * *out, which stays the same buffer throughout. False without memory or room;
 * *out then holds part of a frame. */
bool packer_begin(struct packer *p);
bool packer_add(struct packer *p, struct slice part, struct buffer *out);
/* As packer_add, without closing the block: for parts too small for one. */
bool packer_join(struct packer *p, struct slice part, struct buffer *out);
bool packer_end(struct packer *p, struct buffer *out);
/* The three in one. */
bool packer_pack(struct packer *p, struct slice data, struct buffer *out);

/* Room for a frame of so many bytes in one part. */
size_t pack_bound(size_t length);

struct unpacker;

struct unpacker *unpacker_new(void); /* NULL without memory */
void unpacker_free(struct unpacker *u);
/* Empties *out and fills it. False when `packed` is not a frame that gives
 * exactly `length` bytes, or without memory. */
bool unpacker_unpack(struct unpacker *u, struct slice packed, size_t length,
                     struct buffer *out);

#endif
