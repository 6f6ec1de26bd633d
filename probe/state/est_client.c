/* See est_client.h. A handle of libcurl for each call: they are rare. */
#include "probe/state/est_client.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "common/base64.h"
#include "common/crypto/pki.h"

enum {
    ANSWER_MAX = 256 * 1024,
    ADDRESS_MAX = 600,
    SENTENCE_MAX = 160,
    CONNECT_S = 15,
    HTTPS_PORT = 443,
    PROXY_PORT = 1080,
};

bool est_client_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == 0;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT. */
static bool split(struct slice text, uint16_t initial, struct slice *host,
                  uint16_t *port)
{
    struct slice digits;
    uint64_t value = initial;
    bool is_v6 = text.length > 0 && text.data[text.length - 1] == ']';
    *host = text;
    if (!is_v6 && slice_split_port(text, host, &digits) &&
        !parse_u64(digits, 1, UINT16_MAX, &value))
        return false;
    *port = (uint16_t)value;
    for (size_t i = 0; i < host->length; i++)
        if (strchr("/?#@ \t", host->data[i]) != NULL)
            return false;
    return host->length > 0;
}

static bool take_scheme(struct slice *text, struct slice scheme)
{
    if (text->length < scheme.length ||
        !slice_equal_nocase(slice_of_bytes(text->data, scheme.length), scheme))
        return false;
    *text = slice_of_bytes(text->data + scheme.length,
                           text->length - scheme.length);
    return true;
}

bool est_client_portal(const char *portal, struct slice *host, uint16_t *port)
{
    struct slice text = slice_of_text(portal);
    if (!take_scheme(&text, SLICE("https://")))
        return false;
    if (text.length > 0 && text.data[text.length - 1] == '/')
        text.length--;
    return split(text, HTTPS_PORT, host, port);
}

bool est_client_proxy(const char *proxy, uint16_t *port)
{
    struct slice text = slice_of_text(proxy), host;
    if (!take_scheme(&text, SLICE("http://")) && strstr(proxy, "://") != NULL)
        return false; /* another kind of proxy */
    for (size_t i = text.length; i > 0; i--)
        if (text.data[i - 1] == '@') { /* behind user and password */
            text = slice_of_bytes(text.data + i, text.length - i);
            break;
        }
    return split(text, PROXY_PORT, &host, port);
}

/* --- one call --- */

struct call {
    CURL *curl;
    struct curl_slist *headers;
    struct buffer body;
    struct est_answer *answer;
    char why[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    buffer_add(body, data, size * count);
    return body->failed ? 0 : size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct est_answer *answer = context;
    struct slice rest = slice_of_bytes(data, size * count), name;
    if (slice_next(&rest, ':', &name) && rest.data != NULL &&
        slice_equal_nocase(slice_trim(name), SLICE("Date"))) {
        char text[64];
        if (slice_copy(slice_trim(rest), text, sizeof(text))) {
            time_t date = curl_getdate(text, NULL);
            answer->date = wall_from_s(date > 0 ? (int64_t)date : 0);
        }
    }
    return size * count;
}

static bool set_blob(CURL *curl, CURLoption option, struct slice text)
{
    struct curl_blob blob = {(void *)text.data, text.length, CURL_BLOB_COPY};
    return curl_easy_setopt(curl, option, &blob) == CURLE_OK;
}

/* The machine's own authorities are switched off in any case. */
static bool set_trust(CURL *curl, struct slice authority)
{
    bool is_known = authority.length > 0;
    return curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, is_known ? 1L : 0L) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, is_known ? 2L : 0L) ==
               CURLE_OK &&
           (!is_known || set_blob(curl, CURLOPT_CAINFO_BLOB, authority));
}

static bool set_own(CURL *curl, const struct est_options *o)
{
    return o->certificate.length == 0 ||
           (set_blob(curl, CURLOPT_SSLCERT_BLOB, o->certificate) &&
            set_blob(curl, CURLOPT_SSLKEY_BLOB, o->key));
}

static bool set_address(CURL *curl, const struct est_options *o,
                        const char *path)
{
    char address[ADDRESS_MAX];
    struct slice portal = slice_of_text(o->portal);
    if (portal.length > 0 && portal.data[portal.length - 1] == '/')
        portal.length--;
    int length = snprintf(address, sizeof(address), "%.*s/.well-known/%s",
                          (int)portal.length, portal.data, path);
    return length > 0 && length < ADDRESS_MAX &&
           curl_easy_setopt(curl, CURLOPT_URL, address) == CURLE_OK;
}

/* An empty proxy also keeps the environment's away. */
static bool set_bounds(struct call *c, const struct est_options *o)
{
    CURL *curl = c->curl;
    return curl_easy_setopt(curl, CURLOPT_PROXY, o->proxy) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                            (long)CURL_SSLVERSION_TLSv1_3) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                            (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)o->timeout_s) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->why) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, &c->body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, c->answer) == CURLE_OK;
}

static bool set_post(struct call *c, const char *code, struct slice body)
{
    CURL *curl = c->curl;
    c->headers = curl_slist_append(NULL, "Content-Type: application/pkcs10");
    return c->headers != NULL &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, c->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.length) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.data) ==
               CURLE_OK &&
           (code == NULL ||
            (curl_easy_setopt(curl, CURLOPT_USERNAME, "code") == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_PASSWORD, code) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) ==
                 CURLE_OK));
}

static bool open_call(struct call *c, const struct est_options *o,
                      const char *path, struct est_answer *answer)
{
    *answer = (struct est_answer){0};
    *c = (struct call){.curl = curl_easy_init(), .answer = answer};
    buffer_init(&c->body, ANSWER_MAX);
    return c->curl != NULL && set_address(c->curl, o, path) &&
           set_trust(c->curl, o->authority) && set_own(c->curl, o) &&
           set_bounds(c, o);
}

static void close_call(struct call *c)
{
    curl_easy_cleanup(c->curl);
    curl_slist_free_all(c->headers);
    buffer_clear(&c->body);
}

/* --- what went wrong --- */

/* The first line of a stranger's text, printable ASCII only. */
static void first_line(struct slice text, char line[static SENTENCE_MAX])
{
    size_t n = 0;
    while (n < text.length && n < SENTENCE_MAX - 1 && text.data[n] != '\n') {
        char c = text.data[n];
        line[n++] = c >= ' ' && c <= '~' ? c : '?';
    }
    line[n] = '\0';
}

static bool is_certificate_fault(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION ||
           code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CERTPROBLEM;
}

/* Half of the certificates that "do not verify" do so on machines whose clock
 * is wrong, so it is said what the clock says. */
static bool no_answer(const struct est_options *o, const struct call *c,
                      CURLcode code, struct error_text *error)
{
    char now[WALL_TEXT_LEN];
    const char *why = c->why[0] != '\0' ? c->why : curl_easy_strerror(code);
    if (!is_certificate_fault(code))
        return error_set(error, "portal %s: %s", o->portal, why);
    wall_to_text(wall_now(), now);
    return error_set(error, "portal %s: %s (this machine's clock says %s)",
                     o->portal, why, now);
}

static bool refused(const struct est_options *o, const struct call *c,
                    struct error_text *error)
{
    char line[SENTENCE_MAX];
    first_line(buffer_slice(&c->body), line);
    return error_set(error, "portal %s: %s (HTTP status %d)", o->portal,
                     line[0] != '\0' ? line : "refused", c->answer->status);
}

static bool perform(struct call *c, const struct est_options *o,
                    struct error_text *error)
{
    long status = 0;
    curl_off_t wait_s = 0;
    CURLcode code = curl_easy_perform(c->curl);
    if (code != CURLE_OK)
        return no_answer(o, c, code, error);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &wait_s);
    c->answer->status = (int)status;
    c->answer->retry_after_s =
        wait_s > 0 && wait_s < 86400 ? (unsigned)wait_s : 0;
    return status == 200 || refused(o, c, error);
}

/* --- the three questions --- */

static bool ask(const struct est_options *o, const char *path, const char *code,
                struct slice request, struct buffer *out,
                struct est_answer *answer, struct error_text *error)
{
    struct call c;
    bool good = open_call(&c, o, path, answer) &&
                (request.length == 0 || set_post(&c, code, request));
    if (!good)
        error_set(error, "portal %s: libcurl cannot be set up", o->portal);
    good = good && perform(&c, o, error);
    if (good)
        buffer_add_slice(out, buffer_slice(&c.body));
    close_call(&c);
    return good;
}

/* Asks for a PKCS#7 and gives its DER. */
static bool ask_bundle(const struct est_options *o, const char *path,
                       const char *code, struct slice request,
                       struct buffer *bundle, struct est_answer *answer,
                       struct error_text *error)
{
    struct buffer text;
    buffer_init(&text, ANSWER_MAX);
    buffer_init(bundle, ANSWER_MAX);
    bool good = ask(o, path, code, request, &text, answer, error);
    if (good && !base64_read(buffer_slice(&text), bundle))
        good = error_set(error,
                         "portal %s: it answered with something else "
                         "than base64; is it an enrolment port?",
                         o->portal);
    buffer_clear(&text);
    return good;
}

bool est_client_authority(const struct est_options *o, struct buffer *pem,
                          struct est_answer *answer, struct error_text *error)
{
    struct buffer bundle, der;
    size_t count = 0;
    bool good = ask_bundle(o, "est/cacerts", NULL, (struct slice){0}, &bundle,
                           answer, error);
    buffer_init(&der, PKI_DER_MAX);
    while (good && pki_bundle_get(buffer_slice(&bundle), count, &der)) {
        pki_certificate_add_pem(pem, buffer_slice(&der));
        buffer_reset(&der);
        count++;
    }
    if (good && (count == 0 || pem->failed))
        good = error_set(error, "portal %s: it told no authority", o->portal);
    buffer_clear(&der);
    buffer_clear(&bundle);
    return good;
}

bool est_client_info(const struct est_options *o, struct buffer *json,
                     struct est_answer *answer, struct error_text *error)
{
    return ask(o, "yunzheng", NULL, (struct slice){0}, json, answer, error);
}

bool est_client_enrol(const struct est_options *o, const char *code,
                      struct slice request, struct buffer *certificate,
                      struct est_answer *answer, struct error_text *error)
{
    struct buffer text, bundle = {0};
    buffer_init(&text, ANSWER_MAX);
    base64_add(&text, request);
    bool good =
        ask_bundle(o, code != NULL ? "est/simpleenroll" : "est/simplereenroll",
                   code, buffer_slice(&text), &bundle, answer, error);
    if (good && !pki_bundle_get(buffer_slice(&bundle), 0, certificate))
        good = error_set(error, "portal %s: it answered without a certificate",
                         o->portal);
    buffer_clear(&bundle);
    buffer_clear(&text);
    return good;
}
