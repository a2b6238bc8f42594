/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"

/* One line for each command, in the order of the help: X(variable). */
#define COMMANDS(X)                                                                                \
    X(command_import)                                                                              \
    X(command_info)                                                                                \
    X(command_network_build)                                                                       \
    X(command_network_from_track)                                                                  \
    X(command_seal)                                                                                \
    X(command_sql)

#define X(variable) extern const Command variable;
#include "analyzer/command-list.h"
#undef X

#define X(variable) &variable,
const Command *const command_table[] = {
#include "analyzer/command-list.h"
    NULL};
#undef X
