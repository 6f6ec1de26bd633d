#include "portal/store/proxies.h"

enum { HOPS_MAX = 32 };

bool proxies_read(const char *text, struct proxies *proxies,
                  struct error_text *error)
{
    struct slice rest = slice_of_text(text), part;
    proxies->count = 0;
    while (slice_next(&rest, ',', &part)) {
        part = slice_trim(part);
        if (part.length == 0)
            continue;
        if (proxies->count == PROXIES_MAX)
            return error_set(error, "trusted_proxies: more than %d",
                             PROXIES_MAX);
        if (!prefix_from_text(part, &proxies->prefixes[proxies->count]))
            return error_set(error,
                             "trusted_proxies: '%.*s' is no address and no "
                             "network such as 10.0.0.0/8",
                             (int)part.length, part.data);
        proxies->count++;
    }
    return true;
}

static bool is_ours(const struct proxies *proxies, const struct address *a)
{
    for (size_t i = 0; i < proxies->count; i++)
        if (prefix_contains(&proxies->prefixes[i], a))
            return true;
    return false;
}

/* "203.0.113.7", "203.0.113.7:4711", "2001:db8::7", "[2001:db8::7]:4711"; also
 * in quotes. */
static bool read_hop(struct slice text, struct address *hop)
{
    struct slice host, port;
    text = slice_trim(text);
    if (text.length >= 2 && text.data[0] == '"' &&
        text.data[text.length - 1] == '"')
        text = slice_of_bytes(text.data + 1, text.length - 2);
    if (address_from_text(text, hop))
        return true;
    if (text.length >= 2 && text.data[0] == '[' &&
        text.data[text.length - 1] == ']')
        return address_from_text(slice_of_bytes(text.data + 1, text.length - 2),
                                 hop);
    return slice_split_port(text, &host, &port) && address_from_text(host, hop);
}

/* The value of a pair of an element of Forwarded, "for=...;proto=...". */
static struct slice pair_of(struct slice element, const char *name)
{
    struct slice pair, key;
    while (slice_next(&element, ';', &pair)) {
        pair = slice_trim(pair);
        if (slice_next(&pair, '=', &key) &&
            slice_equal_nocase(key, slice_of_text(name)))
            return slice_trim(pair);
    }
    return (struct slice){0};
}

/* The nearest hop last. */
static size_t split_hops(struct slice text, struct slice hops[HOPS_MAX])
{
    size_t count = 0;
    struct slice part;
    while (slice_next(&text, ',', &part)) {
        if (count == HOPS_MAX)
            return 0;
        hops[count++] = slice_trim(part);
    }
    return count;
}

struct address proxies_visitor(const struct proxies *proxies,
                               const struct address *peer,
                               const struct proxy_words *words)
{
    bool is_rfc = proxies->header == PROXY_FORWARDED;
    struct slice hops[HOPS_MAX];
    size_t count =
        split_hops(is_rfc ? words->forwarded : words->x_forwarded_for, hops);
    struct address visitor = *peer, hop;
    while (count > 0 && is_ours(proxies, &visitor)) {
        struct slice text = hops[--count];
        if (!read_hop(is_rfc ? pair_of(text, "for") : text, &hop))
            break;
        visitor = hop;
    }
    return visitor;
}

enum visitor_way proxies_way(const struct proxies *proxies,
                             const struct address *peer,
                             const struct proxy_words *words)
{
    struct slice hops[HOPS_MAX], proto = words->x_forwarded_proto;
    if (!is_ours(proxies, peer))
        return WAY_UNKNOWN;
    if (proxies->header == PROXY_FORWARDED) {
        size_t count = split_hops(words->forwarded, hops);
        proto =
            count > 0 ? pair_of(hops[count - 1], "proto") : (struct slice){0};
    }
    if (slice_equal_nocase(slice_trim(proto), SLICE("https")))
        return WAY_HTTPS;
    return slice_equal_nocase(slice_trim(proto), SLICE("http")) ? WAY_HTTP
                                                                : WAY_UNKNOWN;
}
