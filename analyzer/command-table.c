/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"

#define X(variable) extern const Command variable;
#include "analyzer/command-list.h"
#undef X

#define X(variable) &variable,
const Command *const command_table[] = {
#include "analyzer/command-list.h"
    NULL};
#undef X
