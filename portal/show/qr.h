/* A QR code as the path of an inline SVG picture (libqrencode stops here). */
#ifndef PORTAL_SHOW_QR_H
#define PORTAL_SHOW_QR_H

#include "portal/show/model.h"

/* An object `key` with `size`, the width in modules with the quiet zone of four
 * round it, and `path`, the dark ones. Nothing when the text is too long. */
void qr_add(struct model *model, const char *key, const char *text);

#endif
