/* A bucket keeps the time that was saved up; an attempt costs one period. */
#include "portal/enrol/est_limit.h"

#include <string.h>

struct rate {
    int64_t burst, period_us;
};

static const struct rate of_source = {EST_LIMIT_BURST,
                                      EST_LIMIT_PERIOD_S * 1000000LL};
static const struct rate of_all = {EST_LIMIT_ALL_BURST,
                                   EST_LIMIT_ALL_PERIOD_MS * 1000LL};
static const struct rate of_audit = {EST_LIMIT_AUDIT_BURST,
                                     EST_LIMIT_AUDIT_PERIOD_S * 1000000LL};

static struct est_bucket full(struct rate rate, struct mono_time now)
{
    return (struct est_bucket){rate.burst * rate.period_us, now};
}

static void fill(struct est_bucket *b, struct rate rate, struct mono_time now)
{
    int64_t most = rate.burst * rate.period_us;
    int64_t more = now.us > b->seen.us ? now.us - b->seen.us : 0;
    b->tokens_us = more > most - b->tokens_us ? most : b->tokens_us + more;
    b->seen = now;
}

static bool has_one(const struct est_bucket *b, struct rate rate)
{
    return b->tokens_us >= rate.period_us;
}

static unsigned wait_s(const struct est_bucket *b, struct rate rate)
{
    int64_t us = rate.period_us - b->tokens_us;
    return us <= 0 ? 1 : (unsigned)((us + 999999) / 1000000);
}

void est_limit_init(struct est_limit *limit, struct mono_time now)
{
    *limit = (struct est_limit){.all = full(of_all, now),
                                .audit = full(of_audit, now)};
}

/* A host with IPv6 has a whole network of addresses; an IPv4 address written as
 * IPv6 is the same source. */
static struct address source_of(const struct address *from)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address source = *from;
    if (from->version == 6 && memcmp(from->bytes, mapped, 12) == 0) {
        source = (struct address){.version = 4};
        memcpy(source.bytes, from->bytes + 12, 4);
    } else if (from->version == 6) {
        memset(source.bytes + 8, 0, 8);
    } else {
        source.version = 4; /* also those that are not known: one source */
    }
    return source;
}

/* The source's row; else a free one, else that of the quietest. */
static struct est_source *find(struct est_limit *limit,
                               const struct address *source,
                               struct mono_time now)
{
    struct est_source *oldest = &limit->sources[0];
    for (size_t i = 0; i < EST_LIMIT_SOURCES; i++) {
        struct est_source *s = &limit->sources[i];
        if (s->address.version != 0 && address_equal(&s->address, source))
            return s;
        if (oldest->address.version != 0 &&
            (s->address.version == 0 ||
             s->bucket.seen.us < oldest->bucket.seen.us))
            oldest = s;
    }
    *oldest = (struct est_source){*source, full(of_source, now)};
    return oldest;
}

static bool take(struct est_bucket *b, struct rate rate, unsigned *wait)
{
    if (!has_one(b, rate)) {
        *wait = wait_s(b, rate);
        return false;
    }
    b->tokens_us -= rate.period_us;
    return true;
}

bool est_limit_take_known(struct est_limit *limit, const struct address *from,
                          struct mono_time now, unsigned *wait)
{
    struct address source = source_of(from);
    struct est_source *s = find(limit, &source, now);
    fill(&s->bucket, of_source, now);
    return take(&s->bucket, of_source, wait);
}

bool est_limit_take(struct est_limit *limit, const struct address *from,
                    struct mono_time now, unsigned *wait)
{
    struct address source = source_of(from);
    struct est_source *s = find(limit, &source, now);
    fill(&s->bucket, of_source, now);
    fill(&limit->all, of_all, now);
    if (has_one(&s->bucket, of_source) && !take(&limit->all, of_all, wait))
        return false;
    return take(&s->bucket, of_source, wait);
}

bool est_limit_audit(struct est_limit *limit, struct mono_time now,
                     uint64_t *missed)
{
    fill(&limit->audit, of_audit, now);
    *missed = limit->unaudited;
    if (!has_one(&limit->audit, of_audit)) {
        limit->unaudited++;
        return false;
    }
    limit->audit.tokens_us -= of_audit.period_us;
    limit->unaudited = 0;
    return true;
}
