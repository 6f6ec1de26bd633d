/* What needs no login: the start page, the stylesheet, the icon. Public pages
 * show no identifiers, endpoints or bank data (PRIV-08). */
#ifndef PORTAL_RECORD_START_PAGES_H
#define PORTAL_RECORD_START_PAGES_H

#include "portal/http/visit.h"

void start_show(struct visit *visit);
void start_style(struct visit *visit);
void start_icon(struct visit *visit);

#endif
