/* See enrolment_commands.h. Each reads: options, configuration, open, work,
 * close. */
#include "portal/enrolment_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/program.h"
#include "common/shown.h"
#include "portal/commands.h"
#include "portal/enrol/enrolment.h"

enum { USAGE = 2 };
enum {
    AUTHORITY_DAYS = 3650,
    SERVER_DAYS = 397,
    DAYS_MAX = 7300,
    TEXT_MAX = 16 * 1024 * 1024,
    HOSTS_MAX = 2048,
};

/* --- files --- */

static bool days_of(const char *text, unsigned *days)
{
    uint64_t value;
    if (text == NULL)
        return true;
    if (!parse_u64(slice_of_text(text), 1, DAYS_MAX, &value)) {
        program_complain("command.authority.days",
                         text_number("most", DAYS_MAX));
        return false;
    }
    *days = (unsigned)value;
    return true;
}

/* A certificate as a new PEM file, synced. */
static bool save_certificate(const char *path, struct slice der,
                             struct error_text *error)
{
    struct buffer pem;
    buffer_init(&pem, 4 * PKI_DER_MAX);
    pki_certificate_add_pem(&pem, der);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool good = fd >= 0 && !pem.failed &&
                write(fd, pem.data, pem.length) == (ssize_t)pem.length &&
                fsync(fd) == 0;
    if (!good)
        error_set(error, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !good)
        unlink(path);
    buffer_clear(&pem);
    return good;
}

/* Key and certificate together, or neither. */
static bool save_pair(const struct pki_key *key, const char *key_path,
                      const char *path, struct slice der,
                      struct error_text *error)
{
    if (!pki_key_save(key, key_path, error))
        return false;
    if (save_certificate(path, der, error))
        return true;
    unlink(key_path);
    return false;
}

static void print_certificate(const char *path, const struct pki_certificate *c)
{
    char fingerprint[DIGEST_HEX_LEN];
    digest_to_hex(c->fingerprint, fingerprint);
    program_tell("command.authority.certificate", text_plain("path", path),
                 text_foreign("name", c->name), text_end("end", c->ends),
                 text_plain("fingerprint", fingerprint));
}

/* --- the authority --- */

static bool init_authority(const struct portal_config *config, const char *name,
                           unsigned days, struct error_text *error)
{
    struct buffer der;
    struct pki_certificate c;
    struct pki_key *key = pki_key_generate(PKI_P256);
    buffer_init(&der, PKI_DER_MAX);
    bool good =
        (key != NULL &&
         pki_authority_make(key, name, wall_now(), days, &der)) ||
        error_set(error, "an authority named '%s' cannot be made", name);
    good = good &&
           save_pair(key, config->ca_key, config->ca_certificate,
                     buffer_slice(&der), error) &&
           pki_certificate_read(buffer_slice(&der), &c, error);
    if (good)
        print_certificate(config->ca_certificate, &c);
    pki_key_free(key);
    buffer_clear(&der);
    return good;
}

int command_authority_init(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *days_text = NULL;
    const char *name = "Yunzheng probes";
    unsigned days = AUTHORITY_DAYS;
    struct program_option options[] = {{"-c", .value = &path},
                                       {"--name", .value = &name},
                                       {"--days", .value = &days_text}};
    struct portal_config config = {0};
    struct error_text error;
    if (program_options(argc, argv, options, 3, 0, 0) < 0 ||
        !days_of(days_text, &days))
        return USAGE;
    if (name[0] == '\0' || strlen(name) >= PKI_NAME_LEN ||
        !slice_is_clean_utf8(slice_of_text(name))) {
        program_complain("command.authority.name",
                         text_number("most", PKI_NAME_LEN - 1));
        return USAGE;
    }
    command_read_config(path, &config);
    return init_authority(&config, name, days, &error) ? 0
                                                       : command_report(&error);
}

/* "a.example,192.0.2.1" as the library wants it; the first one is the name. */
static bool read_hosts(const char *text, char name[static PKI_NAME_LEN],
                       struct buffer *hosts)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789.-:";
    struct slice rest = slice_of_text(text), host;
    struct address address;
    bool good = text[0] != '\0';
    while (good && slice_next(&rest, ',', &host)) {
        char one[PKI_NAME_LEN];
        good = slice_copy(host, one, sizeof(one)) && one[0] != '\0' &&
               strspn(one, allowed) == strlen(one);
        bool is_address = good && address_from_text(host, &address);
        good = good && (is_address || strchr(one, ':') == NULL);
        if (hosts->length == 0)
            memcpy(name, one, sizeof(one));
        buffer_addf(hosts, "%s%s:%s", hosts->length > 0 ? "," : "",
                    is_address ? "IP" : "DNS", one);
    }
    buffer_add_u8(hosts, 0);
    return good && !hosts->failed;
}

static bool issue_for_key(const struct portal_config *config,
                          const struct pki_key *key, struct pki_order *order,
                          const char *out, struct error_text *error)
{
    char key_path[PATH_MAX], path[PATH_MAX];
    struct buffer der;
    struct pki_certificate c;
    int a = snprintf(key_path, sizeof(key_path), "%s.key", out);
    int b = snprintf(path, sizeof(path), "%s.pem", out);
    if (a >= PATH_MAX || b >= PATH_MAX)
        return error_set(error, "%s: too long", out);
    struct pki_authority *authority = pki_authority_load(
        config->ca_certificate, config->ca_key, order->now, error);
    if (authority == NULL)
        return false;
    buffer_init(&der, PKI_DER_MAX);
    bool good = pki_authority_issue(authority, order, &der, error) &&
                save_pair(key, key_path, path, buffer_slice(&der), error) &&
                pki_certificate_read(buffer_slice(&der), &c, error);
    if (good)
        print_certificate(path, &c);
    buffer_clear(&der);
    pki_authority_free(authority);
    return good;
}

static bool issue_server(const struct portal_config *config, const char *name,
                         const char *hosts, unsigned days, const char *out,
                         struct error_text *error)
{
    uint8_t public_key[PKI_PUBLIC_MAX];
    struct pki_key *key = pki_key_generate(PKI_P256);
    if (key == NULL)
        return error_set(error, "no memory");
    struct pki_order order = {.public_key = slice_of_bytes(
                                  public_key, pki_key_public(key, public_key)),
                              .name = name,
                              .hosts = hosts,
                              .use = PKI_SERVER,
                              .now = wall_now(),
                              .days = days};
    bool good = issue_for_key(config, key, &order, out, error);
    pki_key_free(key);
    return good;
}

int command_authority_issue(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *days_text = NULL;
    const char *names = NULL, *out = NULL;
    unsigned days = SERVER_DAYS;
    char name[PKI_NAME_LEN] = "";
    struct program_option options[] = {
        {"-c", .value = &path},
        {"--name", .value = &names, .is_required = true},
        {"--out", .value = &out, .is_required = true},
        {"--days", .value = &days_text}};
    struct portal_config config = {0};
    struct error_text error;
    struct buffer hosts;
    if (program_options(argc, argv, options, 4, 0, 0) < 0 ||
        !days_of(days_text, &days))
        return USAGE;
    buffer_init(&hosts, HOSTS_MAX);
    int status = USAGE;
    if (read_hosts(names, name, &hosts)) {
        command_read_config(path, &config);
        status = issue_server(&config, name, (const char *)hosts.data, days,
                              out, &error)
                     ? 0
                     : command_report(&error);
    } else {
        program_complain("command.authority.hosts",
                         text_number("most", PKI_NAME_LEN - 1));
    }
    buffer_clear(&hosts);
    return status;
}

int command_authority_show(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    struct program_option options[] = {{"-c", .value = &path}};
    struct portal_config config = {0};
    struct pki_certificate c;
    struct error_text error;
    struct buffer der;
    if (program_options(argc, argv, options, 1, 0, 0) < 0)
        return USAGE;
    command_read_config(path, &config);
    buffer_init(&der, 4 * PKI_DER_MAX);
    bool good = pki_certificate_load(config.ca_certificate, &der, &error) &&
                pki_certificate_read(buffer_slice(&der), &c, &error);
    if (good)
        print_certificate(config.ca_certificate, &c);
    buffer_clear(&der);
    return good ? 0 : command_report(&error);
}

/* --- codes --- */

/* What the administrator of the probe has to type. */
static void print_code(const struct portal_config *config, const char *code)
{
    struct buffer der;
    struct pki_certificate c;
    char fingerprint[DIGEST_HEX_LEN] = "FINGERPRINT";
    buffer_init(&der, 4 * PKI_DER_MAX);
    if (pki_certificate_load(config->ca_certificate, &der, NULL) &&
        pki_certificate_read(buffer_slice(&der), &c, NULL))
        digest_to_hex(c.fingerprint, fingerprint);
    buffer_clear(&der);
    program_tell("command.code.issued", text_plain("code", code),
                 text_number("hours", (int64_t)config->code_hours),
                 text_plain("fingerprint", fingerprint));
}

int command_code_issue(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *agreed = NULL;
    struct enrolment_order order = {0};
    struct program_option options[] = {
        {"-c", .value = &path},
        {"--enterprise", .value = &order.enterprise_id},
        {"--site", .value = &order.site_id},
        {"--supplier", .value = &order.supplier_id},
        {"--agreed", .value = &agreed, .is_required = true},
        {"--probe", .value = &order.probe_id}};
    struct portal_config config = {0};
    struct error_text error;
    struct civil_day day;
    char code[ENROLMENT_CODE_LEN];
    if (program_options(argc, argv, options, 6, 0, 0) < 0)
        return USAGE;
    bool is_site = order.enterprise_id != NULL && order.site_id != NULL;
    bool is_none = order.enterprise_id == NULL && order.site_id == NULL;
    if (order.supplier_id != NULL ? !is_none : !is_site) {
        program_complain("command.code.whose");
        return USAGE;
    }
    if (!day_from_text(slice_of_text(agreed), &day)) {
        program_complain("command.code.agreed");
        return USAGE;
    }
    order.agreed_at = day_start(day);
    command_read_config(path, &config);
    order.hours = (unsigned)config.code_hours;
    struct db *db = command_open_registry(&config);
    bool good = enrolment_issue_code(db, wall_now(), &order, code, &error);
    db_close(db);
    if (!good)
        return command_report(&error);
    print_code(&config, code);
    explicit_bzero(code, sizeof(code));
    return 0;
}

static bool list_codes(struct db *db, struct buffer *out)
{
    return enrolment_list_codes(db, wall_now(), program_language(), out);
}

static bool list_probes(struct db *db, struct buffer *out)
{
    return enrolment_list_probes(db, program_language(), out);
}

int command_code_list(int argc, char **argv)
{
    return command_print(argc, argv, TEXT_MAX, list_codes);
}

int command_probe_list(int argc, char **argv)
{
    return command_print(argc, argv, TEXT_MAX, list_probes);
}

/* One object, one act. */
static int act_on(const char *path, const char *object, const char *reason,
                  bool (*act)(struct db *db, struct wall_time now,
                              const char *object, struct error_text *error))
{
    struct portal_config config = {0};
    struct error_text error;
    command_read_config(path, &config);
    struct db *db = command_open_registry(&config);
    bool good = reason != NULL ? enrolment_deny_probe(db, wall_now(), object,
                                                      reason, &error)
                               : act(db, wall_now(), object, &error);
    db_close(db);
    return good ? 0 : command_report(&error);
}

int command_code_revoke(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    struct program_option options[] = {{"-c", .value = &path}};
    if (program_options(argc, argv, options, 1, 1, 1) < 0)
        return USAGE;
    return act_on(path, argv[1], NULL, enrolment_revoke_code);
}

int command_probe_revoke(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *reason = NULL;
    struct program_option options[] = {
        {"-c", .value = &path},
        {"--reason", .value = &reason, .is_required = true}};
    if (program_options(argc, argv, options, 2, 1, 1) < 0)
        return USAGE;
    return act_on(path, argv[1], reason, NULL);
}

int command_probe_restore(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    struct program_option options[] = {{"-c", .value = &path}};
    if (program_options(argc, argv, options, 1, 1, 1) < 0)
        return USAGE;
    return act_on(path, argv[1], NULL, enrolment_restore_probe);
}
