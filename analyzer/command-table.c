/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"

/* One line for each command, in the order of the help: X(variable). */
#define COMMANDS(X)                                                                                \
    X(command_import)                                                                              \
    X(command_info)                                                                                \
    X(command_export)                                                                              \
    X(command_profile_check)                                                                       \
    X(command_profile_list)                                                                        \
    X(command_network_build)                                                                       \
    X(command_seal)                                                                                \
    X(command_sql)

#define X(variable) extern const Command variable;
COMMANDS(X)
#undef X

#define X(variable) &variable,
const Command *const command_table[] = {COMMANDS(X) NULL};
#undef X
