/* See attachment_pages.h. */
#include "portal/record/attachment_pages.h"

#include <errno.h>
#include <string.h>

#include "common/shown.h"
#include "portal/http/visit.h"
#include "portal/record/machines.h"
#include "portal/store/attachment_type.h"
#include "portal/workflow/item.h"

/* ---- who sees it ---- */

/* Who files, reviews or reads such records. */
static bool has_right(const struct machine *machine, enum account_role role)
{
    for (size_t i = 0; i < machine->transition_count; i++)
        if (permission_is_given(role, machine->transitions[i].action))
            return true;
    return false;
}

static bool is_visible(struct visit *visit, const struct attachment *attachment)
{
    const struct caller *caller = &visit->caller;
    const struct machine *machine =
        machine_find(&MACHINES, attachment->owner_kind);
    struct item item;
    int64_t id;
    if (machine == NULL || !caller->has_account ||
        !parse_i64(slice_of_text(attachment->owner_id), 1, INT64_MAX, &id) ||
        !item_find(visit->db, id, &item) ||
        strcmp(item.machine, machine->name) != 0)
        return false;
    bool is_party = caller->scope.kind == machine->party_kind;
    return has_right(machine, caller->account.role) &&
           item_is_in_scope(&item, machine->party_kind, &caller->scope) &&
           (is_party || attachment->is_submitted);
}

/* ---- showing ---- */

static bool is_inline(const struct attachment *attachment)
{
    return (attachment->type & ATTACHMENT_READABLE) != 0;
}

/* RFC 6266: the name in UTF-8, and one of ASCII for who knows no other. */
static void add_disposition(struct visit *visit,
                            const struct attachment *attachment)
{
    http_response_header(visit->response, "Content-Disposition",
                         "%s; filename=\"file-%lld\"; filename*=UTF-8''%s",
                         is_inline(attachment) ? "inline" : "attachment",
                         (long long)attachment->id,
                         form_encode(attachment->name, visit->arena));
}

/* Browsers give the page that they make around a picture a style. */
static void add_safety(struct visit *visit)
{
    static const struct {
        const char *name, *value;
    } HEADERS[] = {
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'unsafe-inline'; sandbox; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"},
        {"X-Frame-Options", "SAMEORIGIN"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++)
        http_response_replace(visit->response, HEADERS[i].name, "%s",
                              HEADERS[i].value);
}

static void answer(struct visit *visit, const struct attachment *attachment)
{
    int fd = attachments_open_file(portal_attachments(visit->portal),
                                   attachment->sha256);
    if (fd < 0) {
        log_error("attachment %lld: %s", (long long)attachment->id,
                  strerror(errno));
        visit_refuse(visit, REFUSED_INTERNAL);
        return;
    }
    visit->response->content_type = attachment_media_type(attachment->type);
    add_safety(visit);
    add_disposition(visit, attachment);
    http_response_file(visit->response, fd);
}

void attachment_show(struct visit *visit)
{
    struct attachment attachment;
    int64_t id;
    const char *asked = visit->request.arguments[0];
    if (!parse_i64(slice_of_text(asked), 1, INT64_MAX, &id) ||
        !attachment_find(visit->db, id, visit->arena, &attachment) ||
        !is_visible(visit, &attachment))
        visit_refuse(visit, REFUSED_NO_RECORD);
    else if (attachment.scan == VIRUS_FOUND)
        visit_refuse(visit, REFUSED_FILE_HARMFUL);
    else if (!visit_audit(visit, "file.open", asked, "OK"))
        visit_refuse(visit, REFUSED_INTERNAL);
    else
        answer(visit, &attachment);
}

/* ---- what is wrong with one that came ---- */

/* "PDF, JPG, PNG" */
static const char *types_text(unsigned types, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, 64);
    for (unsigned type = 1; type != 0 && type <= types; type <<= 1)
        if ((types & type) != 0)
            buffer_addf(&text, "%s%s", text.length > 0 ? ", " : "",
                        attachment_type_name(type));
    const char *copy = arena_copy_text(arena, buffer_slice(&text));
    buffer_clear(&text);
    return copy != NULL ? copy : "";
}

static const char *sentence_of(enum attachment_state state)
{
    static const char *const KEYS[] = {
        [ATTACHMENT_GOOD] = TEXT_KEY("file.refusal.count"),
        [ATTACHMENT_EMPTY] = TEXT_KEY("file.refusal.empty"),
        [ATTACHMENT_TOO_LARGE] = TEXT_KEY("file.refusal.size"),
        [ATTACHMENT_WRONG_TYPE] = TEXT_KEY("file.refusal.type"),
        [ATTACHMENT_HARMFUL] = TEXT_KEY("file.refusal.harmful"),
        [ATTACHMENT_NOT_KEPT] = TEXT_KEY("file.refusal.not_kept"),
    };
    return KEYS[state];
}

bool attachment_check_upload(const struct attachments *attachments,
                             const struct upload_file *upload, unsigned types,
                             bool has_place, struct arena *arena,
                             struct refusal *refusal)
{
    char name[ATTACHMENT_NAME_LEN];
    enum attachment_state state = attachment_file_state(upload->file);
    if (state == ATTACHMENT_GOOD &&
        (attachment_file_type(upload->file) & types) == 0)
        state = ATTACHMENT_WRONG_TYPE;
    if (state == ATTACHMENT_GOOD && has_place)
        return true;
    attachment_clean_name(slice_of_text(upload->name), name);
    const char *copy = arena_copy_text(arena, slice_of_text(name));
    const char *code = attachment_state_code(state);
    return refuse(refusal, code != NULL ? code : "E_FILE_COUNT", upload->field,
                  sentence_of(state),
                  text_plain("file", copy != NULL ? copy : ""),
                  text_plain("types", types_text(types, arena)),
                  text_count("files", ATTACHMENT_DRAFT_MAX),
                  text_size("limit", attachments_file_max(attachments)));
}
