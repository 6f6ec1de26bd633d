/* QUIC datagrams, two of them in one connection; the second begins where the
 * byte 0xfe stands twice. */
#include <stdint.h>
#include <string.h>

#include "probe/meter/hello.h"
#include "probe/meter/quic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[QUIC_SCRATCH_LEN];
    static struct quic_opener *opener;
    static uint8_t bytes[8192];
    struct gather gather;
    struct quic_client client = {0};
    struct hello hello;
    if (opener == NULL)
        opener = quic_opener_new();
    gather_init(&gather, bytes, sizeof(bytes));
    const uint8_t *second = size > 0 ? memmem(data, size, "\xfe\xfe", 2) : NULL;
    size_t first = second != NULL ? (size_t)(second - data) : size;
    quic_is_long_header(data, first);
    quic_read_datagram(opener, data, first, scratch, &client, &gather);
    if (second != NULL)
        quic_read_datagram(opener, second + 2, size - first - 2, scratch,
                           &client, &gather);
    /* What would be inside if it had been sealed rightly. */
    gather_add(&gather, size % 7, data, size);
    hello_from_handshake(gather.bytes, gather_prefix(&gather), &hello);
    return 0;
}
