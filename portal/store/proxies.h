/*
 * Whose word about the visitor's address counts.
 *
 * Behind a proxy every connection comes from the proxy, which says in a header
 * for whom. Anybody can send such a header: it is believed from the addresses
 * that the configuration names, and no further than they reach. A header lists
 * the hops, the nearest last; from there backwards the first that is no proxy of
 * ours is the visitor. The other header, which the proxy may pass on as a
 * stranger wrote it, is not looked at.
 */
#ifndef PORTAL_STORE_PROXIES_H
#define PORTAL_STORE_PROXIES_H

#include <stdbool.h>

#include "common/address.h"
#include "common/log.h"

enum { PROXIES_MAX = 16 };

/* The header in which they say it. */
enum proxy_header { PROXY_X_FORWARDED_FOR, PROXY_FORWARDED };

struct proxies {
    struct prefix prefixes[PROXIES_MAX];
    size_t count;
    enum proxy_header header;
};

/* What a request says of its way. */
struct proxy_words {
    struct slice x_forwarded_for, x_forwarded_proto; /* as sent */
    struct slice forwarded;                          /* RFC 7239 */
};

enum visitor_way { WAY_UNKNOWN, WAY_HTTP, WAY_HTTPS };

/* "127.0.0.1, 10.0.0.0/8"; false with a reason. */
bool proxies_read(const char *text, struct proxies *proxies,
                  struct error_text *error);
/* Who visits: `peer`, or for whom it speaks. */
struct address proxies_visitor(const struct proxies *proxies,
                               const struct address *peer,
                               const struct proxy_words *words);
/* Whether the visitor's browser spoke HTTPS, as far as a proxy of ours says. */
enum visitor_way proxies_way(const struct proxies *proxies,
                             const struct address *peer,
                             const struct proxy_words *words);

#endif
