/*
 * A list's JSON in OpenAPI 3.1, printed from its descriptor: doc/portal-api.yaml
 * is `yz-portal openapi` and a test compares them.
 */
#ifndef PORTAL_LIST_LIST_OPENAPI_H
#define PORTAL_LIST_LIST_OPENAPI_H

#include "common/buffer.h"
#include "portal/list/list.h"

/* Its entry below `paths`. */
void list_openapi_path(const struct list *list, struct buffer *out);
/* Its row below `components.schemas`. */
void list_openapi_schema(const struct list *list, struct buffer *out);

#endif
