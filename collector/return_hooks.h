/*
 * The return channel (return_channel.h) in the workers: a channel for each
 * worker, made when its first probe comes, and what it has for a probe sent as
 * fast as that reads.
 */
#ifndef COLLECTOR_RETURN_HOOKS_H
#define COLLECTOR_RETURN_HOOKS_H

#include "collector/worker.h"
#include "common/crypto/sign.h"

/* Borrows the key; the path is portal.db's, borrowed. NULL without memory. */
struct peer_hooks *return_hooks_new(const struct sign_key *receipt_key,
                                    const char *registry_path);
/* All workers must be gone. */
void return_hooks_free(struct peer_hooks *hooks);

#endif
