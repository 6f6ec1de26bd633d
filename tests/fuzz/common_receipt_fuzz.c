/* Receipts, as the probe reads them. The signature check stands in the way of
 * everything behind it, so the key is the one that made the seed, and what the
 * mutations reach is the parsing in front of it. */
#include <stdlib.h>
#include <string.h>

#include "common/wire/receipt.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = {
        0x41, 0x07, 0x7e, 0x62, 0xdc, 0x45, 0xc5, 0x18, 0x56, 0x70, 0x1a,
        0x6c, 0x39, 0x1d, 0x12, 0xab, 0xb9, 0x87, 0xdd, 0xef, 0x9a, 0x87,
        0xb9, 0xa5, 0xef, 0xb1, 0xd6, 0x72, 0xff, 0xcf, 0x0e, 0x18};
    struct receipt receipt;
    if (receipt_decode(data, size, SIGN_ED25519, slice_of_bytes(key, 32),
                       &receipt) &&
        (memchr(receipt.probe_id, '\0', PROBE_ID_LEN) == NULL ||
         receipt.status > RECEIPT_REFUSED))
        abort();
    receipt_decode(data, size, SIGN_SM2_SM3, slice_of_bytes(key, 32), &receipt);
    return 0;
}
