/* The one table of everything that a visitor can reach. */
#ifndef PORTAL_PAGES_SITE_H
#define PORTAL_PAGES_SITE_H

#include "portal/http/route.h"

extern const struct site SITE;

#endif
