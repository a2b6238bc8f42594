/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off: one command a line, in the order of the help. Included by command-table.c with X
 * defined, twice; no include guard. */
X(command_import)
X(command_info)
X(command_export)
X(command_analyze)
X(command_compare)
X(command_diff)
X(command_profile_check)
X(command_profile_list)
X(command_network_build)
X(command_network_from_track)
X(command_network_route)
X(command_match)
X(command_report)
X(command_seal)
X(command_recover)
X(command_verify)
X(command_scrub)
X(command_sql)
/* clang-format on */
