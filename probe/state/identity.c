#include "probe/state/identity.h"

#include <errno.h>
#include <string.h>

enum { PEM_MAX = 64 * 1024 };

static bool read_file(struct buffer *text, const char *path,
                      struct error_text *error)
{
    return buffer_read_file(text, path, PEM_MAX) ||
           error_set(error, "%s: %s", path, strerror(errno));
}

static bool read_certificate(const struct probe_config *c, struct buffer *pem,
                             struct pki_certificate *certificate,
                             struct error_text *error)
{
    struct buffer der;
    buffer_init(&der, 2 * PKI_DER_MAX);
    bool good = read_file(pem, c->certificate, error) &&
                pki_certificate_load(c->certificate, &der, error) &&
                pki_certificate_read(buffer_slice(&der), certificate, error);
    buffer_clear(&der);
    return good;
}

bool identity_load(const struct probe_config *c, struct identity *id,
                   struct error_text *error)
{
    *id = (struct identity){0};
    buffer_init(&id->authority, 2 * PKI_DER_MAX);
    id->key = pki_key_load(c->tls_key, error);
    bool good =
        id->key != NULL && read_file(&id->key_pem, c->tls_key, error) &&
        read_file(&id->authority_pem, c->ca, error) &&
        pki_certificate_load(c->ca, &id->authority, error) &&
        read_certificate(c, &id->certificate_pem, &id->certificate, error);
    if (good && !digest_equal(pki_key_hash(id->key), id->certificate.key_hash))
        good = error_set(error, "%s: not the key of the certificate in %s",
                         c->tls_key, c->certificate);
    if (!good)
        identity_clear(id);
    return good;
}

bool identity_reload(const struct probe_config *c, struct identity *id,
                     struct error_text *error)
{
    struct buffer pem = {0};
    struct pki_certificate certificate;
    bool good = read_certificate(c, &pem, &certificate, error);
    if (good && !digest_equal(pki_key_hash(id->key), certificate.key_hash))
        good = error_set(error, "%s: a certificate of another key",
                         c->certificate);
    if (!good) {
        buffer_clear(&pem);
        return false;
    }
    buffer_clear(&id->certificate_pem);
    id->certificate_pem = pem;
    id->certificate = certificate;
    return true;
}

void identity_clear(struct identity *id)
{
    if (id->key_pem.data != NULL)
        explicit_bzero(id->key_pem.data, id->key_pem.length);
    buffer_clear(&id->key_pem);
    buffer_clear(&id->authority_pem);
    buffer_clear(&id->certificate_pem);
    buffer_clear(&id->authority);
    pki_key_free(id->key);
    *id = (struct identity){0};
}
