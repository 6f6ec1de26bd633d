/*
 * See est.h.
 *
 * TLS is libmicrohttpd's own (GnuTLS): it proves that a client has the key of
 * the certificate it shows. Who issued that, for what use and until when is
 * looked at here, with OpenSSL as everywhere else, for each renewal. Requests
 * are parsed and verified before the writing connection is locked.
 */
#include "portal/enrol/est.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/crypto/pki.h"
#include "common/writer.h"
#include "portal/enrol/enrolment.h"
#include "portal/enrol/est_limit.h"
#include "portal/store/audit.h"

enum {
    THREADS = 2,
    CONNECTION_LIMIT = 512,
    ADDRESS_LIMIT = 32,
    IDLE_TIMEOUT_S = 10,
    BASIC_MAX = 512,
    FILE_LIMIT = 64 * 1024,
    INFO_MAX = 16 * 1024,
    OBJECT_LEN = 96,
    END_NEAR_DAYS = 30, /* of the port's own certificate: said once a day */
};

struct est {
    struct portal *portal;
    struct pki_authority *authority;
    struct http_server *server;
    struct buffer bundle;  /* answer to cacerts, base64 */
    struct buffer info;    /* answer to /.well-known/yunzheng, JSON */
    struct wall_time ends; /* the port's own certificate */
    pthread_mutex_t lock;  /* of what follows */
    struct est_limit limit;
    struct civil_day warned;
};

/* One request on its way to an answer. */
struct call {
    struct est *est;
    const struct http_request *request;
    struct http_response *response;
    struct wall_time now;
};

/* --- answers --- */

static void say(struct call *c, int status, const char *sentence)
{
    c->response->status = status;
    c->response->content_type = "text/plain; charset=utf-8";
    buffer_reset(&c->response->body);
    buffer_addf(&c->response->body, "%s\n", sentence);
}

static void want_code(struct call *c, const char *sentence)
{
    say(c, 401, sentence);
    http_response_header(c->response, "WWW-Authenticate",
                         "Basic realm=\"yunzheng enrolment\"");
}

static void give_base64(struct call *c, const char *type, struct slice text)
{
    c->response->content_type = type;
    http_response_header(c->response, "Content-Transfer-Encoding", "base64");
    buffer_add_slice(&c->response->body, text);
}

static void give_certificate(struct call *c, struct slice der)
{
    struct buffer bundle, text;
    buffer_init(&bundle, FILE_LIMIT);
    buffer_init(&text, FILE_LIMIT);
    bool good = pki_bundle_make(&der, 1, &bundle);
    base64_add(&text, buffer_slice(&bundle));
    if (good && !text.failed)
        give_base64(c, "application/pkcs7-mime; smime-type=certs-only",
                    buffer_slice(&text));
    else
        say(c, 503, "no memory");
    buffer_clear(&bundle);
    buffer_clear(&text);
}

/* --- the limit --- */

/* Probes that show a good certificate are not held up by strangers elsewhere. */
static bool take_attempt(struct call *c, bool is_known)
{
    unsigned wait_s = 0;
    struct est_limit *limit = &c->est->limit;
    const struct address *from = &c->request->peer;
    pthread_mutex_lock(&c->est->lock);
    bool good = is_known
                    ? est_limit_take_known(limit, from, mono_now(), &wait_s)
                    : est_limit_take(limit, from, mono_now(), &wait_s);
    pthread_mutex_unlock(&c->est->lock);
    if (good)
        return true;
    say(c, 429, "too many attempts; wait, then try again");
    http_response_header(c->response, "Retry-After", "%u", wait_s);
    return false;
}

/* A wrong attempt, as far as there is room for it. */
static void audit_failure(struct call *c, const char *result)
{
    char address[ADDRESS_TEXT_LEN] = "?", object[OBJECT_LEN];
    uint64_t missed;
    pthread_mutex_lock(&c->est->lock);
    bool may = est_limit_audit(&c->est->limit, mono_now(), &missed);
    pthread_mutex_unlock(&c->est->lock);
    if (!may)
        return;
    if (c->request->peer.version != 0)
        address_to_text(&c->request->peer, address);
    if (missed == 0)
        snprintf(object, sizeof(object), "%s", address);
    else
        snprintf(object, sizeof(object), "%s and %" PRIu64 " more", address,
                 missed);
    const struct audit_entry entry = {"EST", "enrol.refused", object, result};
    struct error_text why;
    portal_act(c->est->portal, c->now, &entry, NULL, NULL, &why);
    log_warn("enrolment: refused (%s) from %s", result, object);
}

/* Without a certificate for this port no probe renews, and all go silent. */
static void warn_of_end(struct est *est, struct wall_time now)
{
    char end[WALL_TEXT_LEN];
    struct civil_day today = day_of_wall(now);
    if (day_of_wall(est->ends).number - today.number > END_NEAR_DAYS)
        return;
    pthread_mutex_lock(&est->lock);
    bool is_new = est->warned.number != today.number;
    est->warned = today;
    pthread_mutex_unlock(&est->lock);
    wall_to_text(est->ends, end);
    if (is_new)
        log_warn("enrolment: %s ends on %s: make a new one (yz-portal authority"
                 " issue) and restart, else no probe can enrol or renew",
                 portal_config_of(est->portal)->est_certificate, end);
}

/* --- what requests carry --- */

/* "Basic base64(user:code)"; whoever the user is. */
static bool read_code(struct slice header, struct digest *code)
{
    struct buffer plain;
    struct slice user, rest;
    struct slice scheme = slice_of_bytes(header.data, 6);
    if (header.length < 6 || header.length > BASIC_MAX ||
        !slice_equal_nocase(scheme, SLICE("basic ")))
        return false;
    buffer_init(&plain, BASIC_MAX);
    bool good =
        base64_read(slice_of_bytes(header.data + 6, header.length - 6), &plain);
    rest = buffer_slice(&plain);
    good = good && slice_next(&rest, ':', &user) && rest.data != NULL &&
           enrolment_code_read(rest, code);
    if (plain.data != NULL)
        explicit_bzero(plain.data, plain.length);
    buffer_clear(&plain);
    return good;
}

static bool is_request_type(struct slice type)
{
    struct slice rest = type, media;
    return slice_next(&rest, ';', &media) &&
           slice_equal_nocase(slice_trim(media), SLICE("application/pkcs10"));
}

/* Answers by itself when there is no good request. */
static bool read_request(struct call *c, struct pki_request *request)
{
    struct buffer der;
    struct error_text error;
    if (!is_request_type(c->request->content_type)) {
        say(c, 415, "Content-Type: application/pkcs10 is expected");
        return false;
    }
    buffer_init(&der, PKI_DER_MAX);
    bool good = base64_read(c->request->body, &der);
    if (!good)
        say(c, 400, "a PKCS#10 request in base64 is expected");
    else if (!(good = pki_request_read(buffer_slice(&der), request, &error)))
        say(c, 400, error.text);
    buffer_clear(&der);
    return good;
}

/* --- the four addresses --- */

static void answer_with(struct call *c, enum enrolment_status status,
                        struct slice certificate,
                        const struct error_text *error)
{
    switch (status) {
    case ENROLMENT_ISSUED:
        give_certificate(c, certificate);
        return;
    case ENROLMENT_WRONG_CODE:
        want_code(c, error->text);
        audit_failure(c, "E_CODE");
        return;
    case ENROLMENT_FORBIDDEN:
        say(c, 403, error->text);
        audit_failure(c, "E_FORBIDDEN");
        return;
    case ENROLMENT_FAILED:
        log_error("enrolment: %s", error->text);
        say(c, 503, "not now; try again later");
        http_response_header(c->response, "Retry-After", "60");
        return;
    }
}

/* The two that issue differ in what lets them in: a code, or a holder. */
struct issuing {
    const struct enrolment_issuer *issuer;
    const struct digest *code; /* NULL: renewed by its holder */
    const struct pki_certificate *holder;
    const struct pki_request *request;
    struct buffer *certificate;
    enum enrolment_status status;
};

static enum act_end issue_one(struct db *db, struct wall_time now,
                              void *context, struct error_text *error)
{
    struct issuing *i = context;
    i->status = i->code != NULL
                    ? enrolment_enrol(db, now, i->issuer, *i->code, i->request,
                                      i->certificate, error)
                    : enrolment_renew(db, now, i->issuer, i->holder, i->request,
                                      i->certificate, error);
    return i->status == ENROLMENT_ISSUED ? ACT_KEPT : ACT_REFUSED;
}

static void issue(struct call *c, const struct digest *code,
                  const struct pki_certificate *holder,
                  const struct pki_request *request)
{
    const struct enrolment_issuer issuer = {
        c->est->authority,
        (unsigned)portal_config_of(c->est->portal)->certificate_days};
    struct error_text error = {"the database is busy"};
    struct buffer certificate;
    buffer_init(&certificate, PKI_DER_MAX);
    struct issuing i = {&issuer, code,         holder,
                        request, &certificate, ENROLMENT_FAILED};
    if (portal_act(c->est->portal, c->now, NULL, issue_one, &i, &error) ==
        ACT_FAILED)
        i.status = ENROLMENT_FAILED;
    enum enrolment_status status = i.status;
    answer_with(c, status, buffer_slice(&certificate), &error);
    warn_of_end(c->est, c->now);
    buffer_clear(&certificate);
}

static void enrol(struct call *c)
{
    struct digest code;
    struct pki_request request;
    if (!take_attempt(c, false))
        return;
    if (c->request->authorization.length == 0) {
        want_code(c, "the enrolment code is expected as password");
    } else if (!read_code(c->request->authorization, &code)) {
        want_code(c, "that is no enrolment code; a symbol may be mistyped");
        audit_failure(c, "E_CODE");
    } else if (read_request(c, &request)) {
        if (request.has_batch_key)
            issue(c, &code, NULL, &request);
        else
            say(c, 400, "the request carries no batch key");
    }
}

static void renew(struct call *c)
{
    struct pki_certificate holder;
    struct pki_request request;
    struct error_text error;
    struct slice shown = c->request->peer_certificate;
    bool is_known = shown.length > 0 &&
                    pki_certificate_verify(
                        shown, pki_authority_certificate(c->est->authority),
                        PKI_CLIENT, c->now, &error) &&
                    pki_certificate_read(shown, &holder, &error);
    if (!take_attempt(c, is_known))
        return;
    if (shown.length == 0) {
        say(c, 403, "the certificate to renew is expected in the TLS session");
    } else if (!is_known) {
        say(c, 403, error.text);
        audit_failure(c, "E_CERTIFICATE");
    } else if (read_request(c, &request)) {
        issue(c, NULL, &holder, &request);
    }
}

static void give_authority(struct call *c)
{
    give_base64(c, "application/pkcs7-mime", buffer_slice(&c->est->bundle));
}

static void give_info(struct call *c)
{
    c->response->content_type = "application/json";
    buffer_add_slice(&c->response->body, buffer_slice(&c->est->info));
}

static const struct {
    const char *path;
    enum http_method method;
    void (*answer)(struct call *c);
} addresses[] = {
    {"/.well-known/est/cacerts", HTTP_GET, give_authority},
    {"/.well-known/est/simpleenroll", HTTP_POST, enrol},
    {"/.well-known/est/simplereenroll", HTTP_POST, renew},
    {"/.well-known/yunzheng", HTTP_GET, give_info},
};

static void handle(void *context, const struct http_request *request,
                   struct http_response *response)
{
    struct call c = {context, request, response, wall_now()};
    enum http_method method =
        request->method == HTTP_HEAD ? HTTP_GET : request->method;
    http_response_header(response, "Cache-Control", "no-store");
    if (request->refused != 0) {
        say(&c, request->refused, "this request is outside the bounds");
        return;
    }
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        if (!slice_equal_text(request->path, addresses[i].path))
            continue;
        if (method == addresses[i].method) {
            addresses[i].answer(&c);
            return;
        }
        say(&c, 405, "another method is expected here");
        http_response_header(response, "Allow", "%s",
                             addresses[i].method == HTTP_GET ? "GET, HEAD"
                                                             : "POST");
        return;
    }
    say(&c, 404, "there is nothing here");
}

/* --- start and stop --- */

/* A public key as the PEM text it is kept in, after it was found to be one. */
static bool add_key(struct json_writer *json, const char *name,
                    const char *path, struct error_text *error)
{
    enum sign_algorithm algorithm;
    uint8_t public_key[SIGN_PUBLIC_MAX];
    struct buffer text;
    if (path[0] == '\0')
        return true;
    if (sign_public_load(path, &algorithm, public_key, error) == 0)
        return false;
    bool good = buffer_read_file(&text, path, FILE_LIMIT);
    if (good)
        json_slice(json, name, buffer_slice(&text));
    else
        error_set(error, "%s: %s", path, strerror(errno));
    buffer_clear(&text);
    return good;
}

static bool make_info(struct est *est, struct error_text *error)
{
    const struct portal_config *config = portal_config_of(est->portal);
    struct json_writer json;
    json_start(&json, &est->info);
    json_object_begin(&json, NULL);
    json_text(&json, "collector", config->collector);
    json_text(&json, "collector_name", config->collector_name);
    if (!add_key(&json, "receipt_key", config->receipt_key, error) ||
        !add_key(&json, "registry_key", config->registry_public_key, error))
        return false;
    json_object_end(&json);
    buffer_add_u8(&est->info, '\n');
    return !est->info.failed || error_set(error, "the keys are too long");
}

static bool make_bundle(struct est *est, struct error_text *error)
{
    struct buffer bundle;
    struct slice certificate = pki_authority_certificate(est->authority);
    buffer_init(&bundle, FILE_LIMIT);
    bool good = pki_bundle_make(&certificate, 1, &bundle);
    base64_add(&est->bundle, buffer_slice(&bundle));
    buffer_clear(&bundle);
    return (good && !est->bundle.failed) || error_set(error, "no memory");
}

/* Probes that know the authority must know this port by it. */
static bool check_certificate(struct est *est, struct error_text *error)
{
    const struct portal_config *config = portal_config_of(est->portal);
    struct buffer der;
    struct error_text why;
    struct pki_certificate own;
    buffer_init(&der, FILE_LIMIT);
    bool good = pki_certificate_load(config->est_certificate, &der, error) &&
                pki_certificate_read(buffer_slice(&der), &own, error);
    if (good &&
        !pki_certificate_verify(buffer_slice(&der),
                                pki_authority_certificate(est->authority),
                                PKI_SERVER, wall_now(), &why))
        good = error_set(error, "%s: not a server's certificate of %s (%s)",
                         config->est_certificate, config->ca_certificate,
                         why.text);
    if (good)
        est->ends = own.ends;
    buffer_clear(&der);
    return good;
}

/* A PEM file with its NUL, as the server wants it. */
static bool read_text(struct buffer *text, const char *path,
                      struct error_text *error)
{
    if (!buffer_read_file(text, path, FILE_LIMIT - 1))
        return error_set(error, "%s: %s", path, strerror(errno));
    text->limit = FILE_LIMIT;
    buffer_add_u8(text, 0);
    return !text->failed || error_set(error, "no memory");
}

static bool start_server(struct est *est, struct error_text *error)
{
    const struct portal_config *config = portal_config_of(est->portal);
    struct buffer certificate = {0}, key = {0}, trust = {0};
    struct pki_key *checked = pki_key_load(config->est_key, error);
    bool good = checked != NULL &&
                read_text(&certificate, config->est_certificate, error) &&
                read_text(&key, config->est_key, error) &&
                read_text(&trust, config->ca_certificate, error);
    if (good) {
        const struct http_settings settings = {
            .listen = config->est_listen,
            .thread_count = THREADS,
            .connection_limit = CONNECTION_LIMIT,
            .address_limit = ADDRESS_LIMIT,
            .idle_timeout_s = IDLE_TIMEOUT_S,
            .handler = handle,
            .context = est,
            .certificate = (const char *)certificate.data,
            .key = (const char *)key.data,
            .trust = (const char *)trust.data,
        };
        est->server = http_server_start(&settings, error);
    }
    if (key.data != NULL)
        explicit_bzero(key.data, key.length);
    pki_key_free(checked);
    buffer_clear(&certificate);
    buffer_clear(&key);
    buffer_clear(&trust);
    return est->server != NULL;
}

struct est *est_start(struct portal *portal, struct error_text *error)
{
    const struct portal_config *config = portal_config_of(portal);
    struct est *est = calloc(1, sizeof(*est));
    if (est == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    est->portal = portal;
    pthread_mutex_init(&est->lock, NULL);
    est_limit_init(&est->limit, mono_now());
    buffer_init(&est->bundle, FILE_LIMIT);
    buffer_init(&est->info, INFO_MAX);
    est->authority = pki_authority_load(config->ca_certificate, config->ca_key,
                                        wall_now(), error);
    if (est->authority != NULL && make_bundle(est, error) &&
        make_info(est, error) && check_certificate(est, error) &&
        start_server(est, error)) {
        warn_of_end(est, wall_now());
        return est;
    }
    est_stop(est);
    return NULL;
}

uint16_t est_port(const struct est *est)
{
    return http_server_port(est->server);
}

void est_stop(struct est *est)
{
    if (est == NULL)
        return;
    http_server_stop(est->server);
    pki_authority_free(est->authority);
    buffer_clear(&est->bundle);
    buffer_clear(&est->info);
    pthread_mutex_destroy(&est->lock);
    free(est);
}
