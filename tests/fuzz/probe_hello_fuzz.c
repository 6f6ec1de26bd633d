/* TLS hellos, HTTP requests and the fingerprint. The first byte says whether
 * the rest is bare handshake messages. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probe/meter/fingerprint.h"
#include "probe/meter/hello.h"
#include "probe/meter/http_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[8192];
    static struct fingerprinter *fingerprinter;
    struct fingerprint fingerprint;
    char text[FINGERPRINT_TEXT_LEN];
    struct hello hello;
    struct slice host;
    if (fingerprinter == NULL)
        fingerprinter = fingerprinter_new();
    if (size == 0)
        return 0;
    enum hello_status status =
        data[0] & 1 ? hello_from_handshake(data + 1, size - 1, &hello)
                    : hello_from_records(data + 1, size - 1, scratch,
                                         sizeof(scratch), &hello);
    if (status == HELLO_CLIENT) {
        fingerprint_of_hello(fingerprinter, &hello, data[0] & 2, &fingerprint);
        fingerprint_to_text(&fingerprint, text);
        if (strlen(text) != 36 ||
            (hello.name.length > 0 && !hello_is_name(hello.name)))
            abort();
    }
    if (http_host_find(slice_of_bytes(data + 1, size - 1), &host) ==
            HTTP_HOST &&
        !hello_is_name(host))
        abort();
    return 0;
}
