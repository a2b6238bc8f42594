/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live view: whoever connects to the Unix socket gets one JSON object and the end.
 * corridor-logger status asks and shows it as a table.
 */
#pragma once

#include "logger/box.h"

#define STATUS_ERROR status_error_quark()
typedef enum { STATUS_ERROR_SOCKET, STATUS_ERROR_ANSWER } StatusError;
GQuark status_error_quark(void);

typedef struct StatusServer StatusServer;

/* Listens; a socket that a dead logger left is replaced. (transfer full) */
StatusServer *status_server_new(const Box *box, const char *path, GError **error);
/* Removes the socket. NULL is allowed. */
void status_server_free(StatusServer *server);

/* The JSON text of a running logger. (transfer full) */
char *status_ask(const char *path, GError **error);

/* The table for people, at most 80 columns wide. NULL if the text is not a status.
 * Returns: (transfer full). */
char *status_table(const char *json, GError **error);
