/*
 * One request with everything that is known about it, handed to its handler.
 *
 * A handler reads in order: parse, authorise, query, fill the model, render.
 * Routing has already checked the session, the role and the form token; what a
 * handler still has to do is bind `scope` to its queries.
 */
#ifndef PORTAL_HTTP_VISIT_H
#define PORTAL_HTTP_VISIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/text.h"
#include "portal/access/account.h"
#include "portal/access/scope.h"
#include "portal/access/session.h"
#include "portal/http/http_server.h"
#include "portal/http/request.h"
#include "portal/show/model.h"
#include "portal/store/portal.h"

enum { VISIT_ARGUMENTS_MAX = 3 };

struct visit {
    struct portal *portal;
    const struct portal_config *config;
    struct portal_worker *worker;
    struct db *db; /* of the worker: reads only */
    struct arena *arena;
    struct wall_time now;
    const struct http_request *request;
    struct http_response *response;

    enum language language;
    bool wants_json; /* the address began with /api/v1 */
    struct form query, cookies;
    struct form form;                           /* the body of a POST */
    const char *arguments[VISIT_ARGUMENTS_MAX]; /* the address's '*' */

    bool has_account;
    struct session session;
    struct account account;
    struct scope scope;

    struct model *model; /* what the page shows */
};

#define VISIT_SESSION_COOKIE  "yz_session"
#define VISIT_FORM_COOKIE     "yz_form"
#define VISIT_LANGUAGE_COOKIE "yz_lang"

/* HttpOnly, SameSite=Strict, Secure by configuration; an empty value forgets
 * the cookie. max_age_s 0 keeps it until the browser closes. */
void visit_set_cookie(struct visit *visit, const char *name, const char *value,
                      long max_age_s);
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

/* Shows a page with the model, or the model as JSON when the address asked for
 * that. title is a text key. */
void visit_show(struct visit *visit, const char *page, const char *title);
/* The response is the CSV that was written: as a download of that name, once
 * `action` stands in the audit log. */
void visit_send_csv(struct visit *visit, const char *action, const char *name);
/* An error page, or its JSON form, in place of whatever was begun. */
void visit_fail(struct visit *visit, int status);
/* A failed query: logged, and 500. */
void visit_fail_db(struct visit *visit);

#endif
