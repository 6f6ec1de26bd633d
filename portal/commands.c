/* See commands.h. Each reads: options, configuration, open, work, close. */
#include "portal/commands.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "common/address.h"
#include "common/program.h"
#include "portal/access/password.h"
#include "portal/enrol/est.h"
#include "portal/http/http_server.h"
#include "portal/http/serve.h"
#include "portal/load/load.h"
#include "portal/pages/site.h"
#include "portal/record/endpoints_csv.h"
#include "portal/record/registry_version.h"
#include "portal/record/supplier_counts.h"
#include "portal/show/template.h"
#include "portal/store/audit.h"
#include "portal/store/portal_db.h"
#include "portal/store/rules_parameters.h"
#include "portal/store/sender.h"
#include "portal/tick_command.h"

enum { FAILED = 1, USAGE = 2 };
enum {
    CONNECTION_LIMIT = 1024,
    IDLE_TIMEOUT_S = 15,
    STOP_CHECK_MS = 200,
    EVERY_S = 60,
    ENDPOINTS_MAX_BYTES = 256 * 1024 * 1024,
};

void command_read_config(const char *path, struct portal_config *config)
{
    struct error_text error;
    if (!config_read(path, PORTAL_CONFIG_KEYS, PORTAL_CONFIG_KEY_COUNT, config,
                     &error))
        fatal(USAGE, "%s", error.text);
    log_set_level((enum log_level)config->log_level);
}

struct db *command_open_registry(const struct portal_config *config)
{
    struct error_text error;
    struct db *db = portal_db_open(config->portal_db, &error);
    if (db == NULL)
        fatal(FAILED, "%s", error.text);
    return db;
}

int command_report(const struct error_text *error)
{
    fprintf(stderr, "yz-portal: %s\n", error->text);
    return FAILED;
}

static struct sign_key *load_registry_key(const struct portal_config *config)
{
    struct error_text error;
    if (config->registry_key[0] == '\0')
        return NULL;
    struct sign_key *key = sign_key_load(config->registry_key, &error);
    if (key == NULL)
        fatal(USAGE, "registry_key: %s", error.text);
    return key;
}

struct publishing {
    const struct sign_key *key;
    uint64_t serial;
    struct registry_head head;
    enum registry_publish result;
};

static enum act_end publish_list(struct db *db, struct wall_time now,
                                 void *context, struct error_text *error)
{
    struct publishing *p = context;
    p->result = registry_version_publish(db, p->key, "SYS", now, p->serial,
                                         &p->head, error);
    if (p->result == REGISTRY_PUBLISH_FAILED)
        return ACT_FAILED;
    return p->result == REGISTRY_PUBLISHED ? ACT_KEPT : ACT_REFUSED;
}

/* The list of endpoints as a new version, if it has changed. */
static void publish(struct portal *portal, const struct sign_key *key)
{
    struct error_text error = {""};
    struct publishing p = {.key = key};
    enum act_end end =
        portal_act(portal, wall_now(), NULL, publish_list, &p, &error);
    if (end == ACT_FAILED)
        log_error("list of endpoints: not published: %s", error.text);
    else if (end == ACT_KEPT)
        log_info("list of endpoints: version %" PRIu64 " published",
                 p.head.serial);
}

static void wait_for_stop(struct portal *portal, const struct sign_key *key)
{
    struct mono_time next = mono_now();
    bool has_doubts = false;
    while (!stop_requested()) {
        struct mono_time now = mono_now();
        if (now.us >= next.us) {
            if (key != NULL)
                publish(portal, key);
            tick_now(portal, &has_doubts);
            next = mono_later(now, EVERY_S * 1000LL);
        }
        poll(NULL, 0, STOP_CHECK_MS);
    }
}

/* Passwords over plain HTTP stay on the machine. */
static bool is_loopback(const char *listen)
{
    struct slice host, port;
    struct address address;
    if (!slice_split_port(slice_of_text(listen), &host, &port))
        return false;
    if (slice_equal_nocase(host, SLICE("localhost")))
        return true;
    return address_from_text(host, &address) &&
           (address.version == 4
                ? address.bytes[0] == 127
                : slice_equal(
                      slice_of_bytes(address.bytes, 16),
                      slice_of_bytes((const uint8_t[16]){[15] = 1}, 16)));
}

static int serve_site(const struct portal_config *config)
{
    struct error_text error;
    struct sign_key *key = load_registry_key(config);
    struct portal *portal = portal_open(config, &error);
    struct template_set *pages = portal != NULL ? site_pages_new(&error) : NULL;
    struct sender *sender = pages != NULL ? sender_new(portal, &error) : NULL;
    struct serve serve = {portal, &SITE, pages};
    struct http_settings settings = {
        .listen = config->listen,
        .thread_count = PORTAL_THREADS,
        .connection_limit = CONNECTION_LIMIT,
        .idle_timeout_s = IDLE_TIMEOUT_S,
        .planner = serve_plan,
        .handler = serve_handle,
        .context = &serve,
    };
    stop_on_signals();
    struct http_server *server =
        sender != NULL ? http_server_start(&settings, &error) : NULL;
    bool has_est = config->est_listen[0] != '\0';
    struct est *est =
        server != NULL && has_est ? est_start(portal, &error) : NULL;
    bool good = server != NULL && (est != NULL || !has_est) &&
                sender_start(sender, &error);
    if (good) {
        log_info("listening on %s, port %u", config->listen,
                 http_server_port(server));
        if (has_est)
            log_info("enrolment on %s, port %u", config->est_listen,
                     est_port(est));
        wait_for_stop(portal, key);
        log_info("stopped");
    }
    sender_free(sender);
    est_stop(est);
    http_server_stop(server);
    template_set_free(pages);
    portal_close(portal);
    sign_key_free(key);
    return good ? 0 : command_report(&error);
}

int command_serve(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    bool print_only = false;
    struct program_option options[] = {{"-c", .value = &path},
                                       {"-n", .flag = &print_only}};
    struct portal_config config = {0};
    if (program_options(argc, argv, options, 2, 0, 0) < 0)
        return USAGE;
    command_read_config(path, &config);
    if (print_only)
        return program_print_config(PORTAL_CONFIG_KEYS, PORTAL_CONFIG_KEY_COUNT,
                                    &config);
    if (!config.secure_cookie && !is_loopback(config.listen))
        fatal(USAGE,
              "%s: secure_cookie = no is for one machine: listen on 127.0.0.1 "
              "or [::1], or let a proxy with HTTPS stand in front",
              path);
    if (!password_init())
        fatal(FAILED, "libsodium does not start");
    return serve_site(&config);
}

/* Refused and flagged rows where errors go, what changes where results go. */
static void tell_loaded(void *context, enum load_news news, const char *line)
{
    (void)context;
    if (news != LOAD_CHANGE)
        fprintf(stderr, "yz-portal: %s\n", line);
    else
        puts(line);
}

static int report_loaded(const struct load_options *load, bool good,
                         const struct load_counts *counts,
                         const struct error_text *error)
{
    if (!good && counts->refused == 0)
        return command_report(error);
    if (!good) {
        program_complain("command.load.refused",
                         text_plain("folder", load->folder),
                         text_count("refused", counts->refused));
        return FAILED;
    }
    if (counts->has_programme)
        program_tell("command.load.programme",
                     text_plain("folder", load->folder));
    program_tell(
        load->is_preview ? "command.load.preview" : "command.load.registry",
        text_plain("folder", load->folder), text_count("rows", counts->rows),
        text_count("added", counts->added),
        text_count("changed", counts->changed),
        text_count("ended", counts->ended), text_count("same", counts->same));
    return 0;
}

int command_load(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    bool is_sample = false, is_preview = false, may_correct = false;
    struct program_option options[] = {{"-c", .value = &path},
                                       {"--sample", .flag = &is_sample},
                                       {"--preview", .flag = &is_preview},
                                       {"--correct", .flag = &may_correct}};
    struct portal_config config = {0};
    struct parameters parameters;
    struct load_counts counts;
    struct error_text error;
    if (program_options(argc, argv, options, 4, 1, 1) < 0)
        return USAGE;
    command_read_config(path, &config);
    if (!rules_parameters_read(config.rules, &parameters, &error))
        return command_report(&error);
    struct db *db = command_open_registry(&config);
    struct load_options load = {.folder = argv[1],
                                .is_sample = is_sample,
                                .is_preview = is_preview,
                                .may_correct = may_correct,
                                .tell = tell_loaded,
                                .parameters = &parameters,
                                .now = wall_now(),
                                .language = program_language()};
    bool good = load_folder(db, &load, &counts, &error);
    db_close(db);
    return report_loaded(&load, good, &counts, &error);
}

int command_print(int argc, char **argv, size_t most_bytes,
                  command_print_fn *fn)
{
    const char *path = PROGRAM_CONFIG("portal");
    struct program_option options[] = {{"-c", .value = &path}};
    struct portal_config config = {0};
    struct buffer out;
    if (program_options(argc, argv, options, 1, 0, 0) < 0)
        return USAGE;
    command_read_config(path, &config);
    struct db *db = command_open_registry(&config);
    buffer_init(&out, most_bytes);
    bool good = fn(db, &out);
    if (good)
        fwrite(out.data, 1, out.length, stdout);
    else
        fprintf(stderr, "yz-portal: %s\n", db_error(db));
    buffer_clear(&out);
    db_close(db);
    return good ? 0 : FAILED;
}

int command_endpoints(int argc, char **argv)
{
    return command_print(argc, argv, ENDPOINTS_MAX_BYTES, endpoints_csv_write);
}

static int publish_once(struct db *db, const struct sign_key *key,
                        uint64_t serial)
{
    struct error_text error = {""};
    struct publishing p = {.key = key, .serial = serial};
    char hex[DIGEST_HEX_LEN];
    enum act_end end = act_on(db, wall_now(), NULL, publish_list, &p, &error);
    if (end == ACT_FAILED)
        return command_report(&error);
    digest_to_hex(p.head.hash, hex);
    program_tell(end == ACT_KEPT ? "command.registry.published"
                                 : "command.registry.newest",
                 text_number("serial", (int64_t)p.head.serial),
                 text_plain("hash", hex));
    return 0;
}

int command_registry_publish(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal"), *number = NULL;
    struct program_option options[] = {{"-c", .value = &path},
                                       {"--serial", .value = &number}};
    struct portal_config config = {0};
    uint64_t serial = 0;
    if (program_options(argc, argv, options, 2, 0, 0) < 0)
        return USAGE;
    if (number != NULL &&
        !parse_u64(slice_of_text(number), 1, INT64_MAX, &serial))
        fatal(USAGE, "--serial %s: not a number from 1", number);
    command_read_config(path, &config);
    struct sign_key *key = load_registry_key(&config);
    if (key == NULL)
        fatal(USAGE, "%s: registry_key: none is given", path);
    struct db *db = command_open_registry(&config);
    int status = publish_once(db, key, serial);
    db_close(db);
    sign_key_free(key);
    return status;
}

int command_registry_list(int argc, char **argv)
{
    return command_print(argc, argv, ENDPOINTS_MAX_BYTES,
                         registry_version_print);
}

int command_audit_check(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("portal");
    struct program_option options[] = {{"-c", .value = &path}};
    struct portal_config config = {0};
    struct error_text error;
    uint64_t count = 0;
    if (program_options(argc, argv, options, 1, 0, 0) < 0)
        return USAGE;
    command_read_config(path, &config);
    struct db *db = command_open_registry(&config);
    bool good = audit_check(db, &count, &error);
    db_close(db);
    if (!good)
        return command_report(&error);
    program_tell("command.audit.whole", text_number("rows", (int64_t)count));
    return 0;
}
