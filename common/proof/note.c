/*
 * Reading is by line: a line of a known name and key id is decoded and checked,
 * every other line is passed over, whatever it holds. Base64 is read in its one
 * spelling, so that a signature cannot be written in two ways.
 */
#include "common/proof/note.h"

#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/crypto/digest.h"

enum {
    TYPE_ED25519 = 0x01,
    TYPE_COSIGNATURE = 0x04,
    TYPE_OTHER = 0xff,
    ID_LEN = 4,
    TIME_LEN = 8,
    VKEY_MAX = 4096,
};

#define SM2_TYPE    "yunzheng-sm2-sm3"
#define DASH        "\xE2\x80\x94 "
#define COSIGNATURE "cosignature/v1\n"

/* --- base64 --- */

bool note_read_base64(struct slice text, void *data, size_t size)
{
    struct buffer bytes;
    buffer_init(&bytes, size + 1);
    bool good = base64_read(text, &bytes) && bytes.length == size;
    if (good && size > 0)
        memcpy(data, bytes.data, size);
    buffer_clear(&bytes);
    return good;
}

/* --- keys --- */

bool note_name_is_valid(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '+')
            return false;
    return length > 0 && length < NOTE_NAME_LEN;
}

/* The type as it stands in key ids and vkeys. */
static void add_type(const struct note_key *key, struct buffer *out)
{
    if (key->algorithm == SIGN_ED25519) {
        buffer_add_u8(out, key->is_witness ? TYPE_COSIGNATURE : TYPE_ED25519);
        return;
    }
    buffer_add_u8(out, TYPE_OTHER);
    buffer_add_text(out, SM2_TYPE);
}

static bool complete_key(struct note_key *key, const char *name,
                         struct error_text *error)
{
    struct buffer data;
    if (!note_name_is_valid(name))
        return error_set(error,
                         "'%s' is no name for a signing key: visible "
                         "ASCII without '+', at most %d characters",
                         name, NOTE_NAME_LEN - 1);
    if (key->is_witness && key->algorithm != SIGN_ED25519)
        return error_set(error, "%s: witnesses sign with Ed25519", name);
    snprintf(key->name, sizeof(key->name), "%s", name);
    buffer_init(&data, VKEY_MAX);
    buffer_addf(&data, "%s\n", name);
    add_type(key, &data);
    buffer_add(&data, key->key, key->key_length);
    struct digest id = digest_of(data.data, data.length);
    memcpy(key->id, id.bytes, ID_LEN);
    buffer_clear(&data);
    return true;
}

bool note_key_of(const struct sign_key *key, const char *name, bool is_witness,
                 struct note_key *note_key, struct error_text *error)
{
    *note_key = (struct note_key){
        .algorithm = sign_key_algorithm(key),
        .is_witness = is_witness,
    };
    note_key->key_length = sign_key_public(key, note_key->key);
    return complete_key(note_key, name, error);
}

/* The type and key of a vkey. */
static bool take_vkey(const struct buffer *data, struct note_key *key)
{
    struct slice rest = buffer_slice(data);
    size_t type_length = 1;
    uint8_t type = rest.length > 0 ? data->data[0] : 0;
    if (type == TYPE_OTHER) {
        type_length += sizeof(SM2_TYPE) - 1;
        if (rest.length < type_length ||
            memcmp(rest.data + 1, SM2_TYPE, sizeof(SM2_TYPE) - 1) != 0)
            return false;
        key->algorithm = SIGN_SM2_SM3;
    } else if (type == TYPE_ED25519 || type == TYPE_COSIGNATURE) {
        key->algorithm = SIGN_ED25519;
    } else {
        return false;
    }
    if (key->algorithm == SIGN_ED25519 &&
        key->is_witness != (type == TYPE_COSIGNATURE))
        return false;
    key->key_length = rest.length - type_length;
    if (key->key_length != (key->algorithm == SIGN_ED25519 ? 32 : 65))
        return false;
    memcpy(key->key, rest.data + type_length, key->key_length);
    return true;
}

static bool read_vkey(struct slice text, struct note_key *key,
                      struct error_text *error)
{
    struct slice name, id, base64;
    char copy[NOTE_NAME_LEN];
    uint8_t wanted[ID_LEN];
    struct buffer data;
    buffer_init(&data, VKEY_MAX);
    bool good = slice_next(&text, '+', &name) && slice_next(&text, '+', &id) &&
                slice_copy(name, copy, sizeof(copy)) &&
                parse_hex(id, wanted, ID_LEN);
    base64 = text; /* base64 has '+' in it, too */
    good = good && base64.data != NULL && base64_read(base64, &data) &&
           take_vkey(&data, key) && complete_key(key, copy, error) &&
           memcmp(key->id, wanted, ID_LEN) == 0;
    buffer_clear(&data);
    return good;
}

void note_name_of_file(const char *path, char name[static NOTE_NAME_LEN])
{
    const char *slash = strrchr(path, '/');
    const char *start = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(start, '.');
    size_t length = dot != NULL ? (size_t)(dot - start) : strlen(start);
    slice_copy(slice_of_bytes(start, length), name, NOTE_NAME_LEN);
}

bool note_key_load(const char *path, const char *name, bool is_witness,
                   struct note_key *key, struct error_text *error)
{
    struct buffer file;
    char own_name[NOTE_NAME_LEN];
    *key = (struct note_key){.is_witness = is_witness};
    if (!buffer_read_file(&file, path, VKEY_MAX))
        return error_set(error, "%s: %m", path);
    struct slice text = slice_trim(buffer_slice(&file));
    bool is_pem = text.length > 0 && text.data[0] == '-';
    bool good = !is_pem && read_vkey(text, key, error);
    buffer_clear(&file);
    if (!is_pem)
        return good || error_set(error,
                                 "%s: neither a public key in PEM form nor a "
                                 "line NAME+ID+KEY of a %s",
                                 path, is_witness ? "witness" : "log");
    key->key_length = sign_public_load(path, &key->algorithm, key->key, error);
    if (key->key_length == 0)
        return false;
    note_name_of_file(path, own_name);
    return complete_key(key, name != NULL ? name : own_name, error);
}

void note_key_text(const struct note_key *key, struct buffer *out)
{
    struct buffer data;
    char id[2 * ID_LEN + 1];
    hex_of(key->id, ID_LEN, id);
    buffer_addf(out, "%s+%s+", key->name, id);
    buffer_init(&data, VKEY_MAX);
    add_type(key, &data);
    buffer_add(&data, key->key, key->key_length);
    base64_add_word(out, slice_of_bytes(data.data, data.length));
    buffer_clear(&data);
}

/* --- notes --- */

static bool is_signature_line(struct slice line)
{
    return line.length > sizeof(DASH) - 1 &&
           memcmp(line.data, DASH, sizeof(DASH) - 1) == 0;
}

static bool has_form(struct slice file)
{

    if (file.length == 0 || file.data[file.length - 1] != '\n' ||
        !slice_is_clean_utf8(file))
        return false;
    for (size_t i = 0; i < file.length; i++)
        if (file.data[i] == '\t')
            return false;
    return true;
}

/* Behind the last empty line. */
static size_t start_of_signatures(struct slice file)
{
    for (size_t i = file.length; i-- > 2;)
        if (file.data[i - 1] == '\n' && file.data[i - 2] == '\n')
            return i;
    return 0;
}

bool note_split(struct slice file, struct note *note, struct error_text *error)
{
    *note = (struct note){0};
    if (file.length > NOTE_MAX)
        return error_set(error, "more than %d bytes", NOTE_MAX);
    size_t start = has_form(file) ? start_of_signatures(file) : 0;
    if (start == 0)
        return error_set(error, "not a signed note: a text, an empty line, "
                                "signature lines");
    note->text = slice_of_bytes(file.data, start - 1);
    note->signatures = slice_of_bytes(file.data + start, file.length - start);
    struct slice rest = note->signatures, line;
    int count = 0;
    while (slice_next(&rest, '\n', &line) && rest.data != NULL)
        if (!is_signature_line(line) || ++count > NOTE_SIGNATURES_MAX)
            return error_set(error,
                             "signature line %d of the note is not of "
                             "the form",
                             count + 1);
    return count > 0 || error_set(error, "the note has no signature");
}

/* The signature of a line that is of this key's name and id. */
static bool take_signature(struct slice line, const struct note_key *key,
                           uint8_t bytes[static TIME_LEN + SIGN_LEN])
{
    struct slice name, rest = slice_of_bytes(line.data + sizeof(DASH) - 1,
                                             line.length - sizeof(DASH) + 1);
    uint8_t all[ID_LEN + TIME_LEN + SIGN_LEN];
    size_t length = SIGN_LEN + (key->is_witness ? TIME_LEN : 0);
    if (!slice_next(&rest, ' ', &name) || rest.data == NULL ||
        !slice_equal_text(name, key->name) ||
        !note_read_base64(rest, all, ID_LEN + length) ||
        memcmp(all, key->id, ID_LEN) != 0)
        return false;
    memcpy(bytes, all + ID_LEN, length);
    return true;
}

static void add_cosigned(struct buffer *out, struct slice text,
                         uint64_t signed_s)
{
    buffer_addf(out, COSIGNATURE "time %llu\n", (unsigned long long)signed_s);
    buffer_add_slice(out, text);
}

static uint64_t time_of(const uint8_t *bytes)
{
    uint64_t time = 0;
    for (int i = 0; i < TIME_LEN; i++)
        time = time << 8 | bytes[i];
    return time;
}

static bool signature_fits(struct slice text, const struct note_key *key,
                           const uint8_t *bytes)
{
    struct slice public_key = slice_of_bytes(key->key, key->key_length);
    struct buffer message;
    if (!key->is_witness)
        return sign_verify(key->algorithm, public_key, text.data, text.length,
                           bytes);
    buffer_init(&message, NOTE_MAX + 64);
    add_cosigned(&message, text, time_of(bytes));
    bool good = !message.failed && time_of(bytes) <= INT64_MAX &&
                sign_verify(key->algorithm, public_key, message.data,
                            message.length, bytes + TIME_LEN);
    buffer_clear(&message);
    return good;
}

enum note_result note_verify(const struct note *note,
                             const struct note_key *key, struct slice *line,
                             int64_t *signed_s)
{
    struct slice rest = note->signatures, one;
    uint8_t bytes[TIME_LEN + SIGN_LEN] = {0};
    while (slice_next(&rest, '\n', &one) && rest.data != NULL) {
        if (!is_signature_line(one) || !take_signature(one, key, bytes))
            continue;
        if (!signature_fits(note->text, key, bytes))
            return NOTE_WRONG;
        if (line != NULL)
            *line = slice_of_bytes(one.data, one.length + 1);
        if (signed_s != NULL)
            *signed_s = key->is_witness ? (int64_t)time_of(bytes) : 0;
        return NOTE_GOOD;
    }
    return NOTE_ABSENT;
}

bool note_sign(struct slice text, const struct sign_key *key,
               const struct note_key *public_key, int64_t signed_s,
               struct buffer *out)
{
    struct buffer message, line;
    uint8_t signature[SIGN_LEN];
    buffer_init(&message, NOTE_MAX + 64);
    buffer_init(&line, ID_LEN + TIME_LEN + SIGN_LEN);
    buffer_add(&line, public_key->id, ID_LEN);
    if (public_key->is_witness) {
        add_cosigned(&message, text, (uint64_t)signed_s);
        buffer_add_u64(&line, (uint64_t)signed_s);
    } else {
        buffer_add_slice(&message, text);
    }
    bool good = !message.failed &&
                sign_make(key, message.data, message.length, signature);
    buffer_add(&line, signature, SIGN_LEN);
    buffer_addf(out, DASH "%s ", public_key->name);
    base64_add_word(out, slice_of_bytes(line.data, line.length));
    buffer_add_u8(out, '\n');
    good = good && !line.failed && !out->failed;
    buffer_clear(&message);
    buffer_clear(&line);
    return good;
}
