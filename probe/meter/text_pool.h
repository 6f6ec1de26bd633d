/*
 * Texts of flows, kept only where somebody wants to read them (--local): a
 * fixed number of small chunks, chained.
 *
 * What finds no room is left out by the caller, who counts it. Nothing is ever
 * decided by what lies here.
 */
#ifndef PROBE_METER_TEXT_POOL_H
#define PROBE_METER_TEXT_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

struct text_pool;

enum { TEXT_POOL_NONE = 0 };

struct text_pool *text_pool_new(size_t chunks); /* NULL without memory */
void text_pool_free(struct text_pool *pool);
/* Number under which the text is kept; TEXT_POOL_NONE when it is empty or there
 * is no room. */
uint32_t text_pool_put(struct text_pool *pool, struct slice text);
/* Bytes copied, at most `size`. */
size_t text_pool_get(const struct text_pool *pool, uint32_t number, char *out,
                     size_t size);
void text_pool_release(struct text_pool *pool, uint32_t number);

#endif
