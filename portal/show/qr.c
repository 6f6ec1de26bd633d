#include "portal/show/qr.h"

#include <qrencode.h>

enum { QUIET = 4, PATH_MAX_BYTES = 256 * 1024 };

static bool is_dark(const QRcode *code, int x, int y)
{
    return x < code->width && (code->data[y * code->width + x] & 1) != 0;
}

/* Each run of dark modules in a row is a rectangle. */
static void add_row(struct buffer *path, const QRcode *code, int y)
{
    for (int x = 0; x < code->width; x++) {
        int start = x;
        while (is_dark(code, x, y))
            x++;
        if (x > start)
            buffer_addf(path, "M%d %dh%dv1h-%dz", start + QUIET, y + QUIET,
                        x - start, x - start);
    }
}

void qr_add(struct model *model, const char *key, const char *text)
{
    struct buffer path;
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (code == NULL)
        return;
    buffer_init(&path, PATH_MAX_BYTES);
    for (int y = 0; y < code->width; y++)
        add_row(&path, code, y);
    struct model *m = model_object(model, key);
    model_i64(m, "size", code->width + 2 * QUIET);
    model_slice(m, "path", buffer_slice(&path));
    buffer_clear(&path);
    QRcode_free(code);
}
