/* The API of lists as OpenAPI 3.1, to standard output. */
#ifndef PORTAL_OPENAPI_COMMAND_H
#define PORTAL_OPENAPI_COMMAND_H

int command_openapi(int argc, char **argv);

#endif
