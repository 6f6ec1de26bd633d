/* See enrol.h. The order of the renames is what makes it go on: while a pending
 * TLS key is there, or a TLS key without a certificate, the batch key in use is
 * the one of this enrolment. */
#include "probe/admin/enrol_command.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/pki.h"
#include "common/crypto/sign.h"
#include "common/durable.h"
#include "common/json.h"
#include "common/program.h"
#include "common/shown.h"
#include "probe/state/config_edit.h"
#include "probe/state/est_client.h"
#include "probe/state/identity.h"
#include "probe/state/probe_config.h"

enum {
    TEXT_MAX = 256 * 1024,
    CLOCK_TOLERANCE_S = 300,
    KEY_TEXT_MAX = 16 * 1024,
    CODE_LINE = 128,
    LINE_MAX_BYTES = 4096,
};

struct enrol {
    const char *path; /* of the configuration */
    const char *portal, *code, *ca, *fingerprint;
    enum pki_key_type tls_type;
    enum sign_algorithm batch_type;
    bool is_again, is_new_batch_key;
    struct wall_time now;
    struct probe_config config;
    struct error_text error; /* of a module below */
    struct buffer wrong;     /* our own sentence, which then counts */

    struct buffer authority_pem, authority; /* the latter one DER */
    struct buffer info;                     /* JSON of the portal */
    struct buffer certificate;              /* DER */
    struct pki_certificate facts;
    struct pki_key *key;
    struct sign_key *batch;
    char key_path[DURABLE_PATH_LEN]; /* where the two are now */
    char batch_path[DURABLE_PATH_LEN];
    bool is_batch_new;
};

/* What is wrong, as a sentence; always false. */
#define FAIL(e, key, ...) fail_with(e, key, TEXT_ARGUMENTS(__VA_ARGS__))
static bool fail_with(struct enrol *e, const char *key,
                      const struct text_argument *arguments)
{
    buffer_reset(&e->wrong);
    text_fill_list(&e->wrong, program_language(), key, arguments);
    return false;
}

/* What the system says of a file. */
static bool fail_at(struct enrol *e, const char *path)
{
    return error_set(&e->error, "%s: %s", path, strerror(errno));
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static bool name_with(char out[static DURABLE_PATH_LEN], const char *path,
                      const char *ending)
{
    int length = snprintf(out, DURABLE_PATH_LEN, "%s%s", path, ending);
    return length > 0 && length < DURABLE_PATH_LEN;
}

/* --- may we? --- */

static bool check_identity(struct enrol *e)
{
    struct identity id;
    struct error_text ignored;
    if (e->is_again || !identity_load(&e->config, &id, &ignored))
        return true;
    bool is_working = e->now.us < id.certificate.ends.us;
    if (is_working)
        FAIL(e, "probe.enrol.already", text_plain("probe", id.certificate.name),
             text_moment("end", id.certificate.ends));
    identity_clear(&id);
    return !is_working;
}

/* Folders of our files are made when they are not there, for the user that run
 * will become. */
static bool make_folder(struct enrol *e, const char *file)
{
    char folder[DURABLE_PATH_LEN];
    if (!durable_folder_of(folder, file) || exists(folder))
        return true;
    const struct passwd *user =
        e->config.user[0] != '\0' ? getpwnam(e->config.user) : NULL;
    if (durable_folder(folder) &&
        (geteuid() != 0 || user == NULL ||
         chown(folder, user->pw_uid, user->pw_gid) == 0))
        return true;
    return fail_at(e, folder);
}

static bool make_folders(struct enrol *e)
{
    const struct probe_config *c = &e->config;
    return make_folder(e, c->certificate) && make_folder(e, c->tls_key) &&
           make_folder(e, c->signing_key) && make_folder(e, c->ca) &&
           make_folder(e, c->receipt_key);
}

/* --- the authority --- */

static struct est_options options_of(const struct enrol *e)
{
    return (struct est_options){.portal = e->portal,
                                .proxy = e->config.proxy,
                                .authority = buffer_slice(&e->authority_pem),
                                .timeout_s = EST_TIMEOUT_S};
}

static void tell_clock(const struct est_answer *answer)
{
    int64_t ahead_s = wall_to_s(wall_now()) - wall_to_s(answer->date);
    if (answer->date.us == 0 ||
        (ahead_s <= CLOCK_TOLERANCE_S && ahead_s >= -CLOCK_TOLERANCE_S))
        return;
    program_complain("probe.enrol.clock", text_number("ahead_s", ahead_s));
}

/* The certificate with this fingerprint out of PEM text, which then is the only
 * one that counts. *seen is that of the first, for people. */
static bool choose_by_fingerprint(struct enrol *e, struct slice pem,
                                  const struct digest *wanted,
                                  struct digest *seen)
{
    struct buffer der;
    bool is_found = false;
    buffer_init(&der, PKI_DER_MAX);
    for (size_t i = 0; !is_found && pki_pem_get(pem, i, &der); i++) {
        struct digest one = digest_of(der.data, der.length);
        if (i == 0)
            *seen = one;
        is_found = wanted != NULL && digest_equal(one, *wanted);
        if (is_found)
            pki_certificate_add_pem(&e->authority_pem, buffer_slice(&der));
        buffer_reset(&der);
    }
    buffer_clear(&der);
    return is_found;
}

static bool by_fingerprint(struct enrol *e)
{
    struct buffer pem;
    struct est_answer answer;
    struct digest wanted, seen = {{0}};
    char text[DIGEST_HEX_LEN];
    if (e->fingerprint != NULL &&
        !parse_hex(slice_of_text(e->fingerprint), wanted.bytes, DIGEST_LEN))
        return FAIL(e, "probe.enrol.fingerprint_form");
    buffer_init(&pem, TEXT_MAX);
    struct est_options o = options_of(e);
    bool good = est_client_authority(&o, &pem, &answer, &e->error);
    if (good)
        tell_clock(&answer);
    if (good && !choose_by_fingerprint(e, buffer_slice(&pem),
                                       e->fingerprint != NULL ? &wanted : NULL,
                                       &seen)) {
        digest_to_hex(seen, text);
        good =
            FAIL(e, "probe.enrol.fingerprint", text_plain("portal", e->portal),
                 text_plain("fingerprint", text));
    }
    buffer_clear(&pem);
    return good;
}

static bool read_pem(struct enrol *e, const char *path)
{
    buffer_clear(&e->authority_pem);
    if (buffer_read_file(&e->authority_pem, path, TEXT_MAX))
        return true;
    return fail_at(e, path);
}

/* From here on e->authority_pem is what the portal is verified with, now and
 * for every renewal. With --ca the portal is verified with that file, and tells
 * the authority. */
static bool find_authority(struct enrol *e)
{
    struct est_answer answer;
    struct buffer pem;
    bool has_file = exists(e->config.ca);
    if (e->ca == NULL && (e->fingerprint != NULL || !has_file))
        return by_fingerprint(e);
    if (!read_pem(e, e->ca != NULL ? e->ca : e->config.ca))
        return false;
    if (e->ca == NULL)
        return true;
    buffer_init(&pem, TEXT_MAX);
    struct est_options o = options_of(e);
    bool good = est_client_authority(&o, &pem, &answer, &e->error);
    if (good) {
        tell_clock(&answer);
        buffer_clear(&e->authority_pem);
        e->authority_pem = pem;
    } else {
        buffer_clear(&pem);
    }
    return good;
}

/* --- keys --- */

/* An enrolment was cut short: its keys are still the right ones. */
static bool is_under_way(const struct enrol *e)
{
    char pending[DURABLE_PATH_LEN];
    return (name_with(pending, e->config.tls_key, ".enrol") &&
            exists(pending)) ||
           (exists(e->config.tls_key) && !exists(e->config.certificate));
}

static bool open_batch_key(struct enrol *e, bool is_going_on)
{
    const char *path = e->config.signing_key;
    if (!name_with(e->batch_path, path, ".enrol"))
        return FAIL(e, "probe.enrol.too_long", text_plain("path", path));
    if (!exists(e->batch_path) && exists(path) &&
        (is_going_on || !e->is_new_batch_key))
        (void)name_with(e->batch_path, path, "");
    e->is_batch_new = strcmp(e->batch_path, path) != 0;
    if (!exists(e->batch_path)) {
        e->batch = sign_key_generate(e->batch_type);
        return e->batch != NULL
                   ? sign_key_save(e->batch, e->batch_path, &e->error)
                   : FAIL(e, "probe.enrol.no_memory");
    }
    e->batch = sign_key_load(e->batch_path, &e->error);
    return e->batch != NULL;
}

static bool open_tls_key(struct enrol *e)
{
    const char *path = e->config.tls_key;
    if (!name_with(e->key_path, path, ".enrol"))
        return FAIL(e, "probe.enrol.too_long", text_plain("path", path));
    if (!exists(e->key_path) && exists(path) && !exists(e->config.certificate))
        (void)name_with(e->key_path, path, "");
    if (!exists(e->key_path)) {
        e->key = pki_key_generate(e->tls_type);
        return e->key != NULL ? pki_key_save(e->key, e->key_path, &e->error)
                              : FAIL(e, "probe.enrol.no_memory");
    }
    e->key = pki_key_load(e->key_path, &e->error);
    return e->key != NULL;
}

/* The batch key first: while a TLS key waits, the batch key is there. A file
 * that a power loss left empty is no key yet, and was sent to nobody. */
static void drop_empty(const char *path)
{
    char pending[DURABLE_PATH_LEN];
    struct stat info;
    if (name_with(pending, path, ".enrol") && lstat(pending, &info) == 0 &&
        S_ISREG(info.st_mode) && info.st_size == 0)
        (void)unlink(pending);
}

static bool open_keys(struct enrol *e)
{
    drop_empty(e->config.signing_key);
    drop_empty(e->config.tls_key);
    bool is_going_on = is_under_way(e);
    return open_batch_key(e, is_going_on) && open_tls_key(e);
}

/* --- the certificate --- */

static bool ask(struct enrol *e)
{
    struct buffer request;
    struct est_answer answer;
    struct est_options o = options_of(e);
    buffer_init(&request, PKI_DER_MAX);
    bool good = pki_request_make(
                    e->key, e->batch,
                    e->config.probe_id[0] != '\0' ? e->config.probe_id : "new",
                    &request) ||
                FAIL(e, "probe.enrol.no_request");
    good = good && est_client_info(&o, &e->info, &answer, &e->error);
    if (good)
        tell_clock(&answer);
    good = good && est_client_enrol(&o, e->code, buffer_slice(&request),
                                    &e->certificate, &answer, &e->error);
    buffer_clear(&request);
    return good;
}

static bool check_answer(struct enrol *e)
{
    struct error_text why;
    struct slice der = buffer_slice(&e->certificate);
    if (!pki_pem_get(buffer_slice(&e->authority_pem), 0, &e->authority) ||
        !pki_certificate_read(der, &e->facts, &why) ||
        !pki_certificate_verify(der, buffer_slice(&e->authority), PKI_CLIENT,
                                wall_now(), &why))
        return FAIL(e, "probe.enrol.not_verified",
                    text_plain("reason", why.text));
    if (!digest_equal(e->facts.key_hash, pki_key_hash(e->key)) ||
        !probe_config_is_id(e->facts.name))
        return FAIL(e, "probe.enrol.not_ours");
    return true;
}

/* --- files --- */

static bool keep_aside(struct enrol *e, const char *path)
{
    char old[DURABLE_PATH_LEN];
    if (!exists(path))
        return true;
    return (name_with(old, path, ".old") && durable_move(path, old)) ||
           fail_at(e, path);
}

static bool move_into_place(struct enrol *e, const char *from, const char *to)
{
    if (strcmp(from, to) == 0)
        return true;
    return (keep_aside(e, to) && durable_move(from, to)) || fail_at(e, to);
}

static bool write_text(struct enrol *e, const char *path, struct slice text)
{
    return durable_write(path, text, 0644) || fail_at(e, path);
}

/* A public key of the portal's answer; none leaves the file as it is. */
static bool write_key(struct enrol *e, const struct json_node *root,
                      const char *name, const char *path)
{
    const struct json_node *node = json_member(root, name);
    const char *text = json_as_text(node);
    if (node == NULL || text[0] == '\0' || strlen(text) > KEY_TEXT_MAX)
        return true;
    return write_text(e, path, slice_of_text(text));
}

/* The list's key stands beside that of the receipts. */
static bool registry_key_path(const struct enrol *e,
                              char path[static DURABLE_PATH_LEN])
{
    const char *receipt = e->config.receipt_key;
    const char *slash = strrchr(receipt, '/');
    int length =
        snprintf(path, DURABLE_PATH_LEN, "%.*sregistry.pub",
                 slash == NULL ? 0 : (int)(slash + 1 - receipt), receipt);
    return length > 0 && length < DURABLE_PATH_LEN;
}

static bool write_certificate(struct enrol *e)
{
    struct buffer pem;
    buffer_init(&pem, 4 * PKI_DER_MAX);
    pki_certificate_add_pem(&pem, buffer_slice(&e->certificate));
    bool good = write_text(e, e->config.certificate, buffer_slice(&pem));
    buffer_clear(&pem);
    return good;
}

/* To the user that run becomes: it renews the certificate. */
static bool give_files(struct enrol *e)
{
    const struct probe_config *c = &e->config;
    const char *const files[] = {c->signing_key, c->tls_key, c->ca,
                                 c->receipt_key, c->certificate};
    const struct passwd *user = c->user[0] != '\0' ? getpwnam(c->user) : NULL;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (geteuid() == 0 && user != NULL &&
            lchown(files[i], user->pw_uid, user->pw_gid) != 0 &&
            errno != ENOENT)
            log_warn("%s: %s", files[i], strerror(errno));
    return true;
}

/* --- the configuration --- */

static bool set_key(struct enrol *e, struct buffer *text, const char *key,
                    const char *value)
{
    struct buffer changed;
    if (value[0] == '\0')
        return true;
    buffer_init(&changed, TEXT_MAX);
    bool good = config_edit_set(buffer_slice(text), key, value, &changed);
    buffer_clear(text);
    *text = changed;
    return good ||
           FAIL(e, "probe.enrol.not_for_config", text_plain("key", key));
}

static bool knows_key(const char *name)
{
    for (size_t i = 0; i < probe_config_key_count; i++)
        if (strcmp(probe_config_keys[i].name, name) == 0)
            return true;
    return false;
}

/* The key of endpoint lists, where there is one and run takes such lists. */
static bool set_registry_key(struct enrol *e, struct buffer *text,
                             const struct json_node *root)
{
    char path[DURABLE_PATH_LEN];
    if (json_member(root, "registry_key") == NULL ||
        !knows_key("registry_key") || !registry_key_path(e, path))
        return true;
    return set_key(e, text, "registry_key", path);
}

static bool write_config(struct enrol *e, const struct json_node *root)
{
    struct buffer text;
    struct stat info;
    if (!buffer_read_file(&text, e->path, TEXT_MAX) ||
        stat(e->path, &info) != 0) {
        fail_at(e, e->path);
        buffer_clear(&text);
        return false;
    }
    bool good = set_key(e, &text, "probe_id", e->facts.name) &&
                set_key(e, &text, "collector",
                        json_as_text(json_member(root, "collector"))) &&
                set_key(e, &text, "collector_name",
                        json_as_text(json_member(root, "collector_name"))) &&
                set_key(e, &text, "portal", e->portal) &&
                set_registry_key(e, &text, root);
    if (good &&
        (!durable_write(e->path, buffer_slice(&text), info.st_mode & 0777) ||
         (geteuid() == 0 && chown(e->path, info.st_uid, info.st_gid) != 0)))
        good = fail_at(e, e->path);
    buffer_clear(&text);
    return good;
}

/* The certificate is what makes the identity: it comes last, when run can read
 * all the rest. */
static bool write_files(struct enrol *e, const struct json_node *root)
{
    char registry[DURABLE_PATH_LEN];
    const struct probe_config *c = &e->config;
    return registry_key_path(e, registry) &&
           move_into_place(e, e->batch_path, c->signing_key) &&
           keep_aside(e, c->certificate) &&
           move_into_place(e, e->key_path, c->tls_key) &&
           write_text(e, c->ca, buffer_slice(&e->authority_pem)) &&
           write_key(e, root, "receipt_key", c->receipt_key) &&
           write_key(e, root, "registry_key", registry) &&
           write_config(e, root) && give_files(e) && write_certificate(e) &&
           give_files(e);
}

/* --- all --- */

static void tell(const struct enrol *e)
{
    const struct probe_config *c = &e->config;
    program_tell("probe.enrol.done", text_plain("probe", e->facts.name),
                 text_moment("end", e->facts.ends));
    program_tell("probe.enrol.tls_key", text_plain("path", c->tls_key));
    program_tell(e->is_batch_new ? "probe.enrol.batch_key_new"
                                 : "probe.enrol.batch_key_kept",
                 text_plain("path", c->signing_key),
                 text_plain("algorithm",
                            sign_algorithm_name(sign_key_algorithm(e->batch))));
    program_tell("probe.enrol.certificate", text_plain("path", c->certificate));
    program_tell("probe.enrol.authority", text_plain("path", c->ca));
    program_tell("probe.enrol.receipt_key", text_plain("path", c->receipt_key));
    program_tell("probe.enrol.configuration", text_plain("path", e->path));
    program_tell("probe.enrol.next", text_plain("path", e->path));
}

static bool finish(struct enrol *e)
{
    struct json_document *document =
        json_parse(buffer_slice(&e->info), e->portal, &e->error);
    if (document == NULL)
        return false;
    const struct json_node *root = json_as_object(json_root(document));
    bool good = write_files(e, root);
    if (good && json_error(document) != NULL)
        good = error_set(&e->error, "%s", json_error(document));
    json_free(document);
    return good;
}

static int enrol(struct enrol *e)
{
    buffer_init(&e->authority_pem, TEXT_MAX);
    buffer_init(&e->authority, 2 * PKI_DER_MAX);
    buffer_init(&e->info, TEXT_MAX);
    buffer_init(&e->certificate, PKI_DER_MAX);
    buffer_init(&e->wrong, LINE_MAX_BYTES);
    bool good = check_identity(e) && find_authority(e) && make_folders(e) &&
                open_keys(e) && ask(e) && check_answer(e) && finish(e);
    if (good)
        tell(e);
    else if (e->wrong.length == 0)
        log_error("%s", e->error.text);
    else
        log_error("%.*s", (int)e->wrong.length, (const char *)e->wrong.data);
    buffer_clear(&e->wrong);
    buffer_clear(&e->authority_pem);
    buffer_clear(&e->authority);
    buffer_clear(&e->info);
    buffer_clear(&e->certificate);
    pki_key_free(e->key);
    sign_key_free(e->batch);
    return good ? 0 : 1;
}

/* --- the command --- */

static bool choose_types(struct enrol *e, const char *tls, const char *batch)
{
    e->batch_type = sign_algorithm_from(slice_of_text(batch));
    e->tls_type = strcmp(tls, "ed25519") == 0 ? PKI_ED25519 : PKI_P256;
    if (strcmp(tls, "p256") != 0 && e->tls_type == PKI_P256)
        log_error("--tls-key-type: p256 or ed25519");
    else if (e->batch_type == SIGN_NONE)
        log_error("--batch-key-type: ed25519 or sm2");
    else
        return true;
    return false;
}

/* "-": the first line of standard input, so that no list of processes shows it
 * while it is good. */
static bool choose_code(struct enrol *e, char line[static CODE_LINE])
{
    if (strcmp(e->code, "-") != 0)
        return true;
    if (fgets(line, CODE_LINE, stdin) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    e->code = line;
    if (line[0] != '\0')
        return true;
    log_error("--code: no code on standard input");
    return false;
}

static bool choose_portal(struct enrol *e)
{
    struct slice host;
    uint16_t port;
    if (e->portal == NULL)
        e->portal = e->config.portal;
    if (est_client_portal(e->portal, &host, &port))
        return true;
    log_error("--portal: https://HOST[:PORT]");
    return false;
}

int enrol_command_main(int argc, char **argv)
{
    const char *tls = "p256", *batch = "ed25519";
    char line[CODE_LINE];
    struct enrol e = {.path = PROGRAM_CONFIG("probe"), .now = wall_now()};
    const struct program_option options[] = {
        {.name = "-c", .value = &e.path},
        {.name = "--portal", .value = &e.portal},
        {.name = "--code", .value = &e.code, .is_required = true},
        {.name = "--ca", .value = &e.ca},
        {.name = "--fingerprint", .value = &e.fingerprint},
        {.name = "--tls-key-type", .value = &tls},
        {.name = "--batch-key-type", .value = &batch},
        {.name = "--again", .flag = &e.is_again},
        {.name = "--new-batch-key", .flag = &e.is_new_batch_key}};
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 0, 0) < 0 ||
        !choose_types(&e, tls, batch))
        return 2;
    if (!probe_config_read_keys(e.path, &e.config, &e.error)) {
        log_error("%s", e.error.text);
        return 2;
    }
    if (!choose_portal(&e) || !choose_code(&e, line))
        return 2;
    if (!est_client_init())
        fatal(1, "libcurl does not start");
    return enrol(&e);
}
