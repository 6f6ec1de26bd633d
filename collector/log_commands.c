/*
 * Each command reads in order: options, configuration or keys, the work, one
 * line or file to standard output. What the work is stands in tlog/.
 */
#include "collector/log_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/collector_command.h"
#include "collector/collector_config.h"
#include "collector/log_keeper.h"
#include "collector/tlog/cosign.h"
#include "collector/tlog/ledger_check.h"
#include "collector/tlog/log_checkpoint.h"
#include "collector/tlog/log_proof.h"
#include "common/program.h"
#include "common/proof/proof.h"
#include "common/proof/receipt_check.h"
#include "common/proof/witness.h"
#include "common/shown.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/receipt.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const int64_t DAY_US = INT64_C(86400) * 1000000;
enum {
    KEPT_MAX = 1 << 20,
    RECEIPTS_MAX = 64 * 1024 * 1024, /* octets of a file of them */
};

/* --- what the commands share --- */

static uint64_t number_option(const char *name, const char *text, uint64_t min)
{
    uint64_t value = 0;
    if (text != NULL && !parse_u64(slice_of_text(text), min, INT64_MAX, &value))
        fatal(2, "%s %s: not a number from %" PRIu64, name, text, min);
    return value;
}

static int print(struct buffer *out)
{
    bool good = !out->failed &&
                (out->length == 0 || fwrite(out->data, out->length, 1, stdout));
    buffer_clear(out);
    return good ? 0 : 1;
}

/* A file as a proof, or a checkpoint alone; the buffer is the caller's. */
static void load_proof(const char *path, struct buffer *file,
                       struct proof *proof)
{
    struct error_text error;
    if (!buffer_read_file(file, path, PROOF_MAX))
        fatal(1, "%s: %m", path);
    if (!proof_read(buffer_slice(file), proof, &error))
        fatal(1, "%s: %s", path, error.text);
}

/* The public key of the log of this configuration. */
static struct note_key own_log_key(const struct collector_config *config,
                                   struct sign_key **key)
{
    struct error_text error;
    struct note_key public_key;
    struct sign_key *own = log_key_load(config, &error);
    if (own == NULL ||
        !note_key_of(own, config->log_origin, false, &public_key, &error))
        fatal(2, "%s", error.text);
    if (key != NULL)
        *key = own;
    else
        sign_key_free(own);
    return public_key;
}

/* Only as the user that run works as, so that no file is root's. */
static void drop(const struct collector_config *config)
{
    struct error_text error;
    if (!program_drop_to_user(config->user, &error))
        fatal(1, "%s", error.text);
}

/* --- checkpoint --- */

int command_checkpoint(int argc, char **argv)
{
    struct collector_config config;
    struct error_text error;
    struct checkpoint made;
    struct sign_key *key;
    char folder[PATH_MAX];
    const char *path = COLLECTOR_CONFIG;
    const struct program_option options[] = {{"-c", .value = &path}};
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    collector_read_config(path, &config);
    own_log_key(&config, &key);
    drop(&config);
    log_folder_of(&config, folder);
    struct db *db = collector_open_usage(&config, DB_WRITE);
    const struct log_settings settings = {folder, config.log_origin, key};
    if (log_checkpoint_make(db, &settings, wall_now(), &made, &error) !=
        LOG_CHECKPOINT_MADE)
        fatal(1, "%s", error.text);
    char file[PATH_MAX + 32];
    snprintf(file, sizeof(file), "%s/%06" PRIu64 ".checkpoint", folder,
             made.number);
    program_tell("collector.checkpoint.made",
                 text_number("number", (int64_t)made.number),
                 text_count("batches", made.size), text_plain("path", file));
    db_close(db);
    sign_key_free(key);
    return 0;
}

static bool list_rows(struct db *db)
{
    struct db_statement *s = db_prepare(
        db, "SELECT c.number, c.size, c.made_us, (SELECT "
            "group_concat(witness, ' ') FROM (SELECT witness FROM cosignature "
            "WHERE checkpoint = c.number ORDER BY witness)) "
            "FROM checkpoint AS c ORDER BY c.number");
    enum db_step step = DB_FAILED;
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        char number[24];
        snprintf(number, sizeof(number), "%06" PRIu64, db_u64(s, 0));
        program_tell(db_is_null(s, 3) ? "collector.checkpoint.row"
                                      : "collector.checkpoint.row_cosigned",
                     text_plain("number", number),
                     text_count("batches", db_u64(s, 1)),
                     text_moment("made", (struct wall_time){db_i64(s, 2)}),
                     text_plain("witnesses", db_text(s, 3)));
    }
    return step == DB_DONE;
}

int command_checkpoint_list(int argc, char **argv)
{
    struct collector_config config;
    const char *path = COLLECTOR_CONFIG;
    const struct program_option options[] = {{"-c", .value = &path}};
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    collector_read_config(path, &config);
    struct db *db = collector_open_usage(&config, DB_READ);
    if (!list_rows(db))
        fatal(1, "%s", db_error(db));
    db_close(db);
    return 0;
}

int command_checkpoint_show(int argc, char **argv)
{
    struct collector_config config;
    struct error_text error;
    struct checkpoint checkpoint;
    struct buffer out;
    const char *path = COLLECTOR_CONFIG, *size = NULL;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--size", .value = &size},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    uint64_t wanted = number_option("--size", size, 1);
    collector_read_config(path, &config);
    struct db *db = collector_open_usage(&config, DB_READ);
    buffer_init(&out, NOTE_MAX);
    if (!log_checkpoint_find(db, wanted, &checkpoint, &out, &error))
        fatal(1, "%s", error.text);
    db_close(db);
    return print(&out);
}

int command_checkpoint_key(int argc, char **argv)
{
    struct collector_config config;
    struct buffer out;
    const char *path = COLLECTOR_CONFIG;
    const struct program_option options[] = {{"-c", .value = &path}};
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    collector_read_config(path, &config);
    const struct note_key key = own_log_key(&config, NULL);
    buffer_init(&out, NOTE_MAX);
    note_key_text(&key, &out);
    buffer_add_u8(&out, '\n');
    return print(&out);
}

/* --- proof --- */

static uint64_t index_of_hash(struct db *db, const char *text)
{
    struct digest hash;
    uint64_t index;
    if (!parse_hex(slice_of_text(text), hash.bytes, DIGEST_LEN))
        fatal(2, "--batch %s: not a batch hash of 64 hex digits", text);
    if (!ledger_find_hash(db, hash, &index))
        fatal(1, "%s", db_error(db));
    if (index == 0)
        fatal(1, "--batch %s: the ledger has no such batch", text);
    return index;
}

/* The first receipt in a file, or the first for the batch of that hash. */
static struct receipt load_receipt(const struct collector_config *config,
                                   const char *path, const char *batch)
{
    struct error_text error;
    struct note_key public_key;
    struct receipt receipt;
    struct digest hash;
    struct buffer file;
    bool is_found = false;
    if (batch != NULL &&
        !parse_hex(slice_of_text(batch), hash.bytes, DIGEST_LEN))
        fatal(2, "--batch %s: not a batch hash of 64 hex digits", batch);
    struct sign_key *key = sign_key_load(config->receipt_key, &error);
    if (key == NULL || !note_key_of(key, "receipt", false, &public_key, &error))
        fatal(2, "%s", error.text);
    if (!buffer_read_file(&file, path, RECEIPTS_MAX))
        fatal(1, "%s: %m", path);
    struct slice rest = buffer_slice(&file),
                 raw = slice_of_bytes(public_key.key, public_key.key_length);
    while (!is_found &&
           receipt_next(&rest, public_key.algorithm, raw, &receipt))
        is_found = batch == NULL || digest_equal(receipt.batch_hash, hash);
    if (!is_found)
        fatal(1, "%s: no receipt of this collector%s", path,
              batch != NULL ? " for that batch" : "");
    buffer_clear(&file);
    sign_key_free(key);
    return receipt;
}

/* The log must keep what the receipt promised. */
static uint64_t index_of_receipt(struct db *db,
                                 const struct collector_config *config,
                                 const char *path, const char *batch)
{
    struct receipt receipt = load_receipt(config, path, batch);
    struct ledger_row row;
    bool found;
    if (receipt.status == RECEIPT_REFUSED)
        fatal(1, "%s: the batch was refused and is not in the log", path);
    if (!ledger_find_row(db, receipt.ledger_index, &row, &found))
        fatal(1, "%s", db_error(db));
    if (!found)
        fatal(1, "cut: %s promises ledger row %" PRIu64 ", which is not there",
              path, receipt.ledger_index);
    if (!digest_equal(row.hash, receipt.batch_hash))
        fatal(1, "rollback: %s promises another batch at ledger row %" PRIu64,
              path, receipt.ledger_index);
    return receipt.ledger_index;
}

int command_proof(int argc, char **argv)
{
    struct collector_config config;
    struct error_text error;
    struct buffer out;
    const char *path = COLLECTOR_CONFIG, *batch = NULL, *index = NULL,
               *receipt = NULL, *size = NULL, *from = NULL, *to = NULL;
    const struct program_option options[] = {
        {"-c", .value = &path},       {"--batch", .value = &batch},
        {"--index", .value = &index}, {"--receipt", .value = &receipt},
        {"--size", .value = &size},   {"--from", .value = &from},
        {"--to", .value = &to},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    bool has_batch = batch != NULL || receipt != NULL; /* one, or both */
    if (has_batch + (index != NULL) + (from != NULL) != 1)
        fatal(2, "proof: one of --batch, --index, --receipt and --from is "
                 "needed");
    uint64_t number = number_option("--index", index, 1);
    uint64_t old_size = number_option("--from", from, 0);
    uint64_t new_size = from != NULL ? number_option("--to", to, 1)
                                     : number_option("--size", size, 1);
    collector_read_config(path, &config);
    struct db *db = collector_open_usage(&config, DB_READ);
    if (receipt != NULL)
        number = index_of_receipt(db, &config, receipt, batch);
    else if (batch != NULL)
        number = index_of_hash(db, batch);
    buffer_init(&out, 2 * PROOF_MAX);
    if (from != NULL
            ? !log_proof_make_consistency(db, old_size, new_size, &out, &error)
            : !log_proof_make_inclusion(db, number, new_size, &out, &error))
        fatal(1, "%s", error.text);
    db_close(db);
    return print(&out);
}

/* --- verify --- */

static void load_witnesses(const char *path, struct note_keys *witnesses)
{
    struct error_text error;
    struct stat st;
    witnesses->count = 0;
    if (path == NULL)
        return;
    bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (is_folder
            ? !note_keys_load(path, true, witnesses, &error)
            : !note_key_load(path, NULL, true, &witnesses->keys[0], &error))
        fatal(2, "%s", error.text);
    if (!is_folder)
        witnesses->count = 1;
}

static uint64_t count_cosignatures(const struct proof *proof,
                                   const struct note_keys *witnesses)
{
    uint64_t count = 0;
    for (size_t i = 0; i < witnesses->count; i++) {
        const struct note_key *key = &witnesses->keys[i];
        int64_t signed_s;
        enum note_result result =
            note_verify(&proof->note, key, NULL, &signed_s);
        if (result == NOTE_WRONG)
            fatal(1, "the cosignature of %s does not fit", key->name);
        if (result == NOTE_ABSENT)
            continue;
        program_tell("collector.verify.cosigned",
                     text_plain("witness", key->name),
                     text_moment("time", wall_from_s(signed_s)));
        count++;
    }
    return count;
}

/* Is a batch of this hash in the file? */
static bool file_has_batch(const char *path, struct digest hash)
{
    struct buffer file;
    struct batch_reader *reader = batch_reader_new();
    bool found = false, complete;
    if (reader == NULL || !buffer_read_file(&file, path, BATCH_SIZE_MAX))
        fatal(1, "%s: %m", path);
    for (size_t done = 0; !found && done < file.length;) {
        int length = ipfix_message_length(file.data + done, file.length - done);
        if (length <= 0 || (size_t)length > file.length - done ||
            batch_reader_add(reader, file.data + done, (size_t)length,
                             &complete) != BATCH_OK)
            break;
        found = complete && digest_equal(batch_reader_hash(reader), hash);
        if (complete)
            batch_reader_next(reader);
        done += (size_t)length;
    }
    batch_reader_free(reader);
    buffer_clear(&file);
    return found;
}

static void verify_inclusion(const struct proof *proof, const char *batch)
{
    struct error_text error;
    struct leaf_view leaf;
    char hash[DIGEST_HEX_LEN];
    if (!proof_check_inclusion(proof, &leaf, &error))
        fatal(1, "%s", error.text);
    if (batch != NULL && !file_has_batch(batch, leaf.hash))
        fatal(1, "%s: not the batch of the proof, or changed since", batch);
    digest_to_hex(leaf.hash, hash);
    program_tell(batch != NULL ? "collector.verify.batch_of_file"
                               : "collector.verify.batch",
                 text_number("index", (int64_t)leaf.index),
                 text_number("sequence", (int64_t)leaf.sequence),
                 text_foreign("probe", leaf.probe_id),
                 text_foreign("enterprise",
                              leaf.enterprise_id[0] ? leaf.enterprise_id : "-"),
                 text_plain("hash", hash));
}

static void verify_consistency(const struct proof *proof, const char *old,
                               const struct note_key *key)
{
    struct error_text error;
    struct buffer file;
    struct proof older;
    if (old == NULL)
        fatal(2, "verify: a proof of consistency needs the older checkpoint "
                 "(--old)");
    load_proof(old, &file, &older);
    if (!checkpoint_read_signed(&older.note, key, &older.checkpoint, &error) ||
        !proof_check_consistency(proof, &older.checkpoint, &error))
        fatal(1, "%s", error.text);
    program_tell("collector.verify.beginning",
                 text_count("batches", older.checkpoint.size));
    buffer_clear(&file);
}

static void verify_receipts(const struct proof *proof, const char *path,
                            const char *key_path)
{
    struct error_text error;
    struct receipt_check result;
    struct buffer file;
    enum sign_algorithm algorithm;
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t length = sign_public_load(key_path, &algorithm, key, &error);
    if (length == 0)
        fatal(2, "%s", error.text);
    if (!buffer_read_file(&file, path, RECEIPTS_MAX))
        fatal(1, "%s: %m", path);
    if (!receipt_check(proof, buffer_slice(&file), algorithm,
                       slice_of_bytes(key, length), &result, &error))
        fatal(1, "%s: %s", path, error.text);
    program_tell(result.has_batch ? "collector.verify.receipts_of_batch"
                                  : "collector.verify.receipts",
                 text_count("covered", result.covered),
                 text_count("newer", result.newer),
                 text_count("refused", result.refused));
    buffer_clear(&file);
}

int command_verify(int argc, char **argv)
{
    struct error_text error;
    struct buffer file;
    struct proof proof;
    struct note_key key;
    struct note_keys witnesses;
    const char *key_path = NULL, *witness = NULL, *quorum = NULL, *old = NULL,
               *batch = NULL, *receipts = NULL, *receipt_key = NULL;
    const struct program_option options[] = {
        {"--key", .value = &key_path, .is_required = true},
        {"--receipts", .value = &receipts},
        {"--receipt-key", .value = &receipt_key},
        {"--witness", .value = &witness},
        {"--quorum", .value = &quorum},
        {"--old", .value = &old},
        {"--batch", .value = &batch},
    };
    if (program_options(argc, argv, options, COUNT(options), 1, 1) < 0)
        return 2;
    uint64_t needed = witness != NULL ? 1 : 0;
    if (quorum != NULL)
        needed = number_option("--quorum", quorum, 0);
    load_witnesses(witness, &witnesses);
    load_proof(argv[1], &file, &proof);
    if (!note_key_load(key_path, proof.checkpoint.origin, false, &key, &error))
        fatal(2, "%s", error.text);
    if ((receipts != NULL) != (receipt_key != NULL))
        fatal(2, "verify: --receipts and --receipt-key go together");
    if (batch != NULL && proof.kind != PROOF_INCLUSION)
        fatal(2, "verify: --batch goes with a proof of inclusion");
    if (!checkpoint_read_signed(&proof.note, &key, &proof.checkpoint, &error))
        fatal(1, "%s: %s", argv[1], error.text);
    uint64_t cosigned = count_cosignatures(&proof, &witnesses);
    if (cosigned < needed)
        fatal(1,
              "%s: %" PRIu64 " cosignatures of known witnesses, %" PRIu64
              " are needed",
              argv[1], cosigned, needed);
    if (proof.kind == PROOF_INCLUSION)
        verify_inclusion(&proof, batch);
    else if (proof.kind == PROOF_CONSISTENCY && proof.old_size > 0)
        verify_consistency(&proof, old, &key);
    if (receipts != NULL)
        verify_receipts(&proof, receipts, receipt_key);
    program_tell("collector.verify.log",
                 text_foreign("origin", proof.checkpoint.origin),
                 text_count("batches", proof.checkpoint.size));
    buffer_clear(&file);
    return 0;
}

/* --- witness, cosign --- */

/* The checkpoint, and the proof when there is one; both name the same text. */
static void load_request(int count, char **paths, struct buffer *files,
                         struct proof *proof)
{
    struct proof second;
    load_proof(paths[0], &files[0], proof);
    if (count == 1)
        return;
    load_proof(paths[1], &files[1], &second);
    if (!slice_equal(proof->note.text, second.note.text))
        fatal(1, "%s: its checkpoint is not that of %s", paths[1], paths[0]);
    if (second.kind == PROOF_CONSISTENCY)
        *proof = second;
}

int command_witness(int argc, char **argv)
{
    struct error_text error;
    struct buffer files[2] = {{0}}, out;
    struct proof proof;
    struct note_key log, public_key;
    char own_name[NOTE_NAME_LEN];
    const char *key_path = NULL, *state = NULL, *log_path = NULL,
               *origin = NULL, *name = NULL;
    const struct program_option options[] = {
        {"--key", .value = &key_path, .is_required = true},
        {"--name", .value = &name},
        {"--state", .value = &state, .is_required = true},
        {"--log", .value = &log_path, .is_required = true},
        {"--origin", .value = &origin},
    };
    int count = program_options(argc, argv, options, COUNT(options), 1, 2);
    if (count < 0)
        return 2;
    load_request(count, argv + 1, files, &proof);
    note_name_of_file(key_path, own_name);
    struct sign_key *key = sign_key_load(key_path, &error);
    if (key == NULL ||
        !note_key_of(key, name != NULL ? name : own_name, true, &public_key,
                     &error) ||
        !note_key_load(log_path,
                       origin != NULL ? origin : proof.checkpoint.origin, false,
                       &log, &error))
        fatal(2, "%s", error.text);
    const struct witness witness = {state, &log, key, &public_key};
    buffer_init(&out, NOTE_MAX);
    if (!witness_cosign(&witness, &proof, wall_now(), &out, &error))
        fatal(1, "not cosigned: %s", error.text);
    sign_key_free(key);
    buffer_clear(&files[0]);
    buffer_clear(&files[1]);
    return print(&out);
}

int command_cosign(int argc, char **argv)
{
    struct collector_config config;
    struct error_text error;
    struct note_keys witnesses;
    struct buffer file;
    size_t taken, all = 0;
    const char *path = COLLECTOR_CONFIG;
    const struct program_option options[] = {{"-c", .value = &path}};
    int count =
        program_options(argc, argv, options, COUNT(options), 1, KEPT_MAX);
    if (count < 0)
        return 2;
    collector_read_config(path, &config);
    if (!note_keys_load(config.witnesses, true, &witnesses, &error))
        fatal(2, "%s", error.text);
    const struct note_key log = own_log_key(&config, NULL);
    drop(&config);
    struct db *db = collector_open_usage(&config, DB_WRITE);
    for (int i = 1; i <= count; i++) {
        if (!buffer_read_file(&file, argv[i], NOTE_MAX))
            fatal(1, "%s: %m", argv[i]);
        if (!cosign_take(db, &log, &witnesses, buffer_slice(&file), &taken,
                         &error))
            fatal(1, "%s: %s", argv[i], error.text);
        buffer_clear(&file);
        all += taken;
    }
    db_close(db);
    program_tell("collector.cosign.done", text_count("lines", all),
                 text_count("checkpoints", (uint64_t)count));
    return 0;
}

/* --- check --- */

static void print_log(const struct collector_config *config,
                      const struct log_check_result *l)
{
    program_tell("collector.check.checkpoints",
                 text_count("checkpoints", l->checkpoints),
                 text_count("batches", l->signed_size),
                 text_count("files", l->files),
                 text_count("missing", l->missing_files),
                 text_count("cosignatures", l->cosignatures));
    if (l->without_key > 0)
        program_tell("collector.check.without_key",
                     text_count("checkpoints", l->without_key));
    if (l->unknown_cosignatures > 0)
        program_tell("collector.check.unknown_cosignatures",
                     text_count("cosignatures", l->unknown_cosignatures));
    program_tell("collector.check.recent", text_count("checkpoints", l->recent),
                 text_count("quorate", l->recent_with_quorum),
                 text_count("wanted", config->witness_quorum));
    if (l->kept_checkpoints + l->kept_receipts > 0)
        program_tell("collector.check.kept_agree",
                     text_count("checkpoints", l->kept_checkpoints),
                     text_count("receipts", l->kept_receipts));
    else
        program_tell("collector.check.none_kept");
}

/* Keys that batches verified with and that the registry does not have (any
 * more): a probe that got a new one, or somebody who put batches of their own
 * in. A person must know which. */
static void print_strange_keys(const struct collector_config *config)
{
    struct error_text error;
    struct db *db = collector_open_usage(config, DB_READ);
    if (!db_attach(db, config->registry, "registry", &error)) {
        program_tell("collector.check.not_compared",
                     text_plain("reason", error.text));
        db_close(db);
        return;
    }
    struct db_statement *s = db_prepare(
        db, "SELECT probe_id, (SELECT min(idx) FROM ledger AS l "
            "WHERE l.signer = s.key) FROM signer AS s WHERE NOT EXISTS "
            "(SELECT 1 FROM registry.probe AS p WHERE p.id = s.probe_id "
            "AND p.algorithm = s.algorithm "
            "AND p.signing_key = s.public_key) ORDER BY s.key");
    enum db_step step = DB_FAILED;
    while (s != NULL && (step = db_step(s)) == DB_ROW)
        if (!ledger_source_owns_id(db_text(s, 0)))
            program_tell("collector.check.strange_key",
                         text_number("index", db_i64(s, 1)),
                         text_foreign("probe", db_text(s, 0)));
    if (step != DB_DONE)
        fatal(1, "%s", db_error(db));
    db_close(db);
}

static void print_check(const struct check_options *options,
                        const struct check_result *r)
{
    char root[DIGEST_HEX_LEN];
    digest_to_hex(r->root, root);
    program_tell("collector.check.agree", text_count("batches", r->batches),
                 text_count("probes", r->probes), text_count("kept", r->kept),
                 text_count("records", r->records),
                 text_count("bytes", r->bytes));
    if (options->is_quick || options->has_since)
        program_tell("collector.check.read_back",
                     text_count("batches", r->read_back));
    if (r->gone > 0)
        program_tell("collector.check.gone", text_count("batches", r->gone));
    program_tell("collector.check.missing", text_count("batches", r->missing),
                 text_count("forks", r->forks));
    if (r->loose_bytes > 0)
        program_tell("collector.check.loose",
                     text_count("bytes", r->loose_bytes));
    program_tell("collector.check.root", text_count("leaves", r->batches),
                 text_plain("root", root));
}

/* The two public keys that are known on this machine; without their private
 * files (another user, say) signatures are not looked at. */
static bool find_key(const char *path, const char *name, struct note_key *key)
{
    struct error_text error;
    struct sign_key *own = sign_key_load(path, &error);
    bool good = own != NULL && note_key_of(own, name, false, key, &error);
    sign_key_free(own);
    if (!good)
        log_warn("signatures with it are not checked: %s", error.text);
    return good;
}

static void read_since(const char *text, struct check_options *options)
{
    struct civil_day day;
    if (text == NULL)
        return;
    if (!day_from_text(slice_of_text(text), &day))
        fatal(2, "--since %s: not a date such as 2026-11-23", text);
    options->has_since = true;
    options->since = day_start(day);
}

int command_check(int argc, char **argv)
{
    struct collector_config config;
    struct check_result result;
    struct error_text error;
    struct note_key log, receipt;
    struct note_keys witnesses, former;
    char folder[PATH_MAX];
    bool are_checkpoints = false, are_receipts = false;
    const char *path = COLLECTOR_CONFIG, *since = NULL;
    struct check_options check = {0};
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--quick", .flag = &check.is_quick},
        {"--since", .value = &since},
        {"--checkpoint", .flag = &are_checkpoints},
        {"--receipt", .flag = &are_receipts},
    };
    int count =
        program_options(argc, argv, options, COUNT(options), 0, KEPT_MAX);
    if (count < 0)
        return 2;
    if ((count > 0) != (are_checkpoints != are_receipts))
        fatal(2, "check: files go with one of --checkpoint and --receipt");
    read_since(since, &check);
    collector_read_config(path, &config);
    log_folder_of(&config, folder);
    if (!note_keys_load(config.witnesses, true, &witnesses, &error) ||
        !note_keys_load(config.log_former_keys, false, &former, &error))
        fatal(2, "%s", error.text);
    const char *log_key =
        config.log_key[0] != '\0' ? config.log_key : config.receipt_key;
    const struct log_check_options kept = {
        .log = find_key(log_key, config.log_origin, &log) ? &log : NULL,
        .receipt =
            are_receipts && find_key(config.receipt_key, "receipt", &receipt)
                ? &receipt
                : NULL,
        .former = &former,
        .folder = folder,
        .witnesses = &witnesses,
        .quorum = config.witness_quorum,
        .recent_since = {wall_now().us - DAY_US},
        .checkpoints = argv + 1,
        .checkpoint_count = are_checkpoints ? (size_t)count : 0,
        .receipts = argv + 1,
        .receipt_count = are_receipts ? (size_t)count : 0,
    };
    if (are_receipts && kept.receipt == NULL)
        fatal(2, "check: --receipt needs the receipt key");
    check.log = &kept;
    check.now = wall_now();
    const struct ledger_paths paths = {config.registry, config.usage_db,
                                       config.archive};
    if (!ledger_check_run(&paths, &check, &result, &error))
        fatal(1, "%s", error.text);
    print_check(&check, &result);
    print_strange_keys(&config);
    print_log(&config, &result.log);
    return 0;
}
