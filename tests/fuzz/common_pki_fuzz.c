/* What strangers send to be enrolled with, and what a portal sends back: a
 * request, a certificate, a PKCS#7, in DER or in base64. */
#include <stdlib.h>

#include "common/base64.h"
#include "common/crypto/pki.h"
#include "tests/fuzz/fuzz.h"

static void read_all(struct slice der)
{
    struct pki_request request;
    struct pki_certificate certificate;
    struct error_text error;
    struct buffer out;
    if (pki_request_read(der, &request, &error) &&
        (request.public_key_length == 0 ||
         request.public_key_length > PKI_PUBLIC_MAX ||
         (request.has_batch_key && request.batch_key_length > SIGN_PUBLIC_MAX)))
        abort();
    if (pki_certificate_read(der, &certificate, &error) &&
        certificate.serial[0] == '\0')
        abort();
    for (size_t i = 0; i <= PKI_CERTIFICATES; i++) {
        buffer_init(&out, 2 * PKI_DER_MAX);
        if (pki_bundle_get(der, i, &out) && out.length > PKI_DER_MAX)
            abort();
        buffer_clear(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer der;
    struct slice text = slice_of_bytes(data, size);
    buffer_init(&der, PKI_CERTIFICATES * PKI_DER_MAX);
    read_all(text);
    if (base64_read(text, &der))
        read_all(buffer_slice(&der));
    buffer_clear(&der);
    return 0;
}
