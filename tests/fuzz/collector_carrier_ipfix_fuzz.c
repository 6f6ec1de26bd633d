/* Carriers' IPFIX files: any bytes are records, rows with a fault or an error;
 * read twice they are the same. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/carrier/carrier_ipfix.h"
#include "tests/fuzz/fuzz.h"

struct counted {
    uint64_t records, faults, octets;
};

static bool take_row(void *context, const struct carrier_record *r,
                     const char *fault)
{
    struct counted *c = context;
    if ((r == NULL) == (fault == NULL))
        abort();
    if (r == NULL) {
        c->faults++;
        return true;
    }
    if (carrier_record_fault(r, wall_from_s(1795420800)) != NULL ||
        r->connections != 1 || r->user_count < 1 ||
        r->user_count > CARRIER_USERS_MAX ||
        r->number_count > NUMBER_KIND_COUNT ||
        (r->number_count > 0 && !r->has_number))
        abort();
    c->records++;
    c->octets += r->octets_up + r->octets_down;
    return true;
}

static bool read_once(void *file, struct counted *c,
                      struct carrier_reading *reading)
{
    struct error_text error = {""};
    *c = (struct counted){0};
    bool good = carrier_ipfix.read(file, wall_from_s(1795420800), take_row, c,
                                   reading, &error);
    if (!good && error.text[0] == '\0')
        abort();
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct endpoint_list *endpoints;
    struct error_text error;
    struct counted one, other;
    struct carrier_reading first, second;
    if (endpoints == NULL)
        endpoints = endpoint_list_any();
    int fd = memfd_create("fuzz", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    void *file = carrier_ipfix_of(fd, "fuzz", endpoints, &error);
    if (file == NULL)
        abort();
    bool good = read_once(file, &one, &first);
    if (read_once(file, &other, &second) != good ||
        one.records != other.records || one.faults != other.faults ||
        one.octets != other.octets ||
        (good && !digest_equal(first.hash, second.hash)))
        abort();
    carrier_ipfix.close(file);
    return 0;
}
