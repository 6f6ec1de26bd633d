/*
 * One request with everything that is known about it, handed to its handler:
 * what was asked, who asks, what is answered, and the databases as they are at
 * one instant.
 *
 * A handler reads in order: parse (request), query (db, with the caller's
 * scope), fill (model), render. Routing has already checked the session, the
 * right and the form token. All that is read in one visit is one state of the
 * databases; what is written goes through store_act() and is not seen in it.
 */
#ifndef PORTAL_HTTP_VISIT_H
#define PORTAL_HTTP_VISIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "portal/access/caller.h"
#include "portal/http/http_server.h"
#include "portal/http/request.h"
#include "portal/http/route.h"
#include "portal/show/model.h"
#include "portal/show/refused.h"
#include "portal/store/portal.h"

struct refusal;
struct template_set;

enum { VISIT_ARGUMENTS_MAX = 3 };

/* What was asked. */
struct request {
    const struct http_request *http;
    bool wants_json; /* the address began with /api/v1 */
    struct form_data query, cookies;
    struct form_data form;                      /* the body of a POST */
    const char *arguments[VISIT_ARGUMENTS_MAX]; /* the address's '*' */
};

struct visit {
    struct portal *portal;
    const struct portal_config *config;
    struct portal_worker *worker;
    struct db *db; /* of the worker: reads only, in one transaction */
    struct arena *arena;
    const struct site *site; /* by which the menu asks what is open */
    const struct template_set *pages;
    enum menu menu; /* of the page that is shown */
    struct wall_time now;
    struct address visitor; /* also where a proxy stands between */
    enum visitor_way way;

    struct request request;
    struct caller caller;
    struct http_response *response;
    struct model *model; /* what the page shows */
};

#define VISIT_SESSION_COOKIE  "yz_session"
#define VISIT_FORM_COOKIE     "yz_form"
#define VISIT_LANGUAGE_COOKIE "yz_lang"

/* HttpOnly, SameSite=Strict; by configuration Secure, and then with __Host- in
 * front of its name. An empty value forgets the cookie; max_age_s 0 keeps it until
 * the browser closes. */
void visit_set_cookie(struct visit *visit, const char *name, const char *value,
                      long max_age_s);
/* For a form on a page that everybody sees: its token, `_form_token`, belongs to
 * a cookie, which is set when it is not there. */
void visit_form_token(struct visit *visit);
/* Whether the form that was posted carries the token of its cookie; whether that
 * cookie came at all: a browser keeps none of ours over plain HTTP when it is to
 * be HTTPS. */
bool visit_has_form_token(const struct visit *visit);
bool visit_has_form_cookie(const struct visit *visit);
/* Whether the caller must set up a second factor before anything else. */
bool visit_needs_factor(const struct visit *visit);
/* 303: what was posted is not posted again by a reload. */
void visit_redirect(struct visit *visit, const char *address);
/* An audit row of its own by the account of the visit. */
bool visit_audit(struct visit *visit, const char *action, const char *object,
                 const char *result);
/* The Chinese or English one, by the page's language; Chinese when the English
 * one is empty. */
const char *visit_name(const struct visit *visit, const char *zh,
                       const char *en);
/* The words for a code: text_word in the page's language. */
const char *visit_word(const struct visit *visit, const char *prefix,
                       const char *code);

/* Shows a page with the model. title is a text key. */
void visit_show(struct visit *visit, const char *page, const char *title);
/* The refusal in place of whatever was begun, in the route's own form: JSON below
 * /api/v1, else a page, also where a file was asked for. */
void visit_refuse(struct visit *visit, enum refused refusal);
void visit_refuse_with(struct visit *visit, const struct refused_words *words);
/* An act that was refused, with its own sentence: by code, field and words. */
void visit_refuse_act(struct visit *visit, const struct refusal *refusal);
/* A failed query: logged, and REFUSED_INTERNAL. */
void visit_fail_db(struct visit *visit);

#endif
