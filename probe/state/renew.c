#include "probe/state/renew.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/durable.h"
#include "common/program.h"
#include "common/shown.h"

enum {
    PAUSE_MIN_S = 60,
    PAUSE_MAX_S = 6 * 3600,
};

struct wall_time renew_due(const struct pki_certificate *c, uint32_t chance)
{
    int64_t life_us = c->ends.us - c->begins.us;
    int64_t later_us = life_us / 20 / 1000 * (chance % 1001);
    return (struct wall_time){c->begins.us + life_us / 3 * 2 + later_us};
}

unsigned renew_pause_s(unsigned failures, uint32_t chance)
{
    unsigned pause_s = PAUSE_MAX_S;
    if (failures >= 1 && failures < 10)
        pause_s = PAUSE_MIN_S << (failures - 1);
    if (pause_s > PAUSE_MAX_S)
        pause_s = PAUSE_MAX_S;
    return pause_s / 2 + chance % (pause_s + 1);
}

/* What the portal gave must be ours in every respect: it is all we will have. */
static bool check_fresh(const struct identity *id, struct slice der,
                        struct wall_time now, struct error_text *error)
{
    struct pki_certificate fresh;
    struct error_text why;
    if (!pki_certificate_read(der, &fresh, &why) ||
        !pki_certificate_verify(der, buffer_slice(&id->authority), PKI_CLIENT,
                                now, &why))
        return error_set(error,
                         "the portal sent a certificate that does not "
                         "verify: %s",
                         why.text);
    if (strcmp(fresh.name, id->certificate.name) != 0 ||
        !digest_equal(fresh.key_hash, id->certificate.key_hash))
        return error_set(error, "the portal sent a certificate of somebody "
                                "else");
    return true;
}

static bool write_certificate(const struct probe_config *c, struct slice der,
                              struct error_text *error)
{
    struct buffer pem;
    buffer_init(&pem, 4 * PKI_DER_MAX);
    pki_certificate_add_pem(&pem, der);
    bool good =
        !pem.failed && durable_write(c->certificate, buffer_slice(&pem), 0644);
    if (!good)
        error_set(error, "%s: %s", c->certificate, strerror(errno));
    buffer_clear(&pem);
    return good;
}

bool renew_now(const struct probe_config *c, struct identity *id,
               struct wall_time now, struct est_answer *answer,
               struct error_text *error)
{
    struct buffer request, certificate;
    const struct est_options options = {
        .portal = c->portal,
        .proxy = c->proxy,
        .authority = buffer_slice(&id->authority_pem),
        .certificate = buffer_slice(&id->certificate_pem),
        .key = buffer_slice(&id->key_pem),
        .timeout_s = EST_TIMEOUT_S};
    char end[WALL_TEXT_LEN];
    *answer = (struct est_answer){0};
    wall_to_text(id->certificate.ends, end);
    if (now.us >= id->certificate.ends.us)
        return error_set(error,
                         "the certificate expired on %s and renews nothing any "
                         "more: ask the programme office for a code for probe "
                         "%s, then yz-probe enrol",
                         end, id->certificate.name);
    buffer_init(&request, PKI_DER_MAX);
    buffer_init(&certificate, PKI_DER_MAX);
    bool good =
        pki_request_make(id->key, NULL, id->certificate.name, &request) ||
        error_set(error, "no memory for a request");
    good = good &&
           est_client_enrol(&options, NULL, buffer_slice(&request),
                            &certificate, answer, error) &&
           check_fresh(id, buffer_slice(&certificate), now, error) &&
           write_certificate(c, buffer_slice(&certificate), error) &&
           identity_reload(c, id, error);
    buffer_clear(&request);
    buffer_clear(&certificate);
    return good;
}

/* --- by hand --- */

static int renew(const struct probe_config *c)
{
    struct identity id;
    struct est_answer answer;
    struct error_text error = {"libcurl does not start"};
    if (c->portal[0] == '\0') {
        program_complain("probe.renew.no_portal");
        return 2;
    }
    if (!est_client_init() || !identity_load(c, &id, &error)) {
        log_error("%s", error.text);
        return 2;
    }
    bool good = renew_now(c, &id, wall_now(), &answer, &error);
    if (good)
        program_tell("probe.renew.done",
                     text_plain("probe", id.certificate.name),
                     text_moment("end", id.certificate.ends));
    else
        log_error("%s", error.text);
    identity_clear(&id);
    return good ? 0 : 1;
}

int renew_main(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("probe");
    struct probe_config config;
    struct error_text error;
    const struct program_option options[] = {{.name = "-c", .value = &path}};
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 0, 0) < 0)
        return 2;
    if (!probe_config_read(path, &config, &error)) {
        log_error("%s", error.text);
        return 2;
    }
    return renew(&config);
}
