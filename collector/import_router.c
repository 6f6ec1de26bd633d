/* Each file is one transaction, and a stream of its own. */
#include "collector/import_router.h"

#include <string.h>

#include "collector/netflow_source.h"

enum { FILE_BYTES_MAX = 1 << 30 };

struct router_import {
    struct store *store;
    const struct collector_config *config;
    const char *exporter;
    struct sign_key *key;
    struct secret pseudonym;
    struct digest software;
    struct batch_reader *reader;
    struct import_result *result;
};

static bool take_batch(void *context, const struct registry_probe *own,
                       struct slice batch)
{
    struct router_import *im = context;
    struct receipt receipt;
    im->result->batches++;
    return source_take(im->store, im->reader, own, batch, wall_now(),
                       &receipt) != TAKE_GROUP_FAILED;
}

/* All messages; names the first byte of one that is none. */
static bool read_messages(struct netflow_source *source, int exporter,
                          const struct buffer *file, struct error_text *error)
{
    struct netflow_session *session = netflow_source_open_stream(source);
    const uint8_t *at = (const uint8_t *)file->data;
    size_t left = file->length;
    bool good = session != NULL || error_set(error, "out of memory");
    while (good && left > 0) {
        int64_t length = netflow_message_length(at, left, true);
        if (length <= 0) /* reading it tells what is wrong */
            length =
                left < IPFIX_MESSAGE_MAX ? (int64_t)left : IPFIX_MESSAGE_MAX;
        enum netflow_status status = netflow_source_message(
            source, exporter, session, at, (size_t)length, wall_now());
        good = status == NETFLOW_OK ||
               error_set(error, "message at byte %zu: %s", file->length - left,
                         netflow_status_text(status));
        at += good ? length : 0;
        left -= good ? (size_t)length : 0;
    }
    if (session != NULL)
        netflow_source_close_stream(source, exporter, session);
    return good;
}

/* One transaction: a bad file is named, and what stood before its fault is not
 * taken either. False when the store failed. */
static bool take_file(struct router_import *im, struct netflow_source *source,
                      int exporter, const char *path, const struct buffer *file,
                      struct error_text *error)
{
    struct error_text why = {""};
    struct netflow_totals totals;
    uint64_t before = im->result->batches;
    if (!store_begin(im->store))
        return error_set(error, "%s: the batches could not be stored", path);
    if (!read_messages(source, exporter, file, &why)) {
        store_rollback(im->store);
        log_error("%s: %s", path, why.text);
        im->result->batches = before;
        im->result->bad_files++;
        return true;
    }
    netflow_source_close(source, NETFLOW_OWN_PERIOD, wall_now(), true);
    netflow_source_totals(source, &totals);
    if (totals.batches_lost > 0)
        store_rollback(im->store);
    else if (store_commit(im->store))
        return true;
    return error_set(error, "%s: the batches could not be stored", path);
}

static bool import_one(struct router_import *im, const char *path,
                       const struct buffer *file, struct error_text *error)
{
    struct digest hash = digest_of(file->data, file->length);
    const struct netflow_source_options options = {
        .registry = im->config->registry,
        .endpoints = im->config->endpoints,
        .key = im->key,
        .pseudonym = &im->pseudonym,
        .software_hash = im->software,
        .boot_id = hash.bytes,
        .accept_sample = im->config->accept_sample,
        .is_file = true,
        .finished = take_batch,
        .context = im,
    };
    struct netflow_source *source =
        netflow_source_new(&options, wall_now(), error);
    if (source == NULL)
        return false;
    int exporter = netflow_source_find_id(source, im->exporter);
    bool good =
        exporter == NETFLOW_NOBODY
            ? error_set(error, "exporter %s: not registered", im->exporter)
            : take_file(im, source, exporter, path, file, error);
    netflow_source_free(source);
    return good;
}

static bool import_paths(struct router_import *im, char *const *paths,
                         size_t count, struct error_text *error)
{
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        struct buffer file;
        buffer_init(&file, FILE_BYTES_MAX);
        im->result->files++;
        if (buffer_read_file(&file, paths[i], FILE_BYTES_MAX)) {
            good = import_one(im, paths[i], &file, error);
        } else {
            log_error("%s: cannot be read, or is larger than 1 GiB", paths[i]);
            im->result->bad_files++;
        }
        buffer_clear(&file);
    }
    return good;
}

bool import_router_files(struct store *store,
                         const struct collector_config *config,
                         const char *exporter, char *const *paths, size_t count,
                         struct import_result *result, struct error_text *error)
{
    struct secret secret;
    struct router_import im = {.store = store,
                               .config = config,
                               .exporter = exporter,
                               .reader = batch_reader_new(),
                               .result = result};
    *result = (struct import_result){0};
    bool good = im.reader != NULL &&
                (im.key = sign_key_load(config->receipt_key, error)) != NULL &&
                secret_load(config->secret, &secret, error);
    if (good && !digest_of_file("/proc/self/exe", &im.software))
        good = error_set(error, "/proc/self/exe cannot be read");
    if (good) {
        im.pseudonym = secret_derive(&secret, NETFLOW_PSEUDONYM_LABEL);
        good = import_paths(&im, paths, count, error);
    }
    sign_key_free(im.key);
    batch_reader_free(im.reader);
    return good;
}
